"""The splits of a data set with classes: real images for training, tests and thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gandetect import runs
from gandetect.data.class_images import ClassImages
from gandetect.data.splits import Splits
from gandetect.data.stored import Images, StoredImages, take
from gandetect.sources.image_sets import ImageSet
from gandetect.sources.pixel_cache import open_pixels

Labels = NDArray[np.int64]

FOLDER = "data"  # of the splits, below the run folder
ROWS, FACTS = "rows.npz", "splits.json"
TRAINING, IN_DISTRIBUTION, HELD_OUT = "training", "in-distribution", "held-out"
CALIBRATION, VALIDATION = "calibration", "validation"


@dataclass(frozen=True)
class SplitSource:
    """A split of the real images: ``real:training``, ``real:in-distribution`` and so on.

    At most the first ``most``, or as many as the split ``as_many_as`` has.
    """

    split: str
    most: int | None = None
    as_many_as: str | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """As the scores name it."""
        return f"real:{self.split}"

    def open(self, run: Path, cache: Path) -> ImageSet:
        """The images of the split, in its order."""
        splits = OpenSplits(run / FOLDER, cache)
        most = splits.count(self.as_many_as) if self.as_many_as else self.most
        images = ImageSet(splits.images(self.split))
        return images if most is None else images.first(most)


class OpenSplits:
    """The splits that a data stage has left in ``folder``, their pixels in ``cache``."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._cache = cache
        self._facts: Mapping[str, Any] = runs.read_json(folder / FACTS)
        with np.load(folder / ROWS, allow_pickle=False) as stored:
            self._rows: dict[str, Labels] = {name: stored[name] for name in stored.files}

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers."""
        return tuple(self._facts["classes"])

    def count(self, split: str) -> int:
        """How many images a split has."""
        return len(self._rows[split])

    def rows(self, split: str) -> Labels:
        """Rows of the file of pixels that are in a split, in its order, ``(N,)``."""
        return self._rows[split]

    @property
    def test_reals(self) -> int:
        """How many real test images there are, in-distribution and held-out."""
        return self.count(IN_DISTRIBUTION) + self.count(HELD_OUT)

    def images(self, *splits: str) -> Images:
        """The images of one split, or of several in order, ``(N, C, H, W) uint8``.

        Of a data set by name they are in memory, of a folder of pictures on the disk.
        """
        part = "test" if splits == (CALIBRATION,) and self._facts["official_test"] else "train"
        rows = np.concatenate([self._rows[name] for name in splits])
        return take(open_pixels(self._cache, self._facts["pixels"], part), rows)

    def labels(self, *splits: str) -> Labels:
        """Class numbers of the images of splits, ``(N,)``."""
        return np.concatenate([self._rows[f"{name} labels"] for name in splits])


def write_rows(file: Path, dataset: ClassImages, splits: Splits) -> None:
    """Keep which rows of the files of pixels are in which split, with labels, for `OpenSplits`."""
    places = {
        TRAINING: splits.train,
        IN_DISTRIBUTION: splits.in_distribution,
        HELD_OUT: splits.held_out,
        CALIBRATION: splits.calibration,
    }
    if len(splits.validation):
        places[VALIDATION] = splits.validation
    images: dict[str, Images] = dict.fromkeys(places, dataset.train_images)
    labels = dict.fromkeys(places, dataset.train_labels)
    if not splits.one_file:
        images[CALIBRATION], labels[CALIBRATION] = dataset.test_images, dataset.test_labels
    stored = {}
    for name, chosen in places.items():
        part = images[name]
        # Pictures that could not be decoded have a row in the file, and none in the data set.
        stored[name] = part.rows[chosen] if isinstance(part, StoredImages) else chosen
        stored[f"{name} labels"] = labels[name][chosen]
    np.savez_compressed(file, allow_pickle=False, **stored)
