"""PNG files: their checksums, and what of them makes the pixels.

A PNG is a row of chunks, each with a checksum. Chunks that make pixels must be there and intact.
All others, such as text and colour profiles, are metadata: they are not handed to the decoder,
which would refuse a picture for them, and what is broken or large in them is only remarked on.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gandetect.data.faults import damaged, unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGE = 1 << 20  # bytes of text or colour profile that are worth a remark
_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_FRAMES = frozenset((b"acTL", b"fcTL", b"fdAT"))  # of an animated PNG, beside those
_ONCE = frozenset((b"IHDR", b"PLTE", b"tRNS", b"acTL"))
_TEXT = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_COMPRESSED = frozenset((b"zTXt", b"iTXt", b"iCCP"))
_ORIENTED = re.compile(rb"XML:com\.adobe\.xmp\0\0|Raw profile type exif\0")  # texts that may tell
_NAME = re.compile(rb"[A-Za-z]{4}")


@dataclass
class PngParts:
    """A PNG without what makes no pixels, and what its header says.

    ``stream`` is a whole PNG of one frame. ``depth`` is in bits a sample, ``colour`` PNG's code of
    the colour type, ``packed`` the data of all IDAT. ``names`` are those of all chunks; ``remarks``
    are on metadata.
    """

    stream: bytes
    depth: int
    colour: int
    width: int = 0
    height: int = 0
    interlaced: bool = False
    packed: bytes = b""
    transparency: bytes | None = None
    frames: int = 1
    names: set[bytes] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    body: memoryview
    whole: memoryview  # with length, name and checksum
    intact: bool


def png_parts(content: bytes) -> PngParts:
    """Check a PNG's chunks, and keep those that make the pixels of its first frame.

    Raises `Refusal` for a file that is cut off, for a wrong checksum of a chunk that makes pixels,
    and for a chunk that a decoder must know and this one does not.
    """
    parts, kept = PngParts(b"", 0, 0), [SIGNATURE]
    seen = parts.names
    end, colours = len(SIGNATURE), 0
    for chunk in _chunks(content):
        end += len(chunk.whole)
        if chunk.name in _ONCE & seen:
            raise damaged(f"PNG with two chunks {chunk.name.decode()}")
        seen.add(chunk.name)
        if _makes_pixels(chunk):
            _note_pixels(parts, chunk)
        if chunk.name == b"PLTE":
            colours = len(chunk.body) // 3
        if chunk.name == b"tRNS" and parts.colour == 3:
            kept.append(_cut(chunk, colours))
        elif chunk.name in _PIXELS:
            kept.append(bytes(chunk.whole))
        elif chunk.name not in _FRAMES:
            told = _tells_orientation(chunk)
            kept += [_mended(chunk)] if told else []
            parts.remarks += _remarks(chunk, told)
    if b"IDAT" not in seen or (parts.colour == 3 and b"PLTE" not in seen):
        raise damaged("PNG without pixels or palette")
    if end < len(content):
        parts.remarks.append(f"has {len(content) - end:,} bytes behind its end")
    parts.stream = b"".join(kept)
    parts.packed = b"".join(one[8:-4] for one in kept if one[4:8] == b"IDAT")
    return parts


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """Yield the chunks up to the last, which must be there."""
    view, start = memoryview(content), len(SIGNATURE)
    while True:
        head = bytes(view[start : start + 8])
        end = start + 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end > len(content):
            raise damaged("PNG without its end, chunk IEND")
        name = head[4:]
        if not _NAME.fullmatch(name):
            raise damaged(f"PNG with a chunk named {name!r}")
        checksum = int.from_bytes(view[end - 4 : end], "big")
        intact = zlib.crc32(view[start + 4 : end - 4]) == checksum
        yield _Chunk(name, view[start + 8 : end - 4], view[start:end], intact)
        if name == b"IEND":
            return
        start = end


def _makes_pixels(chunk: _Chunk) -> bool:
    """Whether pixels depend on a chunk; then it must be intact and known."""
    critical = chunk.name[:1].isupper()
    if not (critical or chunk.name in _PIXELS or chunk.name in _FRAMES):
        return False
    if not chunk.intact:
        raise damaged(f"the checksum of PNG chunk {chunk.name.decode()} is wrong")
    if critical and chunk.name not in _PIXELS:
        raise unsupported(
            f"has a PNG chunk {chunk.name.decode()} that is not known", "save it as plain PNG"
        )
    return True


def _note_pixels(parts: PngParts, chunk: _Chunk) -> None:
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
        parts.frames = int.from_bytes(chunk.body[:4], "big")


def _tells_orientation(chunk: _Chunk) -> bool:
    """Whether metadata may hold an EXIF orientation, and is no burden to the decoder."""
    if len(chunk.body) > LARGE:
        return False
    if chunk.name == b"eXIf":
        return bytes(chunk.body[:2]) in (b"II", b"MM")
    return chunk.name in _TEXT and bool(_ORIENTED.match(chunk.body)) and not _is_large(chunk)


def _cut(chunk: _Chunk, length: int) -> bytes:
    """A chunk without what is behind a length: alpha of colours that a palette does not have."""
    body = bytes(chunk.body[:length])
    checked = chunk.name + body
    return len(body).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")


def _mended(chunk: _Chunk) -> bytes:
    """A chunk with the right checksum: what is left of an orientation is better than none."""
    checksum = zlib.crc32(chunk.whole[4:-4])
    return bytes(chunk.whole[:-4]) + checksum.to_bytes(4, "big")


def _remarks(chunk: _Chunk, told: bool) -> Iterator[str]:
    name = chunk.name.decode()
    if not chunk.intact:
        yield f"metadata {name} is damaged (its checksum is wrong)"
    elif chunk.name == b"eXIf" and not told:
        yield "EXIF cannot be read"
    elif _is_large(chunk):
        yield f"metadata {name} is larger than 1 MB"


def _is_large(chunk: _Chunk) -> bool:
    """Whether metadata is large once it is unpacked, of which no more than needed is."""
    if len(chunk.body) > LARGE:
        return True
    if len(chunk.body) * 1100 < LARGE or chunk.name not in _COMPRESSED:
        return False  # nothing packs better
    try:
        return len(zlib.decompressobj().decompress(_packed(chunk), LARGE + 1)) > LARGE
    except zlib.error:
        return False


def _packed(chunk: _Chunk) -> bytes:
    body = bytes(chunk.body)
    _, _, rest = body.partition(b"\0")
    if chunk.name == b"iTXt":
        return rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\1" else b""
    return rest[1:]
