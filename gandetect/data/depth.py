"""Samples of more than 8 bits, cut to 8 by what a file's header says of them, never by values."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.faults import unsupported

Pixels = NDArray[np.uint8]
_ROWS = 64  # that are scaled at a time
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_COMMENT = re.compile(rb"#[^\r\n]*")


def eight_bits(samples: NDArray[Any], highest: int) -> Pixels:
    """Scale samples of 0 to ``highest`` to 0 to 255, rounded: 16 bits by 1/257.

    >>> eight_bits(np.array([0, 128, 129, 65535]), 65535).tolist()
    [0, 0, 1, 255]
    """
    scaled = np.empty(samples.shape, np.uint8)
    for start in range(0, len(samples), _ROWS):  # in little memory
        part = samples[start : start + _ROWS].astype(np.uint32)
        scaled[start : start + _ROWS] = (part * 255 + highest // 2) // highest
    return scaled


def picture_of(pixels: Pixels, mode: str) -> Image.Image:
    """A picture of ``(H, W)`` or ``(H, W, C)``."""
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


def sixteen_bit_channels(open_again: Callable[[], Image.Image]) -> NDArray[np.uint16]:
    """Decode a picture of 16-bit colour ``(H, W, C)`` in full, of which Pillow keeps the high half.

    It is decoded twice: told that the bytes of a sample stand the other way round, Pillow keeps
    the low half.
    """
    high, low = (_half(open_again(), swap) for swap in (False, True))
    channels = high.astype(np.uint16)
    channels <<= 8
    channels |= low
    return channels


def _half(opened: Any, swap: bool) -> Pixels:
    tiles = []
    for tile in opened.tile:
        raw, *rest = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        raw = raw.replace("RGBa", "RGBA")  # as stored; dividing by alpha comes later, on 16 bits
        raw = raw[:-1] + _SWAPPED[raw[-1]] if swap else raw
        tiles.append(tile._replace(args=(raw, *rest) if rest else raw))
    opened.tile = tiles
    opened.load()
    return np.asarray(opened)


def grey_and_alpha_of_16_bits(opened: Any) -> NDArray[np.uint16]:
    """Decode a PNG of 16-bit grey with alpha ``(H, W, 2)``, its 4 bytes a pixel read as RGBA."""
    opened.tile = [tile._replace(args="RGBA") for tile in opened.tile]
    opened.load()
    pixels = np.asarray(opened).astype(np.uint16)
    return pixels[..., 0::2] * 256 + pixels[..., 1::2]


def highest_sample(file: BinaryIO, opened: Image.Image) -> int:
    """The highest value of a sample by the file's header; 255 where the format has no other.

    Call it before the pixels are decoded. 0 stands for a file that does not say it. Raises
    `Refusal` for a PGM or PPM with a sample above that, which Pillow would cut.
    """
    if opened.format == "PPM":
        highest = _highest_of_ppm(opened)
        _refuse_overshoot(file, opened, highest)
        return highest
    if opened.format not in ("JPEG2000", "AVIF"):
        return 255
    place = file.tell()
    file.seek(0)
    start = file.read(65536)
    file.seek(place)
    bits = _bits_of_jpeg2000(start) if opened.format == "JPEG2000" else _bits_of_avif(start)
    return (1 << bits) - 1


def _bits_of_avif(start: bytes) -> int:
    """By high_bitdepth and twelve_bit of AV1's configuration."""
    place = start.find(b"av1C")
    flags = start[place + 6] if 0 <= place < len(start) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


def _bits_of_jpeg2000(start: bytes) -> int:
    """The precision of the first component, in the codestream's marker SIZ (ITU-T T.800)."""
    place = start.find(b"\xff\x4f\xff\x51")
    stated = start[place + 42 : place + 43]
    if place < 0 or not stated:
        return 8
    if stated[0] & 0x80:
        raise unsupported("is a JPEG 2000 image of signed samples")
    return stated[0] + 1


def _highest_of_ppm(opened: Image.Image) -> int:
    """The maxval of a PGM or PPM, which Pillow keeps with what is to be decoded."""
    for tile in getattr(opened, "tile", ()):
        for one in tile.args if isinstance(tile.args, tuple) else (tile.args,):
            if isinstance(one, str) and ";16" in one:
                return 65535
            if isinstance(one, int) and tile.codec_name in ("ppm", "ppm_plain"):
                return one
    return 255 if opened.mode[0] not in "IF" else 0


def _refuse_overshoot(file: BinaryIO, opened: Any, highest: int) -> None:
    if opened.mode in ("1", "F"):
        return
    place, tile = file.tell(), opened.tile[0]
    file.seek(tile.offset)
    count = opened.width * opened.height * len(opened.getbands())
    if tile.codec_name == "ppm_plain":  # words that are no numbers are left to the decoder
        words = _COMMENT.sub(b" ", file.read()).split()[:count]
        samples = np.array([int(word) for word in words if word.isdigit() and len(word) < 11])
    else:
        wide = 1 + (highest > 255)
        data = file.read(count * wide)
        samples = np.frombuffer(data[: len(data) // wide * wide], f">u{wide}")
    file.seek(place)
    if samples.max(initial=0) > highest:
        raise unsupported(f"has samples above the {highest:,} that it states as the highest value")
