"""A data set in one file: tiles of the two photographs that scikit-learn bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gandetect.config import DataSet
from gandetect.config.data_set import Notify, Parts

SIDE = 32
CLASSES = ("temple, above", "temple, below", "flower, above", "flower, below")


def _read(data_dir: Path, notify: Notify) -> Parts:
    """Tiles ``(N, 3, 32, 32)``, the two halves of each photograph a class each."""
    from sklearn.datasets import load_sample_images

    halves = [half for photo in load_sample_images().images for half in np.array_split(photo, 2)]
    tiles = [_tiles(half) for half in halves]
    labels = np.repeat(np.arange(len(tiles)), [len(part) for part in tiles])
    images = np.concatenate(tiles)
    return (images, labels), (images[:0], labels[:0])  # no official test file


def _tiles(photo: np.ndarray) -> np.ndarray:
    down, across = photo.shape[0] // SIDE, photo.shape[1] // SIDE
    cut = photo[: down * SIDE, : across * SIDE].reshape(down, SIDE, across, SIDE, 3)
    return cut.transpose(0, 2, 4, 1, 3).reshape(-1, 3, SIDE, SIDE)


TILES = DataSet((3, SIDE), CLASSES, _read, at_least=300)
