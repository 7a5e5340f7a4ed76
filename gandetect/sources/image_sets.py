"""What every source is, and what it becomes when it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gandetect.data.stored import Images, StackedImages
from gandetect.randomness import stream

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class ImageSet:
    """Images of one kind: an array ``(N, C, H, W) uint8`` or its file, and which of them count.

    ``rows`` are the images, ``copies`` which fixed augmented copy of each (0: the image as it is),
    ``index`` what the scores call them; all ``(M,)``, and left out they are all images in order.
    """

    images: Images | Path
    rows: Indices | None = None
    copies: Indices | None = None
    index: Indices | None = None

    def __len__(self) -> int:
        return len(self.array()) if self.rows is None else len(self.rows)

    def array(self) -> Images:
        """The images themselves; a file is mapped into memory, not read."""
        if not isinstance(self.images, Path):
            return self.images
        mapped: NDArray[np.uint8] = np.load(self.images, mmap_mode="r", allow_pickle=False)
        return mapped

    def pixels(self, places: Indices | slice = slice(None)) -> NDArray[np.uint8]:
        """Its images, or those at some places among them ``(K,)``, read into memory."""
        return np.asarray(self.array()[self.all_rows()[places]])

    def indices(self) -> Indices:
        """What the scores call each image, ``(M,)``."""
        return np.arange(len(self)) if self.index is None else self.index

    def first(self, most: int) -> ImageSet:
        """The same images, cut to so many."""
        cut = [None if part is None else part[:most] for part in (self.copies, self.index)]
        return ImageSet(self.images, self.all_rows()[:most], *cut)

    def sample(self, most: int) -> ImageSet:
        """At most so many of its images as they are, drawn by a fixed seed, in their order."""
        originals = (
            np.arange(len(self)) if self.copies is None else np.flatnonzero(self.copies == 0)
        )
        chosen = np.sort(stream(0, "sample").permutation(originals)[:most])
        return ImageSet(self.images, self.all_rows()[chosen], index=self.indices()[chosen])

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """``(count, C, H, W)`` of them in random order; where there are fewer they come again."""
        order = rng.permutation(self.all_rows())
        return np.asarray(self.array()[np.resize(order, count)])

    def all_rows(self) -> Indices:
        """Rows of `array` that count, ``(M,)``."""
        return np.arange(len(self.array())) if self.rows is None else self.rows


def joined(parts: Sequence[ImageSet]) -> ImageSet:
    """Several sets of one size as one, whose images are called by their places in it."""
    if len(parts) == 1:
        return parts[0]
    arrays = StackedImages([one.array() for one in parts])
    rows = [one.all_rows() + start for one, start in zip(parts, arrays.starts, strict=False)]
    copies = [np.zeros(len(one), np.int64) if one.copies is None else one.copies for one in parts]
    return ImageSet(arrays, np.concatenate(rows), np.concatenate(copies))


class Source(Protocol):
    """A named group of images, real or generated; picklable, small, and part of a digest.

    A kind of source is a frozen dataclass in a file of its own.
    """

    @property
    def name(self) -> str:
        """As the scores name it: ``generated:<name>`` or ``real:<split>``."""

    @property
    def seed(self) -> int:
        """The seed of the run that made the images; 0 where all runs share them."""

    def open(self, run: Path, cache: Path) -> ImageSet:
        """The images, from a run folder and the folder of decoded pixels."""
