"""Pixels to be written to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gandetect.data.images import read_image
from gandetect.errors import DataError

Pixels = NDArray[np.uint8]


def grey_picture() -> Pixels:
    """A picture with every value: 28 x 28, no symmetry."""
    return (np.arange(784) * 7 % 256).astype(np.uint8).reshape(28, 28)


def save(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def flat(mode: str, color: object, size: tuple[int, int] = (28, 28)) -> Image.Image:
    return Image.new(mode, size, color)  # type: ignore[arg-type]


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(repr(str(path)))
    assert "\n" not in message
    return message.removeprefix(repr(str(path))).strip()
