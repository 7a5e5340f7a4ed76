"""Whether a PNG's packed data hold every row of its pixels.

Decoders paint rows that are missing black, and do not read the checksum behind the last one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from gandetect.data.faults import damaged
from gandetect.data.png import PngParts
from gandetect.data.unpacking import unpacked_length

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's code of the colour type
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip
_SURPLUS = 1 << 20  # bytes behind the last row, which change no pixel


def check_rows(parts: PngParts) -> None:
    """Raise `Refusal` when rows, or the checksum of the packed data, are missing or wrong.

    Call it for images of safe size with a header that a decoder has accepted.
    """
    needed = sum(_sizes(parts))
    try:
        length = unpacked_length(parts.packed, zlib.decompressobj(), needed + _SURPLUS)
    except (zlib.error, EOFError) as error:
        raise damaged(f"packed data of the PNG: {error}") from None
    if length < needed:
        raise damaged(f"PNG with {length:,} of the {needed:,} bytes of its rows")


def _sizes(parts: PngParts) -> Iterator[int]:
    """Bytes of each pass: one, or the seven of an interlaced PNG."""
    bits = parts.depth * _CHANNELS[parts.colour]
    for top, left, down, right in _ADAM7 if parts.interlaced else ((0, 0, 1, 1),):
        width = max(-(-(parts.width - left) // right), 0)
        height = max(-(-(parts.height - top) // down), 0)
        yield height * (1 + -(-width * bits // 8)) if width else 0
