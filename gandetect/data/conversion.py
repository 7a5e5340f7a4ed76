"""What has to be done to a picture before a detector can look at it, in a short text.

A conversion is whatever makes the pixels that a network sees others than the file's own: another
size, colours turned to grey, transparency laid over a background, 16 bits cut to 8, an EXIF
orientation obeyed, further frames left out. Three equal channels given to a grey detector are
that grey picture itself, and a palette's colours are RGB: neither is a conversion. A grey file
given to a colour detector is one, though nothing is lost: such a detector knows pictures in colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

SIXTEEN_BIT = "samples of 16 bits"  # in a picture's `info`, noted before Pillow cuts them to 8
LOOKED_AT = (64, 64)  # pixels, by which most colour pictures are told from grey ones
_ORIENTATION = 0x0112
_DEEP = {"I;16": "16-bit ", "F": "float "}


@dataclass(frozen=True)
class Conversion:
    """From what, to what, and what else was done: all that a user of a detector should know."""

    source: str  # as in "16-bit RGB 640x480", upright
    target: str  # as in "grey 28x28"
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the text, as in ``RGB 640x480 to grey 28x28, pad``; empty for no conversion."""
        if self.source == self.target and not self.notes:
            return ""
        return ", ".join([f"{self.source} to {self.target}", *self.notes])


def conversion_of(
    opened: Image.Image,
    *,
    channels: int,
    size: int,
    fit: Literal["pad", "crop", "stretch"],
    background: int,
) -> Conversion:
    """Say what `images.fitted_pixels` does to a decoded picture, which is left as it is.

    Call it after that one: to look for further frames may move a file's pointer.
    """
    orientation = opened.getexif().get(_ORIENTATION, 1)
    width, height = upright_size(opened)
    target = "grey" if channels == 1 else "RGB"
    source = f"{_depth(opened)}{_colour(opened, target)} {width}x{height}"
    notes: list[str] = []
    if width != height:
        notes.append(fit)
    if _transparent(opened):
        notes.append(f"transparency over {background}")
    if orientation in range(2, 9):
        notes.append("EXIF orientation")
    if _has_more_frames(opened):
        notes.append("first frame")
    return Conversion(source, f"{target} {size}x{size}", tuple(notes))


def upright_size(opened: Image.Image) -> tuple[int, int]:
    """Width and height once a picture is turned as its EXIF orientation says."""
    turned = opened.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)  # by a quarter, either way
    return (opened.height, opened.width) if turned else (opened.width, opened.height)


def note_depth(opened: Image.Image) -> None:
    """Note, before the pixels are decoded, whether there are more than 8 bits a channel."""
    for tile in getattr(opened, "tile", ()):
        # Raw modes as "RGB;16B"; Pillow's own reader of PPM is told the highest value.
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if any(";16" in one if isinstance(one, str) else _deep_ppm(tile, one) for one in arguments):
            opened.info[SIXTEEN_BIT] = True


def _deep_ppm(tile: tuple[object, ...], argument: object) -> bool:
    return tile[0] in ("ppm", "ppm_plain") and isinstance(argument, int) and argument > 255


def _depth(opened: Image.Image) -> str:
    if opened.mode == "I":
        return "16-bit " if opened.format in ("PNG", "PPM") else "32-bit "
    known = _DEEP.get(opened.mode[:4], "")
    return known or ("16-bit " if SIXTEEN_BIT in opened.info else "")


def _colour(opened: Image.Image, target: str) -> str:
    """What a user would call the colours, three equal channels being grey for a grey detector."""
    if opened.mode[0] in "1IF" or opened.mode in ("L", "LA", "La"):
        return "grey"
    if opened.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        return opened.mode
    if target == "grey" and not _coloured(opened):
        return "grey"
    return "RGB"


def _coloured(opened: Image.Image) -> bool:
    """Whether any pixel's channels differ: by a few pixels if that shows it, else by all."""
    return any(
        np.ptp(np.asarray(part.convert("RGB")), axis=2).any()
        for part in (opened.resize(LOOKED_AT, Image.Resampling.NEAREST), opened)
    )


def _transparent(opened: Image.Image) -> bool:
    if opened.mode[0] in "IF" or not opened.has_transparency_data:
        return False
    with_alpha = opened if opened.mode in ("LA", "RGBA") else opened.convert("RGBA")
    return bool((np.asarray(with_alpha.getchannel("A")) < 255).any())


def _has_more_frames(opened: Image.Image) -> bool:
    try:
        return bool(getattr(opened, "is_animated", False))
    except Exception:  # a damaged second frame is none, and no reason to refuse the first
        return False
