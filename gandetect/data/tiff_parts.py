"""Strips and tiles of a TIFF: whether all are there and whole, which libtiff does not say.

It paints pixels of a part that is missing black, looks at no checksums, and prints some errors on
stderr and goes on.
"""

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
from gandetect.data.jpeg import check_jpeg
from gandetect.data.png import unpacked_length

WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES, PLANAR = 256, 257, 258, 259, 277, 284
_ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)  # where parts are, and how long
_UNPACKERS: dict[int, Any] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
_JPEG, _JPEG_TABLES = 7, 347
_HEADER = 8  # bytes before which no part can lie
_SPARE = 1 << 20  # bytes beyond the pixels
_PIXEL_BYTES = 32  # at most


def check_parts(opened: TiffImageFile, file: BinaryIO) -> None:
    """Raise `Refusal` for a strip or tile that is missing, cut off or damaged.

    Checksums are those of Deflate and LZMA. A JPEG is checked as a file is: tables that parts share
    stand in a tag, as a JPEG without a picture, and are put before each. The file stands afterwards
    where it stood.
    """
    tags = opened.tag_v2
    packing = tags.get(COMPRESSION, 1)
    tables = bytes(tags.get(_JPEG_TABLES, b""))[:-2]  # without its end
    room = opened.width * opened.height * _PIXEL_BYTES + _SPARE
    place = file.tell()
    for start, length in _parts(tags, file.seek(0, os.SEEK_END)):
        if packing not in (*_UNPACKERS, _JPEG):
            break
        file.seek(start)
        content = file.read(length)
        if packing == _JPEG:
            check_jpeg(tables + content[2:] if tables else content)
            continue
        try:
            room -= unpacked_length(content, _UNPACKERS[packing](), room)
        except (zlib.error, lzma.LZMAError, EOFError) as error:
            raise damaged(f"TIFF with a damaged part: {error}") from None
    file.seek(place)


def _parts(tags: Any, end: int) -> list[tuple[int, int]]:
    """Where each strip or tile starts, and its length in bytes: all that the size demands."""
    tiled = _TILES[0] in tags
    starts, lengths = (tuple(tags.get(tag, ())) for tag in (_TILES if tiled else _STRIPS))
    rows = _rows_of_tiles(tags) if tiled else _rows_of_strips(tags)
    apart, samples = tags.get(PLANAR, 1) == 2, int(tags.get(SAMPLES, 1))
    rows = rows * (samples if apart else 1)
    if len(starts) < len(rows):
        raise damaged(f"TIFF with {len(starts):,} of the {len(rows):,} parts that its size demands")
    starts, lengths = starts[: len(rows)], lengths[: len(rows)]
    if tags.get(COMPRESSION, 1) == 1:
        bits = int(tags.get(BITS, (1,))[0]) * (1 if apart else samples)
        row = -(-int(tags[_TILE_WIDTH if tiled else WIDTH]) * bits // 8)
        # A single length that is wrong is ignored by decoders, as the next part shows no other.
        if len(rows) > 1 and any(a < b * row for a, b in zip(lengths, rows, strict=False)):
            raise damaged("TIFF with a part that is shorter than its rows")
        lengths = tuple(count * row for count in rows)
    parts = list(zip(starts, lengths, strict=False))
    if len(parts) < len(rows) or any(a < _HEADER or a + b > end for a, b in parts):
        raise damaged("TIFF whose parts do not fit in the file")
    return parts


def _rows_of_strips(tags: Any) -> list[int]:
    height = int(tags[HEIGHT])
    rows = min(int(tags.get(_ROWS_PER_STRIP, height)) or height, height)
    return [min(rows, height - top) for top in range(0, height, rows)]


def _rows_of_tiles(tags: Any) -> list[int]:
    """They are padded to full height."""
    across, rows = (int(tags.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
    if across < 1 or rows < 1:
        raise damaged("TIFF of tiles without a size")
    return [rows] * (-(-int(tags[WIDTH]) // across) * -(-int(tags[HEIGHT]) // rows))


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
        first, *_ = heard.read(4096).decode(errors="replace").split("\n")
    if first:
        raise damaged(first.strip(" ."))
