"""Damage of TIFF files that their decoder, libtiff, goes on after or only prints."""

from __future__ import annotations

import lzma
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL.TiffImagePlugin import TiffImageFile

from gandetect.data.faults import damaged
from gandetect.data.unpacking import unpacked_length

_COMPRESSION, _STRIPS, _TILES = 259, (273, 279), (324, 325)  # where parts are, and how long
_UNPACKERS = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
_SPARE = 1 << 20  # bytes beyond the pixels
_SAMPLE_BYTES = 32  # a pixel, at most


def check_sums(opened: TiffImageFile, file: BinaryIO) -> None:
    """Verify the checksums of the parts of a Deflate or LZMA TIFF, which libtiff does not look at.

    Raises `Refusal` where one is wrong or missing.
    """
    tags = opened.tag_v2
    unpacker: Any = _UNPACKERS.get(tags.get(_COMPRESSION, 1))
    if unpacker is None:
        return
    where, sizes = (tags.get(tag, ()) for tag in (_TILES if _TILES[0] in tags else _STRIPS))
    place, length = file.tell(), file.seek(0, os.SEEK_END)
    if len(where) != len(sizes) or sum(sizes) > length:
        raise damaged("TIFF whose parts do not fit in the file")
    room = opened.width * opened.height * _SAMPLE_BYTES + _SPARE
    try:
        for start, size in zip(where, sizes, strict=True):
            file.seek(start)
            room -= unpacked_length(file.read(size), unpacker(), room)
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise damaged(f"TIFF with a damaged part: {error}") from None
    file.seek(place)


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
