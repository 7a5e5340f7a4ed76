"""Damaged JPEGs are refused, and intact ones are not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import simplejpeg
from damaged_pictures import PHOTO, SCANS, jpeg, read, refused, saved
from PIL import Image


@pytest.mark.parametrize("kind", SCANS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\0" * 999, b"\0" * 999 + b"\xff\xd9"])
def test_a_jpeg_without_all_of_its_data_is_damaged(kind: str, share: float, end: bytes) -> None:
    content = jpeg(kind)
    refused(content[: int(len(content) * share)] + end)


def test_a_jpeg_without_its_last_scan_is_damaged() -> None:
    content = jpeg("progressive")
    scans = [one.start() for one in re.finditer(rb"\xff\xda", content)]
    assert len(scans) > 5
    for start in scans[1:]:
        assert "scans of the JPEG are missing" in refused(content[:start] + b"\xff\xd9")


def test_a_jpeg_without_its_last_two_bytes_is_damaged() -> None:
    for kind in SCANS:
        refused(jpeg(kind)[:-2])


@pytest.mark.parametrize("kind", SCANS)
def test_an_intact_jpeg_is_read_whatever_lies_behind_it(kind: str) -> None:
    content = jpeg(kind)
    expected = read(content)
    assert expected.error is None
    for other in (content + b"a phone's moving picture", content[:-2] + b"\0\0" + content[-2:]):
        answer = read(other)
        assert np.array_equal(answer.pixels, expected.pixels)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("keys", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 100}])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 64)])
def test_no_intact_jpeg_is_called_damaged(mode: str, keys: Any, size: Any) -> None:
    picture = PHOTO.resize(size).convert(mode)
    assert read(saved(picture, "JPEG", **keys)).error is None


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff\xe0\0\7JFIF\0", b"\xff\xe0\0\x0bJFIF\0\1\1\0\0", b"\xff\xee\0\7Adobe",
        b"\xff\xee\0\x0aAdobe\0\x64\0", b"\xff\xe2\0\x0eICC_PROFILE\0", b"\xff\xe0\0\2",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_header_of_a_jpeg_that_is_cut_short_changes_nothing(mode: str, broken: bytes) -> None:
    content = saved(PHOTO.convert(mode), "JPEG")
    answer = read(content[:2] + broken + content[2:])
    assert answer.error is None
    assert np.array_equal(answer.pixels, read(content).pixels)


def test_data_of_a_jpeg_are_checked_by_another_decoder_only_if_its_size_is_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: pytest.fail("was called"))
    assert "bomb" in str(read(jpeg("baseline")).error)
