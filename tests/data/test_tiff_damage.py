"""Damaged TIFFs are refused, and what is in them is checked as files are."""

from __future__ import annotations

import io
import os
import re
import struct
from typing import Any

import numpy as np
import pytest
import simplejpeg
import tifffile
from damaged_pictures import GREY, PHOTO, intact, read, refused, saved
from numpy.typing import NDArray
from PIL import Image
from raw_images import tiff


def test_a_tiffs_broken_directories_of_metadata_change_nothing() -> None:
    for tag in (330, 34665, 34853, 40965):
        content = tiff(GREY, 8, **{f"t{tag}": 0xFFFFFFFF})
        signed = struct.pack("<HHI", tag, 9, 1)  # before the file's beginning
        assert intact(content.replace(struct.pack("<HHI", tag, 4, 1), signed)) == ""


@pytest.mark.parametrize("packing", ["tiff_adobe_deflate", "lzma"])
def test_any_changed_bit_of_a_packed_tiff_with_checksums_is_damage(packing: str) -> None:
    content = saved(Image.fromarray(GREY), "TIFF", compression=packing)
    tags = Image.open(io.BytesIO(content)).tag_v2
    start, length = tags[273][0], tags[279][0]
    for place in range(start, start + length, 3):
        changed = bytearray(content)
        changed[place] ^= 4
        answer = read(bytes(changed))
        assert answer.error is not None or np.array_equal(answer.pixels[0], GREY), place


def in_parts(samples: NDArray[Any], drop: int, **options: Any) -> bytes:
    """A TIFF of strips or tiles whose tags leave out the last ones."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, **options)
    content = stream.getvalue()
    for tag in (273, 279, 324, 325):
        line = re.search(struct.pack("<HH", tag, 3) + b"|" + struct.pack("<HH", tag, 4), content)
        if line:
            place = line.start() + 4
            count = struct.unpack("<I", content[place : place + 4])[0] - drop
            content = content[:place] + struct.pack("<I", count) + content[place + 4 :]
    return content


PARTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 5}, "tiles": {"tile": (16, 16)},
    "packed strips": {"rowsperstrip": 5, "compression": "zlib"},
    "packed tiles": {"tile": (16, 16), "compression": "zlib"},
}  # fmt: skip


@pytest.mark.parametrize("kind", [*PARTS, "planes"])
def test_a_tiff_that_lacks_strips_tiles_or_planes_is_damaged(kind: str) -> None:
    samples, options = GREY, PARTS.get(kind, {})
    if kind == "planes":
        samples = np.stack([GREY] * 3)
        options = {"rowsperstrip": 7, "photometric": "rgb", "planarconfig": "separate"}
    intact(in_parts(samples, 0, **options))
    for drop in (1, 2):
        assert "parts that its size demands" in refused(in_parts(samples, drop, **options))


def test_a_strip_that_lies_outside_of_the_file_or_is_too_short_is_damage() -> None:
    plain = tiff(GREY, 8)
    assert intact(plain) == intact(tiff(GREY, 8, t279=400)) == ""
    for start in (0, 5, len(plain) - 1, 1 << 31):
        line = struct.pack("<HHI", 273, 4, 1)
        place = plain.index(line) + len(line)
        moved = plain[:place] + struct.pack("<I", start) + plain[place + 4 :]
        assert "do not fit" in refused(moved)
    assert "parts that its size demands" in refused(tiff(GREY, 8, t278=10))


def test_a_tiff_without_a_tag_is_damaged() -> None:
    refused(b"II*\0\x08\0\0\0\0\0\0\0\0\0")
    said = refused(tiff(GREY, 8).replace(struct.pack("<HH", 256, 4), struct.pack("<HH", 255, 4)))
    assert "without whole tags: its size is missing" in said
    refused(b"II*\0\x08\0\0\0")


def jpeg_tiff(content: bytes, size: int) -> bytes:
    """A grey TIFF of one strip, which is a JPEG."""
    plain = tiff(np.zeros((size, size), np.uint8), 8, t259=7, t279=len(content))
    return plain[: -size * size] + content


@pytest.mark.parametrize("kind", ["grey", "grey progressive"])
def test_a_jpeg_within_a_tiff_is_checked_as_one_in_a_file_is(kind: str) -> None:
    content = saved(PHOTO.convert("L"), "JPEG", progressive="progressive" in kind)
    whole = read(jpeg_tiff(content, 256))
    assert whole.error is None
    assert np.array_equal(whole.pixels, read(content).pixels)
    for share in (0.3, 0.8, 0.95):
        for end in (b"", b"\xff\xd9"):
            refused(jpeg_tiff(content[: int(len(content) * share)] + end, 256))


def test_jpegs_of_a_tiff_that_share_tables_are_checked_one_by_one() -> None:
    content = saved(PHOTO, "TIFF", compression="jpeg", strip_size=256 * 3 * 64)
    tags = Image.open(io.BytesIO(content)).tag_v2
    assert len(tags[273]) > 2
    assert len(tags[347]) > 100
    assert read(content).error is None
    start, length = tags[273][1], tags[279][1]
    hole = slice(start + length // 2, start + length - 2)
    refused(content[: hole.start] + bytes(hole.stop - hole.start) + content[hole.stop :])


def test_a_jpeg_of_grey_and_alpha_within_a_tiff_is_not_called_damaged() -> None:
    assert read(saved(PHOTO.convert("LA"), "TIFF", compression="jpeg")).error is None


def test_a_jpeg_within_a_tiff_that_says_it_is_huge_is_not_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = saved(PHOTO.convert("L"), "JPEG")
    place = content.index(b"\xff\xc0") + 5
    huge = content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :]
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: pytest.fail("was called"))
    assert "bomb" in str(read(jpeg_tiff(huge, 256)).error)


def test_old_jpeg_data_in_a_tiff_are_refused_and_not_called_damaged() -> None:
    answer = read(tiff(GREY, 8, t259=6))
    assert "old JPEG" in str(answer.error)
    assert "damaged" not in str(answer.error)


def test_what_libtiff_prints_becomes_the_error_and_is_not_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    picture = Image.fromarray(GREY).convert("1")
    content = saved(picture, "TIFF", compression="group3")
    tags = Image.open(io.BytesIO(content)).tag_v2
    said = []
    for place in range(tags[273][0], tags[273][0] + tags[279][0] - 2, 3):
        answer = read(content[:place] + b"\0\0" + content[place + 2 :])
        said.append(str(answer.error))
    fax = [one for one in said if "(Fax3" in one]
    assert fax
    assert all(one.startswith("'a.png' is truncated or damaged (Fax3") for one in fax)
    assert capfd.readouterr().err == ""


def test_the_process_keeps_its_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    read(saved(Image.fromarray(GREY), "TIFF", compression="tiff_lzw"))
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
