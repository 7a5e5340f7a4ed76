"""Large collections are scored shard by shard: nothing is lost, done twice or mixed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gandetect.data.class_images import ClassImages
from gandetect.runs import file_digest
from gandetect.scoring import shards
from scoring.scored_files import gandetect

COLUMNS = ["path", "score", "probability", "verdict", "error", "conversion"]


@pytest.fixture
def folder(fashion_mnist: ClassImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten files, one damaged and one in colour; a shard holds four."""
    monkeypatch.setattr(shards, "FILES", 4)
    images = tmp_path / "images"
    images.mkdir()
    for number, pixels in enumerate(fashion_mnist.train_images[:10]):
        Image.fromarray(pixels.reshape(28, 28)).save(images / f"{number}.png")
    (images / "3.png").write_bytes((images / "3.png").read_bytes()[:150])
    Image.new("RGB", (40, 20), (255, 0, 0)).save(images / "7.png")
    return images


def _outputs(out: Path) -> dict[str, tuple[str, int]]:
    """The outputs: what stands in each, and when it was written."""
    found = sorted(out.glob("[0-9]*.parquet"))
    return {path.name: (file_digest(path), path.stat().st_mtime_ns) for path in found}


def _contents(out: Path) -> list[str]:
    return [digest for digest, _ in _outputs(out).values()]


def _parquet(files: Path, target: Path, *, names: bool = True) -> Path:
    target.parent.mkdir(exist_ok=True)
    paths = sorted(files.iterdir())
    columns = {"bytes": pa.array([path.read_bytes() for path in paths], pa.binary())}
    if names:
        columns["path"] = pa.array([f"elsewhere/{path.name}" for path in paths])
    pq.write_table(pa.table(columns), target)
    return target


def test_the_folder_holds_the_lines_that_csv_has(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    result = gandetect("score", detector_folder, folder, tmp_path / "no", "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path / 'o'}\n"
    said = result.stderr.splitlines()
    assert said[:3] == [
        f"shard {n} of 3: {images} images" for n, images in ((1, 4), (2, 8), (3, 11))
    ]
    assert said[3].startswith("note: 1 of 11 images were converted: 1 RGB 40x20 to grey 28x28, pad")
    assert said[4:] == ["2 of 11 images could not be scored; see column error"]
    assert len(_outputs(tmp_path / "o")) == 3
    table = pd.read_parquet(tmp_path / "o")  # which passes over what else lies there
    assert list(table) == COLUMNS
    lines = csv.DictReader(
        io.StringIO(gandetect("score", detector_folder, folder, tmp_path / "no").stdout)
    )
    table = table.fillna({"verdict": "", "error": ""})
    for row, line in zip(table.to_dict("records"), lines, strict=True):
        assert row["path"] == line["path"]
        assert [row[name] for name in ("verdict", "error", "conversion")] == [
            line[name] for name in ("verdict", "error", "conversion")
        ]
        assert np.isnan(row["score"]) if row["error"] else row["score"] == float(line["score"])


def test_what_is_done_is_not_done_again(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    given = ["score", detector_folder, folder, "--out", tmp_path / "o"]
    first = gandetect(*given)
    before = _outputs(tmp_path / "o")
    gone = sorted(before)[1]
    (tmp_path / "o" / gone).unlink()
    (tmp_path / "o" / ".000001-x.parquet.0123.tmp").touch()  # what a killed process leaves
    second = gandetect(*given)
    after = _outputs(tmp_path / "o")
    assert _contents(tmp_path / "o") == [digest for digest, _ in before.values()]
    assert {name for name in after if after[name] != before[name]} == {gone}
    assert second.stderr.splitlines()[-2:] == first.stderr.splitlines()[-2:]
    assert not list((tmp_path / "o").glob("*.tmp"))


def test_a_file_that_changed_is_scored_anew_and_its_old_answer_goes(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    given = ["score", detector_folder, folder, "--out", tmp_path / "o"]
    gandetect(*given)
    before = _outputs(tmp_path / "o")
    shutil.copy(folder / "0.png", folder / "7.png")
    result = gandetect(*given)
    assert "note: 1 shard(s) of files that have changed were removed" in result.stderr
    after = _outputs(tmp_path / "o")
    assert len(after) == 3
    assert len(after.items() & before.items()) == 2
    table = pd.read_parquet(tmp_path / "o")
    assert table["score"][0] == table["score"][7]
    os.utime(folder / "0.png", ns=(1, 1))  # another file of the same size, for all that is known
    assert "note: 1 shard(s) of files" in gandetect(*given).stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--strict"], "another strict"),
        (["--at", "calibrated"], "another operating point"),
        (["0.png"], "another inputs"),
    ],
)
def test_a_folder_of_other_answers_is_refused(
    detector_folder: Path,
    folder: Path,
    tmp_path: Path,
    change: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    gandetect("score", detector_folder, "1.png", "--out", tmp_path / "o")
    result = gandetect("score", detector_folder, "1.png", *change, "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    result = gandetect("score", detector_folder, "1.png", "--out", folder)
    assert "holds other files; give --out an empty folder" in result.stderr


def test_another_detector_is_refused(detector_folder: Path, folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(detector_folder, tmp_path / "other"))
    text = (other / "detector.json").read_text()
    (other / "detector.json").write_text(text.replace('"calibrated": 1.5', '"calibrated": 1.25'))
    gandetect("score", detector_folder, folder, "--out", tmp_path / "o")
    result = gandetect("score", other, folder, "--out", tmp_path / "o")
    assert "holds the scores of another detector" in result.stderr


def test_parquet_files_of_image_bytes_are_scored_as_their_files(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    _parquet(folder, tmp_path / "tables" / "a.parquet")
    single = _parquet(folder, tmp_path / "b.parquet", names=False)
    given = [folder, tmp_path / "tables", single]
    result = gandetect("score", detector_folder, *given, "--out", tmp_path / "o")
    assert "3 of 30 images could not be scored" in result.stderr
    tables = [pd.read_parquet(path) for path in sorted((tmp_path / "o").glob("[0-9]*.parquet"))]
    files = pd.concat(tables[:3], ignore_index=True)
    for table in tables[3:]:
        same = ["score", "probability", "verdict", "conversion"]
        pd.testing.assert_frame_equal(table[same], files[same])
    assert tables[3]["path"][7] == "elsewhere/7.png"
    assert tables[4]["path"][7] == f"{single}#7"
    assert "'elsewhere/3.png' is truncated or damaged" in tables[3]["error"][3]


def test_parquet_files_are_found_however_deep_but_not_the_answers(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    _parquet(folder, tmp_path / "tables" / "a.parquet")
    _parquet(folder, tmp_path / "tables" / "deeper" / "b.parquet")
    for _ in range(2):  # the second time answers lie there, which are no images to be scored
        gandetect("score", detector_folder, tmp_path / "tables", "--out", tmp_path / "tables/o")
        assert len(_outputs(tmp_path / "tables/o")) == 2


def test_a_parquet_file_that_is_missing_is_a_line(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "no.parquet"
    result = gandetect("score", detector_folder, folder, missing, "--out", tmp_path / "o")
    assert "2 of 11 images could not be scored" in result.stderr
    errors = pd.read_parquet(tmp_path / "o").dropna(subset="error").set_index("path")["error"]
    assert "does not exist; give an image file or a folder" in errors[str(missing)]


def test_what_cannot_be_read_of_a_parquet_file_is_a_line(
    detector_folder: Path, folder: Path, tmp_path: Path
) -> None:
    tables = tmp_path / "tables"
    whole = _parquet(folder, tables / "0.parquet").read_bytes()
    (tables / "1.parquet").write_bytes(whole[:-40])
    pq.write_table(pa.table({"image": ["a"]}), tables / "2.parquet")
    pq.write_table(pa.table({"bytes": pa.array([None], pa.binary())}), tables / "3.parquet")
    result = gandetect("score", detector_folder, tables, "--out", tmp_path / "o")
    assert "4 of 13 images could not be scored" in result.stderr
    errors = pd.read_parquet(tmp_path / "o")["error"].dropna().tolist()
    assert "1.parquet' cannot be read from row 0 on" in errors[1]
    assert "it has no binary column 'bytes', but: image" in errors[2]
    assert "row 0 of" in errors[3]
    assert "holds no bytes" in errors[3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "ray"], "--engine ray was given without --out"),
        (["--address", "head:6379"], "--address was given without --engine ray"),
        (["x.parquet"], "'x.parquet' is a Parquet file"),
        (["--out", "o", "--json"], "--out was given with the format jsonl"),
    ],
)
def test_what_does_not_go_together_is_refused(
    detector_folder: Path, folder: Path, options: list[str], said: str
) -> None:
    result = gandetect("score", detector_folder, folder, *options)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.slow
def test_ray_does_the_same_though_a_worker_is_killed(
    detector_folder: Path, fashion_mnist: ClassImages, tmp_path: Path
) -> None:
    for number in range(6):
        images = tmp_path / "png"
        shutil.rmtree(images, ignore_errors=True)
        images.mkdir()
        for index in range(number * 400, number * 400 + 400):
            picture = Image.fromarray(fashion_mnist.train_images[index].reshape(28, 28))
            picture.save(images / f"{index}.png")
        (images / "bad.png").write_text("no picture")
        _parquet(images, tmp_path / "tables" / f"{number}.parquet")
    here = gandetect("score", detector_folder, tmp_path / "tables", "--out", tmp_path / "here")
    assert "6 of 2406 images" in here.stderr

    out = tmp_path / "there"
    command = [sys.executable, "-m", "gandetect", "score", str(detector_folder)]
    options = ["--out", str(out), "--engine", "ray", "--workers", "1"]
    with subprocess.Popen(
        [*command, str(tmp_path / "tables"), *options], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 300
        workers: list[int] = []
        while not workers and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            if list(out.glob("[0-9]*.parquet")):
                workers = _workers_of(process.pid)
        done = len(_outputs(out))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        _, said = process.communicate(timeout=300)
    assert workers
    assert 0 < done < 6
    assert process.returncode == 1
    assert said.splitlines()[-1] == "6 of 2406 images could not be scored; see column error"
    assert "Traceback" not in said
    assert _outputs(out).keys() == {
        name for name in _outputs(out) if re.fullmatch(r"\d{6}-[0-9a-f]{16}\.parquet", name)
    }
    assert _contents(out) == _contents(tmp_path / "here")


def _workers_of(driver: int) -> list[int]:
    """The processes that score a shard for Ray and descend from this one."""
    parents = {}
    names = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            names[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])

    def descends(process: int) -> bool:
        while process in parents and process != driver:
            process = parents[process]
        return process == driver

    return [one for one, name in names.items() if "ray::shard" in name and descends(one)]
