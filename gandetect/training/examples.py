"""What a classifier learns from: stored images, which of them are used, and their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gandetect.data.stored import Images
from gandetect.randomness import stream


@dataclass(frozen=True)
class Examples:
    """Labelled rows of one array of images, which may be memory-mapped and is never copied.

    ``images`` is ``(N, C, H, W) uint8``; ``index`` ``(M,)`` are rows of it, ``label`` ``(M,)`` is
    0 for real and 1 for generated, and ``copy`` ``(M,)`` is 0 for an image as it is stored, k for
    its k-th fixed augmented copy. Raises `ValueError` when these lengths differ or a row is not
    among the images.
    """

    images: Images
    index: NDArray[np.int64]
    label: NDArray[np.int64]
    copy: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not len(self.index) == len(self.label) == len(self.copy):
            raise ValueError(
                f"index, label and copy have {len(self.index)}, {len(self.label)} and "
                f"{len(self.copy)} entries; give one of each for an example"
            )
        if len(self) and not 0 <= self.index.min() <= self.index.max() < len(self.images):
            raise ValueError(
                f"index goes from {self.index.min()} to {self.index.max()}, but there are "
                f"{len(self.images)} images; give rows of images"
            )

    def __len__(self) -> int:
        return len(self.index)

    def take(self, rows: NDArray[np.int64]) -> Examples:
        """The examples at ``rows`` ``(K,)``, in that order."""
        return Examples(self.images, self.index[rows], self.label[rows], self.copy[rows])

    def pixels(self) -> NDArray[np.uint8]:
        """The stored images of these examples ``(M, C, H, W)``, read into memory."""
        return np.ascontiguousarray(self.images[self.index])

    def with_copies(self, copies: int) -> Examples:
        """Each example followed by its fixed augmented copies 1 to ``copies``."""
        repeated = self.take(np.arange(len(self)).repeat(copies + 1))
        number = np.tile(np.arange(copies + 1, dtype=np.int64), len(self))
        return Examples(repeated.images, repeated.index, repeated.label, repeated.copy + number)

    def capped(self, most: int, seed: int) -> Examples:
        """At most so many examples of each label, chosen at random, in their old order."""
        order = stream(seed, "training images").permutation(len(self))
        chosen = [order[self.label[order] == label][:most] for label in (0, 1)]
        return self.take(np.sort(np.concatenate(chosen)))
