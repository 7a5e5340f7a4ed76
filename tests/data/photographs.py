"""Real photographs that packages bundle, cut into patches: small data sets for tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage import data
from sklearn.datasets import load_sample_images

PATCH = 96


@cache
def patches() -> list[NDArray[np.uint8]]:
    """Some ninety patches ``(96, 96, 3) uint8`` of eight photographs; no two are alike."""
    photographs = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    photographs += [data.retina(), data.immunohistochemistry(), *load_sample_images().images]
    return [
        np.ascontiguousarray(photograph[top : top + PATCH, left : left + PATCH])
        for photograph in photographs
        for top in range(96, photograph.shape[0] - PATCH, 128)
        for left in range(96, photograph.shape[1] - PATCH, 160)
    ]


def save_two_classes(
    folder: Path, count: int, *, form: str = "jpg", splits: tuple[str, ...] = ("",)
) -> list[Path]:
    """Save patches as class ``real`` and blurred ones as ``fake``, by one pipeline.

    Returns the files, ``count`` for each class of each split, relative to the folder.
    """
    pictures = iter(patches())
    saved = []
    for split in splits:
        for name in ("real", "fake"):
            (folder / split / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                picture = Image.fromarray(next(pictures))
                if name == "fake":
                    picture = picture.filter(ImageFilter.GaussianBlur(1))
                path = Path(split, name, f"{number:03}.{form}")
                picture.save(folder / path)
                saved.append(path)
    return saved
