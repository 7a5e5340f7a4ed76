"""Score one detector on processed images: compressed, blurred, noisy, resized, lit otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from gandetect.data.perturbations import PERTURBATIONS, perturb
from gandetect.data.stored import Images
from gandetect.detectors import Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.errors import unknown_name
from gandetect.randomness import integer_seed
from gandetect.sources import ImageSet, Source
from gandetect.stages.score import ImageStage, TrainedStage
from gandetect.stages.scoring import score_images, ticker, tidy_scores
from gandetect.stages.trained import trained_detector

PERTURBED = "perturbed.parquet"


@dataclass(frozen=True)
class ScorePerturbed(Stage):
    """Score sources as they are, and under every level of every perturbation.

    Of each source the first ``most`` images, or with ``sampled`` a sample: files stand by class.
    """

    trained: TrainedStage
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]
    preprocessing: Preprocessing
    perturbations: tuple[str, ...]
    most: int
    sampled: bool

    VERSION: ClassVar[int] = 4

    @property
    def place(self) -> str:
        return f"robustness/{self.trained.config.name}/seed-{self.trained.seed}"

    @property
    def title(self) -> str:
        name, seed = self.trained.config.name, self.trained.seed
        return f"Scoring processed images with {name} seed {seed}"

    def check(self, context: Context) -> None:
        """Refuse a perturbation that does not exist."""
        for name in self.perturbations:
            if name not in PERTURBATIONS:
                raise unknown_name("perturbation", name, PERTURBATIONS)

    def run(self, context: Context) -> Facts:
        """Process and score, source by source."""
        config, seed = self.trained.config, self.trained.seed
        detector = trained_detector(
            config,
            seed,
            context.of(self.trained),
            self.preprocessing,
            {},
            torch.device(context.device),
        )
        steps = [("none", 0.0)]
        steps += [
            (name, level) for name in self.perturbations for level in PERTURBATIONS[name].levels
        ]
        opened = [(one, self._open(one, context)) for one in self.sources]
        tick = ticker(len(steps) * sum(len(images) for _, images in opened), context.notify)
        tables = []
        for one, images in opened:
            noise = integer_seed(
                seed, f"perturbation of {one.name}"
            )  # fakes and reals: each its own
            for name, level, pixels in _processed(images, steps, noise % 2**32):
                scores = score_images(detector, ImageSet(pixels), config, tick)
                rows = tidy_scores(config.name, seed, one.name, images.indices(), scores)
                tables.append(rows.assign(source_seed=one.seed, perturbation=name, level=level))
        table = pd.concat(tables, ignore_index=True).drop(columns="epoch")
        table.to_parquet(context.folder / PERTURBED, index=False)
        return {}

    def _open(self, source: Source, context: Context) -> ImageSet:
        images = source.open(context.run, context.cache)
        return images.sample(self.most) if self.sampled else images.first(self.most)


def _processed(
    images: ImageSet, steps: Sequence[tuple[str, float]], seed: int
) -> Iterator[tuple[str, float, Images]]:
    pixels = np.asarray(images.array()[images.all_rows()])
    for name, level in steps:
        yield name, level, pixels if name == "none" else perturb(pixels, name, level, seed)
