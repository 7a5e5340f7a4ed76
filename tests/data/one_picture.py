"""One picture in grey, in colour and with 16 bits, and how it is written and read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.streaming import Decoded, DecodeOptions, decode

ROWS, COLUMNS = np.mgrid[:28, :28]
GREY = (ROWS * 9 + COLUMNS).astype(np.uint8)  # all values, no symmetry
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
ALPHA = (255 - GREY // 3).astype(np.uint8)
DEEP = (np.random.default_rng(0).permutation(28 * 28) * 83).astype(np.uint16).reshape(28, 28)
DEEP_COLOUR = np.stack([DEEP, 65535 - DEEP, DEEP // 2], axis=-1)
TO_GREY = DecodeOptions(channels=1, size=28, fit="pad", background=0)
TO_COLOUR = DecodeOptions(channels=3, size=28, fit="pad", background=200)
NAME = Path("a")


def read(content: bytes, options: DecodeOptions = TO_GREY) -> Decoded:
    return decode(NAME, options, content)


def saved(picture: NDArray[Any] | Image.Image, form: str, **options: Any) -> bytes:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def eight(samples: NDArray[Any], highest: int = 65535) -> NDArray[np.uint8]:
    return np.rint(samples.astype(float) * 255 / highest).astype(np.uint8)


def over(background: int, colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.float64]:
    """Colours laid over a background; both are ``(..., )`` of 0 to 255."""
    return background + (colours.astype(float) - background) * alpha / 255
