"""Small intact images of every format, which the fuzzer breaks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from raw_images import COLOUR, GREY_ALPHA, chunk, png, tiff

ROWS, COLUMNS = np.mgrid[:20, :28]
GREY = (ROWS * 12 + COLUMNS).astype(np.uint8)
RGB = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
DEEP = GREY.astype(np.uint16) * 251
PICTURES = {
    "1": Image.fromarray(GREY > 99), "L": Image.fromarray(GREY), "RGB": Image.fromarray(RGB),
    "P": Image.fromarray(RGB).quantize(32), "CMYK": Image.fromarray(RGB).convert("CMYK"),
    "RGBA": Image.fromarray(np.dstack([RGB, 255 - GREY // 3])), "16": Image.fromarray(DEEP),
}  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """An intact image.

    ``checked`` is the part of the file, from and to, that checksums protect: a change there is
    found, or changes no pixel. None where the format has no checksums.
    """

    name: str
    suffix: str
    content: bytes
    checked: tuple[int, int] | None = None


@cache
def corpus() -> tuple[Seed, ...]:
    """All of them, always the same."""
    return (*_pngs(), *_tiffs(), *_others())


def _saved(mode: str, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    PICTURES[mode].save(stream, form, **options)
    return stream.getvalue()


def _pngs() -> Iterator[Seed]:
    frames = {"save_all": True, "append_images": [PICTURES["L"].rotate(180)]}
    made = {
        **{mode: _saved(mode, "PNG") for mode in ("1", "L", "RGB", "P", "RGBA", "16")},
        "animated": _saved("L", "PNG", **frames),
        "stored": png(GREY, level=0),
        "interlaced": png(GREY, interlaced=True),
        "16-bit colour": png(RGB.astype(np.uint16) * 257, COLOUR, 16),
        "16-bit grey with alpha": png(np.stack([DEEP, DEEP], -1), GREY_ALPHA, 16),
        "tRNS": png(DEEP, depth=16, before=[chunk(b"tRNS", b"\0\0")]),
        "text": png(GREY, before=[chunk(b"tEXt", b"a\0" + b"words " * 30)]),
    }
    for name, content in made.items():
        yield Seed(f"PNG {name}", ".png", content, (0, len(content)))


def _tiffs() -> Iterator[Seed]:
    for mode in PICTURES:
        yield Seed(f"TIFF {mode}", ".tif", _saved(mode, "TIFF"))
    for packing in ("tiff_lzw", "packbits", "zstd", "jpeg"):
        yield Seed(f"TIFF {packing}", ".tif", _saved("L", "TIFF", compression=packing))
    for packing in ("group3", "group4", "tiff_ccitt"):
        yield Seed(f"TIFF {packing}", ".tif", _saved("1", "TIFF", compression=packing))
    for packing in ("tiff_adobe_deflate", "lzma"):
        content = _saved("RGB", "TIFF", compression=packing)
        tags = Image.open(io.BytesIO(content)).tag_v2
        part = tags[273][0], tags[273][0] + tags[279][0]
        yield Seed(f"TIFF {packing}", ".tif", content, part)
    yield Seed("TIFF 12-bit", ".tif", tiff(DEEP >> 4, 12))
    yield Seed(
        "TIFF two", ".tif", _saved("L", "TIFF", save_all=True, append_images=[PICTURES["L"]])
    )


def _others() -> Iterator[Seed]:
    for mode in ("L", "RGB", "CMYK"):
        yield Seed(f"JPEG {mode}", ".jpg", _saved(mode, "JPEG"))
    yield Seed("JPEG progressive", ".jpg", _saved("RGB", "JPEG", progressive=True))
    yield Seed("JPEG restarts", ".jpg", _saved("RGB", "JPEG", restart_marker_rows=1))
    exif = Image.Exif()
    exif[0x0112] = 6
    yield Seed("JPEG EXIF", ".jpg", _saved("RGB", "JPEG", exif=exif))
    yield Seed("MPO", ".mpo", _saved("L", "MPO", save_all=True, append_images=[PICTURES["L"]]))
    for mode in ("L", "P"):
        yield Seed(f"GIF {mode}", ".gif", _saved(mode, "GIF"))
        yield Seed(f"BMP {mode}", ".bmp", _saved(mode, "BMP"))
    yield Seed("DIB", ".dib", _saved("RGB", "DIB"))
    for mode in ("1", "L", "RGB", "16"):
        yield Seed(f"PPM {mode}", ".pnm", _saved(mode, "PPM"))
    yield Seed("PPM plain", ".pgm", b"P2 7 2 99 " + b" 7 88" * 7)
    yield Seed("WEBP", ".webp", _saved("RGB", "WEBP"))
    yield Seed("WEBP lossless", ".webp", _saved("RGBA", "WEBP", lossless=True))
    yield Seed("AVIF", ".avif", _saved("RGB", "AVIF"))
    for mode in ("L", "RGB", "16"):
        yield Seed(f"JPEG2000 {mode}", ".jp2", _saved(mode, "JPEG2000"))
