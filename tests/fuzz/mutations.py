"""Ways to break a file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

Random = np.random.Generator
Mutation = Callable[[bytearray, Random], bytearray]
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


def _place(content: bytearray, rng: Random) -> int:
    """A place anywhere, or as often among the first bytes, which say what the rest is."""
    first = rng.random() < 0.5
    return int(rng.integers(0, max(1, min(len(content), 64) if first else len(content))))


def flip(content: bytearray, rng: Random) -> bytearray:
    """Flip one bit."""
    if content:
        content[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return content


def overwrite(content: bytearray, rng: Random) -> bytearray:
    """Put random bytes in the place of others."""
    start, length = _place(content, rng), int(rng.integers(1, 9))
    part = content[start : start + length]
    content[start : start + length] = rng.bytes(len(part))
    return content


def zero(content: bytearray, rng: Random) -> bytearray:
    """Put zeros in the place of bytes, as where a download was never finished."""
    start, length = _place(content, rng), int(rng.integers(1, 200))
    content[start : start + length] = bytes(len(content[start : start + length]))
    return content


def number(content: bytearray, rng: Random) -> bytearray:
    """Put an extreme number in the place of another."""
    form = ("<H", ">H", "<I", ">I")[rng.integers(4)]
    size = struct.calcsize(form)
    start = _place(content, rng)
    if start + size <= len(content):
        value = _NUMBERS[rng.integers(len(_NUMBERS))] & ((1 << 8 * size) - 1)
        content[start : start + size] = struct.pack(form, value)
    return content


def cut(content: bytearray, rng: Random) -> bytearray:
    """Cut off the end."""
    return content[: int(rng.integers(0, len(content) + 1))]


def delete(content: bytearray, rng: Random) -> bytearray:
    """Take bytes out."""
    start = _place(content, rng)
    del content[start : start + int(rng.integers(1, 40))]
    return content


def insert(content: bytearray, rng: Random) -> bytearray:
    """Put random bytes between others."""
    start = _place(content, rng)
    content[start:start] = rng.bytes(int(rng.integers(1, 40)))
    return content


def repeat(content: bytearray, rng: Random) -> bytearray:
    """Put bytes in twice."""
    start = _place(content, rng)
    content[start:start] = content[start : start + int(rng.integers(1, 80))]
    return content


def append(content: bytearray, rng: Random) -> bytearray:
    """Put bytes behind the end."""
    return content + rng.bytes(int(rng.integers(1, 80)))


SAME_LENGTH: tuple[Mutation, ...] = (flip, overwrite, zero, number)
ALL: tuple[Mutation, ...] = (*SAME_LENGTH, cut, delete, insert, repeat, append)


def with_right_checksums(content: bytes) -> bytes:
    """A PNG with all checksums mended, so that what is broken reaches the decoder."""
    mended, start = bytearray(content), 8
    while start + 12 <= len(mended):
        end = start + 12 + int.from_bytes(mended[start : start + 4], "big")
        if end > len(mended):
            break
        checksum = zlib.crc32(mended[start + 4 : end - 4])
        mended[end - 4 : end] = struct.pack(">I", checksum)
        start = end
    return bytes(mended)
