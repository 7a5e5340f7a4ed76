"""Packed data unpacked in little memory, to see whether they are whole."""

from __future__ import annotations

from typing import Any

_PIECE = 1 << 20  # bytes that are unpacked at a time
_FED = 1 << 16  # bytes that are handed over at a time, as what is left of them is copied


def unpacked_length(packed: bytes, unpacker: Any, room: int) -> int:
    """The length in bytes of what a `zlib` or `lzma` decompressor makes of data.

    Raises `EOFError` for data that end too early or unpack to more than ``room`` bytes, and the
    decompressor's own error for a wrong checksum.
    """
    view, length, rest = memoryview(packed), 0, b""
    while not unpacker.eof:
        fed: bytes | memoryview = rest
        if not rest and getattr(unpacker, "needs_input", True):
            fed, view = view[:_FED], view[_FED:]
        piece = unpacker.decompress(fed, _PIECE)
        rest = getattr(unpacker, "unconsumed_tail", b"")
        length += len(piece)
        if not (piece or fed or unpacker.eof):
            raise EOFError("it ends too early")
        if length > room:
            raise EOFError("it does not end")
    return length
