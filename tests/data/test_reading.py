"""Every file is read fully, by however many processes, and what it holds is told truly."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import imagehash
import numpy as np
import pytest
from photographs import patches, save_two_classes
from PIL import Image

from gandetect.data.images import read_picture
from gandetect.data.reading import CHUNK, examine, examine_files
from gandetect.errors import DataError, WorkerError


def saved(path: Path, number: int = 0, **options: object) -> Path:
    Image.fromarray(patches()[number]).save(path, **options)
    return path


def test_an_intact_file_is_told_truly(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    one = examine(path, hashes=True)
    assert (one.kind, one.error) == (None, None)
    assert (one.path, one.format, one.mode, one.width, one.height) == (path, "JPEG", "RGB", 96, 96)
    assert one.bytes == path.stat().st_size
    assert one.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    expected = imagehash.phash(Image.open(path).convert("RGB"))
    assert f"{one.phash:016x}" == str(expected)


def test_without_hashes_there_is_none(tmp_path: Path) -> None:
    assert examine(saved(tmp_path / "a.jpg")).phash is None


def test_pixels_are_the_same_in_any_lossless_format_and_differ_by_one_value(
    tmp_path: Path,
) -> None:
    forms = ("png", "bmp", "tiff", "ppm")
    digests = {examine(saved(tmp_path / f"a.{form}")).pixels_sha256 for form in forms}
    assert len(digests) == 1
    changed = patches()[0].copy()
    changed[50, 50, 1] ^= 1
    Image.fromarray(changed).save(tmp_path / "b.png")
    assert examine(tmp_path / "b.png").pixels_sha256 not in digests


def test_pixels_of_another_shape_are_others(tmp_path: Path) -> None:
    flat = np.zeros((4, 9), np.uint8)
    Image.fromarray(flat).save(tmp_path / "a.png")
    Image.fromarray(flat.reshape(6, 6)).save(tmp_path / "b.png")
    one, two = examine(tmp_path / "a.png"), examine(tmp_path / "b.png")
    assert one.pixels_sha256 != two.pixels_sha256


def test_a_picture_turned_by_exif_is_told_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(patches()[0][:48]).save(tmp_path / "a.jpg", exif=exif)
    one = examine(tmp_path / "a.jpg")
    assert (one.width, one.height) == (48, 96)


@pytest.mark.parametrize("form", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
def test_a_file_cut_in_half_is_damaged(form: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"a.{form}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    one = examine(path)
    assert one.kind == "damaged"
    assert "damaged" in str(one.error)
    assert one.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["jpg", "png", "gif"])
def test_a_file_cut_in_its_header_is_damaged_rather_than_no_image(
    form: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / f"a.{form}")
    path.write_bytes(path.read_bytes()[:10])
    assert examine(path).kind == "damaged"


def test_a_download_that_stopped_and_left_zeros_is_damaged(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    assert examine(path).kind == "damaged"


def test_other_faults_have_their_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "link.jpg").symlink_to("nothing")
    saved(tmp_path / "large.png")
    negative = np.full((9, 9), -3, np.int32)
    Image.fromarray(negative).save(tmp_path / "scale.tif")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 96 * 96 - 1)
    found = {one.path.name: one for one in examine_files(sorted(tmp_path.iterdir()))}
    assert {name: one.kind for name, one in found.items()} == {
        "empty.jpg": "empty",
        "text.jpg": "not an image",
        "folder.jpg": "not an image",
        "link.jpg": "missing",
        "large.png": "unsupported",
        "scale.tif": "unsupported",
    }
    for one in found.values():  # the sentence goes on from the name, and names no folder
        assert str(tmp_path) not in str(one.error)


def test_what_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_privileges
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(Path("a.jpg")).chmod(0)
    with without_privileges():
        one = examine(Path("a.jpg"))
    assert (one.kind, one.sha256) == ("unreadable", None)


def test_a_fault_travels_between_processes(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_picture(tmp_path / "none.png")
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.kind == "missing"


def test_several_processes_say_the_same_in_the_same_order(tmp_path: Path) -> None:
    paths = [tmp_path / path for path in save_two_classes(tmp_path, 20)]
    paths[7].write_bytes(b"no image")
    heard: list[tuple[int, int]] = []
    alone = examine_files(paths, hashes=True)
    together = examine_files(
        paths, hashes=True, workers=2, progress=lambda done, total: heard.append((done, total))
    )
    assert together == alone
    assert [one.path for one in together] == paths
    assert heard[0] == (0, 40)
    assert heard[-1] == (40, 40)
    assert heard == sorted(heard)


def test_no_files_are_no_trouble() -> None:
    assert examine_files([], workers=4) == []


def test_a_killed_worker_is_one_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png")

    def kill(done: int, total: int) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    with pytest.raises(WorkerError, match="was killed from outside"):
        examine_files([path] * 200 * CHUNK, workers=2, progress=kill)


ENDLESS = """
import sys
from pathlib import Path
from gandetect.data.reading import examine_files
if __name__ == "__main__":
    examine_files([Path(sys.argv[1])] * 100_000, workers=2, progress=lambda *_: print(flush=True))
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_an_interrupted_reading(end: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "endless.py"), str(saved(tmp_path / "a.png"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    for _ in range(3):  # twice nothing but started; the third comes from a worker
        process.stdout.readline()
    if end == signal.SIGINT:  # as a terminal does, to the whole group
        os.killpg(process.pid, end)
    else:
        process.send_signal(end)
    _, stderr = process.communicate(timeout=30)
    assert stderr.count(b"Traceback") == (end == signal.SIGINT)  # the parent's own
    assert _ends(process.pid)


def _ends(group: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
