"""A decoded image file, and what has to be done to it before a detector can look at it.

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
from numpy.typing import NDArray
from PIL import Image

FIRST_FRAME = "first frame"
_SAMPLE = (64, 64)  # pixels, by which most colour pictures are told from grey ones
Fit = Literal["pad", "crop", "stretch"]


@dataclass(frozen=True)
class DecodedPicture:
    """A decoded file.

    ``image`` has 8 bits a channel and is upright. ``format`` and ``mode`` are Pillow's names of
    what the file holds. ``depth`` says what was scaled to 8 bits, as in "16-bit "; ``notes`` what
    else was done, such as an orientation that was obeyed. ``remarks`` are on metadata that are
    broken or large, which changes no pixel.
    """

    image: Image.Image
    format: str
    mode: str
    depth: str = ""
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def picture_from(pixels: NDArray[np.uint8]) -> Image.Image:
    """Pixels ``(C, H, W)`` of one or three channels as a picture."""
    return Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))


def pixels_of(picture: Image.Image) -> NDArray[np.uint8]:
    """A grey or RGB picture as pixels ``(C, H, W)``."""
    pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def conversion_of(
    picture: DecodedPicture, *, channels: int, size: int, fit: Fit, background: int
) -> str:
    """Say what `images.fitted_pixels` does to a picture, as in ``RGB 640x480 to grey 28x28, pad``.

    Empty for no conversion.
    """
    width, height = picture.image.size
    colours = "grey" if channels == 1 else "RGB"
    source = f"{picture.depth}{_colours(picture.image, colours)} {width}x{height}"
    target = f"{colours} {size}x{size}"
    notes: list[str] = [fit] if width != height else []
    if _transparent(picture.image):
        notes.append(f"transparency over {background}")
    notes += picture.notes
    return ", ".join([f"{source} to {target}", *notes]) if notes or source != target else ""


def _colours(image: Image.Image, target: str) -> str:
    """What a user would call the colours, three equal channels being grey for a grey detector."""
    if image.mode in ("1", "L", "LA", "La"):
        return "grey"
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        return image.mode
    return "grey" if target == "grey" and not _coloured(image) else "RGB"


def _coloured(image: Image.Image) -> bool:
    """Whether any pixel's channels differ: by a few pixels if that shows it, else by all."""
    for part in (image.resize(_SAMPLE, Image.Resampling.NEAREST), image):
        red, green, blue, _ = (band.tobytes() for band in part.convert("RGBA").split())
        if not red == green == blue:
            return True
    return False


def _transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    with_alpha = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    return bool((np.asarray(with_alpha.getchannel("A")) < 255).any())
