"""Many small images as one picture, with NumPy and Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from gandetect.errors import UsageError

PAPER = 255
INK = 40


def image_grid(
    images: npt.NDArray[np.uint8],
    columns: int = 8,
    pad: int = 2,
    *,
    scale: int = 1,
    captions: Sequence[str] | None = None,
) -> Image.Image:
    """Lay images out row by row on white paper.

    Args:
        images: `(N, C, H, W)` uint8, C being 1 (grey) or 3 (RGB), N at least 1.
        columns: images in a row; fewer where there are fewer images.
        pad: pixels of paper around each image.
        scale: each pixel becomes a square of so many pixels.
        captions: a short text under each image, N of them.

    Raises `UsageError` for arrays of another shape or type, and for counts that do not match.
    """
    _check(images, columns, captions)
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    height, width = height * scale, width * scale
    size = max(10, width // 6)
    font = ImageFont.load_default(size)
    caption_height = 0 if captions is None else round(size * 1.5)
    step = (height + caption_height + pad, width + pad)
    paper = np.full((rows * step[0] + pad, columns * step[1] + pad, channels), PAPER, np.uint8)
    corners = [(pad + row * step[0], pad + column * step[1])
               for row in range(rows) for column in range(columns)][:n]  # fmt: skip
    for image, (top, left) in zip(images, corners, strict=True):
        pixels = image.transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1)
        paper[top : top + height, left : left + width] = pixels
    picture = Image.fromarray(paper[..., 0] if channels == 1 else paper)
    if captions is not None:
        draw = ImageDraw.Draw(picture)
        ink = INK if channels == 1 else (INK, INK, INK)
        for caption, (top, left) in zip(captions, corners, strict=True):
            place = (left + width / 2, top + height + caption_height / 2)
            draw.text(place, caption, fill=ink, font=font, anchor="mm")
    return picture


def _check(images: npt.NDArray[np.uint8], columns: int, captions: Sequence[str] | None) -> None:
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.dtype != np.uint8:
        raise UsageError(
            f"a grid was asked of an array of shape {images.shape} and type {images.dtype}; "
            "expected (N, C, H, W) uint8 with 1 or 3 channels"
        )
    if len(images) == 0 or columns < 1:
        raise UsageError(f"a grid of {len(images)} images in {columns} columns cannot be drawn")
    if captions is not None and len(captions) != len(images):
        raise UsageError(f"{len(captions)} captions were given for {len(images)} images")
