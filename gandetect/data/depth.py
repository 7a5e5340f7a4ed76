"""Samples of more than 8 bits, cut to 8 by what a file's header says of them, never by values."""

from __future__ import annotations

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


def eight_bits_of_range(samples: NDArray[Any], low: float, high: float) -> Pixels:
    """Scale samples of a stated range to 0 to 255, rounded; `Refusal` for any outside of it."""
    values = samples.astype(np.float64)
    if not (values >= low).all() or not (values <= high).all():  # and for what is no number
        raise unsupported(f"has samples outside of the range {low:g} to {high:g} that it states")
    return ((values - low) / (high - low) * 255).round().astype(np.uint8)


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


def grey_and_alpha_of_16_bits(opened: Image.Image) -> NDArray[np.uint16]:
    """Decode a PNG of 16-bit grey with alpha ``(H, W, 2)``, its 4 bytes a pixel read as RGBA."""
    opened_file: Any = opened
    opened_file.tile = [tile._replace(args="RGBA") for tile in opened_file.tile]
    opened.load()
    pixels = np.asarray(opened).astype(np.uint16)
    return pixels[..., 0::2] * 256 + pixels[..., 1::2]


def highest_sample(file: BinaryIO, opened: Image.Image) -> int:
    """The highest value of a sample by the file's header; 255 where the format has no other.

    Call it before the pixels are decoded. 0 stands for a file that does not say it.
    """
    if opened.format == "PPM":
        return _highest_of_ppm(opened)
    if opened.format == "JPEG2000":
        return (1 << _bits_of_jpeg2000(_first_bytes(file))) - 1
    if opened.format == "AVIF":
        place = _first_bytes(file).find(b"av1C")
        flags = _first_bytes(file)[place + 6 : place + 7] if place >= 0 else b"\0"
        deep = bool(flags[0] & 0x40)  # high_bitdepth and twelve_bit of AV1's configuration
        return (1 << ((12 if flags[0] & 0x20 else 10) if deep else 8)) - 1
    return 255


def _highest_of_ppm(opened: Image.Image) -> int:
    """The maxval of a PGM or PPM, which Pillow keeps with what is to be decoded."""
    for tile in getattr(opened, "tile", ()):
        arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        for one in arguments:
            if isinstance(one, str) and ";16" in one:
                return 65535
            if isinstance(one, int) and tile.codec_name in ("ppm", "ppm_plain"):
                return one
    return 255 if opened.mode[0] not in "IF" else 0


def _bits_of_jpeg2000(start: bytes) -> int:
    """The precision of the first component, in the codestream's marker SIZ (ITU-T T.800)."""
    place = start.find(b"\xff\x4f\xff\x51")
    stated = start[place + 42 : place + 43]
    if place < 0 or not stated:
        return 8
    if stated[0] & 0x80:
        raise unsupported("is a JPEG 2000 image of signed samples")
    return stated[0] + 1


def _first_bytes(file: BinaryIO) -> bytes:
    place = file.tell()
    file.seek(0)
    start = file.read(65536)
    file.seek(place)
    return start


def picture_of(pixels: Pixels, mode: str) -> Image.Image:
    """A picture of ``(H, W)`` or ``(H, W, C)``."""
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


def _half(opened: Image.Image, swap: bool) -> Pixels:
    opened_file: Any = opened
    opened_file.tile = [_told(tile, swap) for tile in opened_file.tile]
    opened.load()
    return np.asarray(opened)


def _told(tile: Any, swap: bool) -> Any:
    """What is to be decoded, with the bytes of a sample swapped."""
    raw, *rest = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    raw = raw.replace("RGBa", "RGBA")  # as stored; dividing by alpha comes later, on 16 bits
    raw = raw[:-1] + _SWAPPED[raw[-1]] if swap else raw
    return tile._replace(args=(raw, *rest) if isinstance(tile.args, tuple) else raw)
