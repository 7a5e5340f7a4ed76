"""The images that a trained generator was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandetect.sources.image_sets import ImageSet
from gandetect.sources.splits import FOLDER, OpenSplits

IMAGES = "images.npy"


def drawn_folder(gan: str, seed: int, purpose: str) -> str:
    """Where a generator's images for a purpose stand, below the run folder."""
    return f"generated/{gan}/seed-{seed}/{purpose}"


@dataclass(frozen=True)
class GeneratedSource:
    """Images of one generator, drawn for ``purpose``: "evaluation" or "calibration".

    The first ``count``, or as many as there are real test images. Calibration images are shared
    among the generators that a detector knows: ``part`` is (this one's number, how many).
    """

    name: str
    seed: int
    gan: str
    purpose: str
    count: int | None = None
    part: tuple[int, int] | None = None

    def open(self, run: Path, cache: Path) -> ImageSet:
        """The images, mapped into memory."""
        file = run / drawn_folder(self.gan, self.seed, self.purpose) / IMAGES
        if self.part is not None:
            number, parts = self.part
            rows = np.array_split(np.arange(len(ImageSet(file))), parts)[number]
        else:
            count = self.count or OpenSplits(run / FOLDER, cache).test_reals
            rows = np.arange(count)
        return ImageSet(file, rows, index=rows)
