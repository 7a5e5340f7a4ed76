"""Data sets of small images by name, in the shape that an experiment asks for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandetect.config import DATA_SETS, SmallSetConfig
from gandetect.config.data_set import Notify
from gandetect.data.class_images import ClassImages
from gandetect.data.picture import picture_from, pixels_of


def load_small_set(config: SmallSetConfig, data_dir: Path, notify: Notify) -> ClassImages:
    """Load a set in the shape that ``config`` asks for, from the data folder or by download.

    Images are converted and resized (Lanczos) only where the set's own shape is another. Raises
    `DataError` when the set is not there and cannot be had.
    """
    data_set = DATA_SETS[config.name]
    parts = [
        (_shaped(images, *config.shape), labels)
        for images, labels in data_set.read(data_dir, notify)
    ]
    digest = hashlib.sha256()
    for images, labels in parts:
        digest.update(repr(images.shape).encode() + images.tobytes() + labels.tobytes())
    return ClassImages(*parts[0], *parts[1], data_set.classes, digest.hexdigest())


def _shaped(images: NDArray[np.uint8], channels: int, side: int) -> NDArray[np.uint8]:
    """Images ``(N, C, H, W)`` as ``(N, channels, side, side)``."""
    if images.shape[1:] == (channels, side, side):
        return np.ascontiguousarray(images)
    mode = "L" if channels == 1 else "RGB"
    shaped = np.empty((len(images), channels, side, side), np.uint8)
    for place, image in enumerate(images):
        picture = picture_from(image).convert(mode)
        if picture.size != (side, side):
            picture = picture.resize((side, side), Image.Resampling.LANCZOS)
        shaped[place] = pixels_of(picture)
    return shaped
