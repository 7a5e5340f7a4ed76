"""PNG files: their checksums, whether all rows are there, and what of them makes the pixels.

A PNG is a row of chunks, each with a checksum. Chunks that make pixels must be there and intact.
All others, such as text and colour profiles, are metadata: they are not handed to the decoder,
which would refuse a picture for them, and what is broken or large in them is only remarked on.
Pillow looks neither at the checksums of the pixels' chunks nor for rows that are missing.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gandetect.data.faults import damaged, unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGE = 1 << 20  # bytes of text or colour profile that are worth a remark
PALETTE = 3  # PNG's code of the colour type
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_FRAMES = frozenset((b"acTL", b"fcTL", b"fdAT"))  # of an animated PNG, beside those
_ONCE = frozenset((b"IHDR", b"PLTE", b"tRNS", b"acTL"))
_ORIENTED = re.compile(rb"XML:com\.adobe\.xmp\0\0|Raw profile type exif\0")  # texts that may tell
_NAME = re.compile(rb"[A-Za-z]{4}")
_CHANNELS = {0: 1, 2: 3, PALETTE: 1, 4: 2, 6: 4}  # by PNG's code of the colour type
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1))  # fmt: skip
_PIECE = 1 << 22  # bytes that are unpacked at a time


@dataclass
class PngParts:
    """A PNG without what makes no pixels, and what its header says.

    ``stream`` is a whole PNG of one frame. ``depth`` is in bits a sample, ``colour`` PNG's code of
    the colour type, ``packed`` the data of all IDAT. ``names`` are those of all chunks; ``remarks``
    are on metadata.
    """

    stream: bytes = SIGNATURE
    width: int = 0
    height: int = 0
    depth: int = 0
    colour: int = 0
    interlaced: bool = False
    packed: bytes = b""
    transparency: bytes = b""
    names: set[bytes] = field(default_factory=set)
    animated: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    body: memoryview
    intact: bool

    def whole(self, length: int | None = None) -> bytes:
        """With its length, name and the right checksum; its body may be cut to a length."""
        named = self.name + self.body[:length]
        return struct.pack(">I", len(named) - 4) + named + struct.pack(">I", zlib.crc32(named))


def png_parts(content: bytes) -> PngParts:
    """Check a PNG's chunks, and keep those that make the pixels of its first frame.

    Raises `Refusal` for a file that is cut off, for a wrong checksum of a chunk that makes pixels,
    and for a chunk that a decoder must know and this one does not.
    """
    parts, chunks, packed = PngParts(), [SIGNATURE], []
    colours, end = 0, len(SIGNATURE)
    for chunk in _chunks(content):
        end += 12 + len(chunk.body)
        if chunk.name in _ONCE & parts.names:
            raise damaged(f"PNG with two chunks {chunk.name.decode()}")
        parts.names.add(chunk.name)
        if chunk.name == b"PLTE":
            colours = len(chunk.body) // 3
        elif chunk.name == b"IDAT":
            packed.append(chunk.body)
        if _makes_pixels(chunk):
            _note(parts, chunk)
            # Decoders stumble over alpha of colours that a palette does not have.
            surplus = chunk.name == b"tRNS" and parts.colour == PALETTE
            chunks += [chunk.whole(colours if surplus else None)] * (chunk.name in _PIXELS)
        else:
            oriented = _tells_orientation(chunk)  # of a broken one what is left is better than none
            chunks += [chunk.whole()] * oriented
            parts.remarks += _remarks(chunk, oriented)
    if b"IDAT" not in parts.names or (parts.colour == PALETTE and b"PLTE" not in parts.names):
        raise damaged("PNG without pixels or palette")
    if end < len(content):
        parts.remarks.append(f"has {len(content) - end:,} bytes behind its end")
    parts.stream, parts.packed = b"".join(chunks), b"".join(packed)
    return parts


def check_rows(parts: PngParts) -> None:
    """Raise `Refusal` when rows, or the checksum of the packed data, are missing or wrong.

    Call it for images of safe size with a header that a decoder has accepted.
    """
    bits, needed = parts.depth * _CHANNELS[parts.colour], 0
    for top, left, down, right in _ADAM7 if parts.interlaced else ((0, 0, 1, 1),):
        width = max(-(-(parts.width - left) // right), 0)
        height = max(-(-(parts.height - top) // down), 0)
        needed += height * (1 + -(-width * bits // 8)) if width else 0
    try:  # bytes behind the last row change no pixel
        length = unpacked_length(parts.packed, zlib.decompressobj(), needed + LARGE)
    except (zlib.error, EOFError) as error:
        raise damaged(f"packed data of the PNG: {error}") from None
    if length < needed:
        raise damaged(f"PNG with {length:,} of the {needed:,} bytes of its rows")


def unpacked_length(packed: bytes, unpacker: Any, room: int) -> int:
    """The length in bytes of what a `zlib` or `lzma` decompressor makes of data, in little memory.

    Raises `EOFError` for data that end too early or unpack to more than ``room`` bytes, and the
    decompressor's own error for a wrong checksum.
    """
    length = 0
    while not unpacker.eof:
        piece = unpacker.decompress(packed, _PIECE)
        packed = getattr(unpacker, "unconsumed_tail", b"")
        length += len(piece)
        if not (piece or packed or unpacker.eof):
            raise EOFError("it ends too early")
        if length > room:
            raise EOFError("it does not end")
    return length


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the last, which must be there."""
    view, start, name = memoryview(content), len(SIGNATURE), b""
    while name != b"IEND":
        head = bytes(view[start : start + 8])
        end = start + 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end > len(content):
            raise damaged("PNG without its end, chunk IEND")
        name = head[4:]
        if not _NAME.fullmatch(name):
            raise damaged(f"PNG with a chunk named {name!r}")
        checksum = int.from_bytes(view[end - 4 : end], "big")
        intact = zlib.crc32(view[start + 4 : end - 4]) == checksum
        yield _Chunk(name, view[start + 8 : end - 4], intact)
        start = end


def _makes_pixels(chunk: _Chunk) -> bool:
    """Whether pixels depend on a chunk; then it must be intact and known."""
    name, critical = chunk.name.decode(), chunk.name[:1].isupper()
    if not (critical or chunk.name in _PIXELS | _FRAMES):
        return False
    if not chunk.intact:
        raise damaged(f"the checksum of PNG chunk {name} is wrong")
    if critical and chunk.name not in _PIXELS:
        raise unsupported(f"has a PNG chunk {name} that is not known", "save it as plain PNG")
    return True


def _note(parts: PngParts, chunk: _Chunk) -> None:
    """Note what a header, a transparent colour or a count of frames says."""
    if chunk.name == b"IHDR":
        if len(chunk.body) != 13:
            raise damaged("PNG without a whole header")
        parts.width, parts.height, parts.depth, parts.colour, *_, interlaced = struct.unpack(
            ">IIBBBBB", chunk.body
        )
        parts.interlaced = bool(interlaced)
    elif chunk.name == b"tRNS":
        parts.transparency = bytes(chunk.body)
    elif chunk.name == b"acTL":
        parts.animated = int.from_bytes(chunk.body[:4], "big") > 1


def _tells_orientation(chunk: _Chunk) -> bool:
    """Whether metadata may hold an EXIF orientation, and is no burden to the decoder."""
    if chunk.name == b"eXIf":
        return bytes(chunk.body[:2]) in (b"II", b"MM") and len(chunk.body) <= LARGE
    text = chunk.name in (b"tEXt", b"zTXt", b"iTXt")
    return text and bool(_ORIENTED.match(chunk.body)) and not _is_large(chunk)


def _remarks(chunk: _Chunk, oriented: bool) -> Iterator[str]:
    name = chunk.name.decode()
    if not chunk.intact:
        yield f"metadata {name} is damaged (its checksum is wrong)"
    elif chunk.name == b"eXIf" and not oriented:
        yield "EXIF cannot be read"
    elif _is_large(chunk):
        yield f"metadata {name} is larger than 1 MB"


def _is_large(chunk: _Chunk) -> bool:
    """Whether metadata is large once it is unpacked, of which no more than needed is."""
    if len(chunk.body) > LARGE:
        return True
    if len(chunk.body) * 1100 < LARGE or chunk.name not in (b"zTXt", b"iTXt", b"iCCP"):
        return False  # nothing packs better
    rest = bytes(chunk.body).partition(b"\0")[2][1:]
    if chunk.name == b"iTXt":  # a flag, a method, a language and a keyword in it
        rest = rest[1:].split(b"\0", 2)[-1]
    try:
        return len(zlib.decompressobj().decompress(rest, LARGE + 1)) > LARGE
    except zlib.error:  # no packed data
        return False
