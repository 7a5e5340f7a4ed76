"""Sum up the pixels of every source: spectra, grey levels, mean images. No detector is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gandetect.analyses.image_statistics.numbers import summarise
from gandetect.engine import Context, Facts, Stage
from gandetect.sources import Source
from gandetect.stages.score import ImageStage

STATISTICS = "statistics.npz"


@dataclass(frozen=True)
class SummariseImages(Stage):
    """Keep of each source what `summarise` makes of at most ``most`` of its images.

    The names in ``statistics.npz`` are ``<source>@<seed>/<name>``.
    """

    sources: tuple[Source, ...]
    most: int
    images: tuple[ImageStage, ...]

    COMPUTES: ClassVar[bool] = False
    PLACE: ClassVar = "image-statistics"
    TITLE: ClassVar = "Summing up spectra and grey levels of every source"
    WEIGHT: ClassVar[float] = 1.0

    def run(self, context: Context) -> Facts:
        arrays: dict[str, Any] = {}
        for source in self.sources:
            images = source.open(context.run, context.cache).sample(self.most)
            if len(images):
                summary = summarise(images.pixels())
                place = f"{source.name}@{source.seed}"
                arrays |= {f"{place}/{name}": values for name, values in summary.items()}
        np.savez_compressed(context.folder / STATISTICS, **arrays)
        return {}
