"""Where the strips or tiles of a TIFF lie, and whether all that its size demands are there.

Decoders paint the pixels of a part that is missing black.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL.TiffImagePlugin import TiffImageFile

from gandetect.data.faults import damaged

WIDTH, HEIGHT, BITS, COMPRESSION, SAMPLES, PLANAR = 256, 257, 258, 259, 277, 284
_ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
_STRIPS, _TILES = (273, 279), (324, 325)  # where parts are, and how long
_HEADER = 8  # bytes before which no part can lie


@dataclass(frozen=True)
class TiffPart:
    """A strip or tile: where it starts in the file, and its length in bytes."""

    start: int
    length: int


def parts_of(opened: TiffImageFile, file: BinaryIO) -> list[TiffPart]:
    """The strips or tiles of a TIFF, each of which lies within the file.

    Raises `Refusal` when there are fewer than the picture's size and planes demand.
    """
    tags = opened.tag_v2
    starts, lengths = (tuple(tags.get(tag, ())) for tag in _tags(tags))
    rows = _rows_of_parts(tags)
    if len(starts) < len(rows):
        raise damaged(f"TIFF with {len(starts):,} of the {len(rows):,} parts that its size demands")
    starts, lengths = starts[: len(rows)], lengths[: len(rows)]
    if tags.get(COMPRESSION, 1) == 1:
        needed = [count * _bytes_of_row(tags) for count in rows]
        # A single length that is wrong is ignored by decoders, as the next part shows no other.
        if len(rows) > 1 and any(a < b for a, b in zip(lengths, needed, strict=False)):
            raise damaged("TIFF with a part that is shorter than its rows")
        lengths = tuple(needed)
    if len(lengths) != len(rows) or not _inside(starts, lengths, file):
        raise damaged("TIFF whose parts do not fit in the file")
    return [TiffPart(*one) for one in zip(starts, lengths, strict=True)]


def contents(parts: list[TiffPart], file: BinaryIO) -> Iterator[bytes]:
    """Yield what each part holds; the file stands afterwards where it stood."""
    place = file.tell()
    for part in parts:
        file.seek(part.start)
        yield file.read(part.length)
    file.seek(place)


def _tags(tags: Any) -> tuple[int, int]:
    return _TILES if _TILES[0] in tags else _STRIPS


def _rows_of_parts(tags: Any) -> list[int]:
    """How many rows each part holds; tiles are padded to full height."""
    height = int(tags[HEIGHT])
    planes = int(tags.get(SAMPLES, 1)) if tags.get(PLANAR, 1) == 2 else 1
    if _tags(tags) == _TILES:
        across, rows = (int(tags.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_HEIGHT))
        if across < 1 or rows < 1:
            raise damaged("TIFF of tiles without a size")
        count = -(-int(tags[WIDTH]) // across) * -(-height // rows)
        return [rows] * (count * planes)
    rows = min(int(tags.get(_ROWS_PER_STRIP, height)) or height, height)
    return [min(rows, height - top) for top in range(0, height, rows)] * planes


def _bytes_of_row(tags: Any) -> int:
    """Bytes of a row of one part that is not packed."""
    width = int(tags[_TILE_WIDTH if _tags(tags) == _TILES else WIDTH])
    samples = 1 if tags.get(PLANAR, 1) == 2 else int(tags.get(SAMPLES, 1))
    return -(-width * samples * int(tags.get(BITS, (1,))[0]) // 8)


def _inside(starts: tuple[int, ...], lengths: tuple[int, ...], file: BinaryIO) -> bool:
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(place)
    return all(
        start >= _HEADER and start + length <= end
        for start, length in zip(starts, lengths, strict=True)
    )
