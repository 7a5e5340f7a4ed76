"""Damage of TIFF files that their decoder, libtiff, goes on after or only prints."""

from __future__ import annotations

import lzma
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from gandetect.data.faults import damaged
from gandetect.data.jpeg import check_jpeg, pixels_of
from gandetect.data.tiff_parts import COMPRESSION, TiffPart, contents
from gandetect.data.unpacking import unpacked_length

_UNPACKERS = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
_JPEG, _TABLES = 7, 347
_SPARE = 1 << 20  # bytes beyond the pixels
_SAMPLE_BYTES = 32  # a pixel, at most


def check_sums(opened: TiffImageFile, parts: list[TiffPart], file: BinaryIO) -> None:
    """Verify the checksums of the parts of a Deflate or LZMA TIFF, which libtiff does not look at.

    Raises `Refusal` where one is wrong or missing.
    """
    unpacker: Any = _UNPACKERS.get(opened.tag_v2.get(COMPRESSION, 1))
    if unpacker is None:
        return
    room = opened.width * opened.height * _SAMPLE_BYTES + _SPARE
    try:
        for content in contents(parts, file):
            room -= unpacked_length(content, unpacker(), room)
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise damaged(f"TIFF with a damaged part: {error}") from None


def check_jpegs(opened: TiffImageFile, parts: list[TiffPart], file: BinaryIO) -> None:
    """Check the JPEG in each part of a TIFF as a JPEG file is checked; `Refusal` for damage.

    Tables that parts share stand in a tag, as a JPEG without a picture, and are put before each.
    """
    if opened.tag_v2.get(COMPRESSION, 1) != _JPEG:
        return
    tables = bytes(opened.tag_v2.get(_TABLES, b""))[:-2]  # without its end
    for content in contents(parts, file):
        jpeg = tables + content[2:] if tables else content
        if pixels_of(jpeg) > (Image.MAX_IMAGE_PIXELS or sys.maxsize):
            raise Image.DecompressionBombError
        check_jpeg(jpeg)


@contextmanager
def libtiff_heard() -> Iterator[None]:
    """Take what libtiff prints on stderr, which names no file, and call the file damaged for it.

    It prints errors alone, and goes on after some of them, as after a bad code word of a fax.
    Nothing else of this process should print meanwhile.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # a process without stderr, where nothing can be heard
        yield
        return
    with tempfile.TemporaryFile() as heard:
        try:
            os.dup2(heard.fileno(), 2)
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        heard.seek(0)
        lines = heard.read(4096).decode(errors="replace").split("\n")
    if lines[0]:
        raise damaged(lines[0].strip(" ."))
