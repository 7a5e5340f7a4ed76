"""Rare but real image files: scaled by what they hold, or refused; never scored as another."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandetect.data.images import read_image
from gandetect.errors import DataError

ROWS, COLUMNS = np.mgrid[:28, :28]
GREY = (ROWS * 9 + COLUMNS).astype(np.uint8)
FORMATS = {
    "PNG": {},
    "JPEG": {},
    "JPEG, progressive": {"progressive": True},
    "GIF": {},
    "BMP": {},
    "TIFF": {},
    "TIFF, packed": {"compression": "tiff_lzw"},
    "PPM": {},
}


@pytest.mark.parametrize("channels", [1, 3])
def test_lab_is_read_in_grey_and_in_colour(channels: int, tmp_path: Path) -> None:
    Image.new("LAB", (28, 28), (128, 0, 0)).save(tmp_path / "a.tif")
    assert 90 < read_image(tmp_path / "a.tif", channels=channels).mean() < 150


def test_postscript_is_never_run(tmp_path: Path) -> None:
    lines = ["%!PS-Adobe-3.0 EPSF-3.0", "%%BoundingBox: 0 0 9 9", "%%EndComments", ""]
    (tmp_path / "a.png").write_text("\n".join(lines))
    with pytest.raises(DataError, match="is not an image"):
        read_image(tmp_path / "a.png")


def test_refusing_a_folder_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()  # an empty folder's iterator closes by itself
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match="is a folder"):
            read_image(tmp_path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_file_is_never_scored_as_another_picture(form: str, tmp_path: Path) -> None:
    colour = Image.fromarray(np.stack([GREY, 255 - GREY, GREY // 2], axis=-1))
    stream = io.BytesIO()
    colour.save(stream, form.partition(",")[0], **FORMATS[form])
    whole, path = stream.getvalue(), tmp_path / "a.img"
    path.write_bytes(whole)
    expected, refused = read_image(path, channels=3), 0
    for length in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:length])
        try:
            assert np.array_equal(read_image(path, channels=3), expected)
        except DataError:
            refused += 1
    assert refused > 40
