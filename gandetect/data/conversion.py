"""What has to be done to a picture before a detector can look at it, in a short text.

A conversion is whatever makes the pixels that a network sees others than the file's own: another
size, colours turned to grey, transparency laid over a background, 16 bits cut to 8, an orientation
obeyed, further frames left out. Three equal channels given to a grey detector are that grey picture
itself, and a palette's colours are RGB: neither is a conversion. A grey file given to a colour
detector is one, though nothing is lost: such a detector knows pictures in colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from gandetect.data.picture import Picture

LOOKED_AT = (64, 64)  # pixels, by which most colour pictures are told from grey ones


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
    picture: Picture,
    *,
    channels: int,
    size: int,
    fit: Literal["pad", "crop", "stretch"],
    background: int,
) -> Conversion:
    """Say what reading and `images.fitted_pixels` do to a picture, which is left as it is."""
    width, height = picture.image.size
    target = "grey" if channels == 1 else "RGB"
    source = f"{picture.depth}{_colour(picture.image, target)} {width}x{height}"
    notes: list[str] = [fit] if width != height else []
    if _transparent(picture.image):
        notes.append(f"transparency over {background}")
    return Conversion(source, f"{target} {size}x{size}", (*notes, *picture.notes))


def _colour(image: Image.Image, target: str) -> str:
    """What a user would call the colours, three equal channels being grey for a grey detector."""
    if image.mode in ("1", "L", "LA", "La"):
        return "grey"
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        return image.mode
    if target == "grey" and not _coloured(image):
        return "grey"
    return "RGB"


def _coloured(image: Image.Image) -> bool:
    """Whether any pixel's channels differ: by a few pixels if that shows it, else by all."""
    return any(
        np.ptp(np.asarray(part.convert("RGBA"))[..., :3], axis=2).any()
        for part in (image.resize(LOOKED_AT, Image.Resampling.NEAREST), image)
    )


def _transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    with_alpha = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    return bool((np.asarray(with_alpha.getchannel("A")) < 255).any())
