"""Image files written byte by byte: what Pillow cannot write, and files to be damaged."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip


def chunk(name: bytes, body: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    samples: NDArray[np.unsignedinteger],
    colour: int = GREY,
    depth: int = 8,
    *,
    before: Sequence[bytes] = (),
    behind: Sequence[bytes] = (),
    level: int = 9,
    interlaced: bool = False,
) -> bytes:
    """A PNG of samples ``(H, W)`` or ``(H, W, C)``, with chunks before and behind its pixels."""
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [samples[top::down, left::right] for top, left, down, right in passes]
    data = b"".join(b"\0" + row for part in parts if part.size for row in _rows(part, depth))
    pixels = chunk(b"IDAT", zlib.compress(data, level))
    end = chunk(b"IEND", b"")
    return b"".join([SIGNATURE, chunk(b"IHDR", head), *before, pixels, *behind, end])


def _rows(samples: NDArray[np.unsignedinteger], depth: int) -> Iterator[bytes]:
    for row in samples.reshape(len(samples), -1):
        if depth == 16:
            yield row.astype(">u2").tobytes()
        elif depth == 8:
            yield row.astype(np.uint8).tobytes()
        else:
            bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, -depth:]
            yield np.packbits(bits.ravel()).tobytes()


def tiff(samples: NDArray[np.unsignedinteger], bits: int, **tags: int) -> bytes:
    """A little-endian, uncompressed TIFF of one strip; tags by number, as ``t262=1``, 0 for none.

    PhotometricInterpretation is "black is zero" unless told otherwise.
    """
    height, width = samples.shape[:2]
    count = 1 if samples.ndim == 2 else samples.shape[2]
    if bits == 12:
        wide = np.unpackbits(samples.astype(">u2").reshape(height, -1).view(np.uint8), axis=1)
        data = np.packbits(wide.reshape(height, -1, 16)[:, :, 4:].reshape(height, -1), axis=1)
    else:
        data = samples.astype({1: "u1", 8: "u1", 16: "<u2", 32: "<u4"}[bits])
    entries: dict[int, int | None] = {256: width, 257: height, 258: bits, 259: 1, 262: 1}
    entries |= {273: 0, 277: count, 278: height, 279: data.nbytes}
    entries |= {int(name[1:]): value for name, value in tags.items()}
    kept = sorted((tag, value) for tag, value in entries.items() if value is not None)
    start = 8 + 2 + 12 * len(kept) + 4
    lines = [struct.pack("<HHII", tag, 4, 1, start if tag == 273 else v) for tag, v in kept]
    head = b"II*\0" + struct.pack("<IH", 8, len(kept)) + b"".join(lines) + b"\0" * 4
    return head + data.tobytes()
