"""The array on disk holds what each file decodes to, however many processes wrote it."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from photographs import save_two_classes

from gandetect.data.decoded import decode_pictures
from gandetect.data.images import read_image
from gandetect.errors import DataError

FITTED = {"size": 24, "channels": 3, "fit": "crop"}
OPTIONS = {**FITTED, "strict": True}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    return [folder / path for path in save_two_classes(folder, 20)]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_row_is_what_its_file_decodes_to(
    pictures: list[Path], tmp_path: Path, workers: int
) -> None:
    target = tmp_path / "images.npy"
    heard: list[tuple[int, int]] = []
    decode_pictures(
        pictures,
        target,
        **OPTIONS,
        workers=workers,
        progress=lambda done, total: heard.append((done, total)),
    )
    images = np.load(target, mmap_mode="r", allow_pickle=False)
    assert images.shape == (40, 3, 24, 24)
    assert images.dtype == np.uint8
    for row, path in zip(images, pictures, strict=True):
        assert np.array_equal(row, read_image(path, **FITTED))
    assert heard[0] == (0, 40)
    assert heard[-1] == (40, 40)
    assert heard == sorted(heard)


def test_grey_images_have_one_channel(pictures: list[Path], tmp_path: Path) -> None:
    decode_pictures(pictures[:2], tmp_path / "images.npy", size=28, channels=1, fit="pad")
    images = np.load(tmp_path / "images.npy", allow_pickle=False)
    assert images.shape == (2, 1, 28, 28)
    assert np.array_equal(images[1], read_image(pictures[1], size=28, channels=1, fit="pad"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_breaks_later_is_named_and_nothing_is_left(
    pictures: list[Path], tmp_path: Path, workers: int
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(pictures[0].read_bytes()[:500])
    with pytest.raises(DataError, match=r"broken.jpg' is truncated"):
        decode_pictures([*pictures, broken], tmp_path / "images.npy", **OPTIONS, workers=workers)
    assert not (tmp_path / "images.npy").exists()


def test_a_target_that_cannot_be_written_is_one_sentence(
    pictures: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="cannot be written: No such file or directory"):
        decode_pictures(pictures[:1], tmp_path / "nowhere" / "images.npy", **OPTIONS)


def test_a_file_that_stands_there_is_left_alone(pictures: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "images.npy"
    target.write_text("precious")
    with pytest.raises(DataError, match="cannot be written: File exists"):
        decode_pictures(pictures[:1], target, **OPTIONS)
    assert target.read_text() == "precious"


def test_a_disk_without_room_is_one_sentence_and_nothing_is_left(
    pictures: list[Path], tmp_path: Path
) -> None:
    target = tmp_path / "images.npy"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write fails instead
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(DataError, match="cannot be written: File too large; free some space"):
            decode_pictures(pictures, target, **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert not target.exists()
