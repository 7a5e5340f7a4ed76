"""Score one detector on processed images: compressed, blurred, noisy, resized, lit otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from gandetect.config.processing import levels_of
from gandetect.data.perturbations import perturb
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.randomness import integer_seed
from gandetect.sources import ImageSet, Source
from gandetect.stages.feature_files import shared_features
from gandetect.stages.score import ImageStage
from gandetect.stages.scoring import score_images, ticker, tidy_scores
from gandetect.stages.speeds import SCORED, seconds
from gandetect.stages.trained import Trained

PERTURBED = "perturbed.parquet"


@dataclass(frozen=True)
class ScorePerturbed(Stage):
    """Score sources as they are, and under every level of every perturbation.

    Of each source the first ``most`` images, or with ``sampled`` a sample: files stand by class.
    """

    trained: Trained
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]
    preprocessing: Preprocessing
    perturbations: tuple[str, ...]
    most: int
    sampled: bool

    VERSION: ClassVar[int] = 5
    PLACE: ClassVar = "robustness/{self.trained.config.name}/seed-{self.trained.seed}"
    TITLE: ClassVar = "Scoring processed images with {self.trained.subject}"

    @property
    def weight(self) -> float:
        levels = 1 + sum(len(levels_of(request)) for request in self.perturbations)
        images = levels * len(self.sources) * self.most
        return seconds(SCORED * self.trained.speed, images, self.preprocessing.image_size)

    def check(self, context: Context) -> None:
        for request in self.perturbations:
            levels_of(request)

    def run(self, context: Context) -> Facts:
        detector = self.trained.detector(context, self.preprocessing)
        steps = [("none", 0.0)]
        steps += [level for request in self.perturbations for level in levels_of(request)]
        opened = [(one, self._open(one, context)) for one in self.sources]
        tick = ticker(len(steps) * sum(len(images) for _, images in opened), context.notify)
        tables = []
        with shared_features(detector, context.cache):
            for one, images in opened:
                # Fakes and reals have noise of their own.
                noise = integer_seed(self.trained.seed, f"perturbation of {one.name}") % 2**32
                original = images.pixels()
                for name, level in steps:
                    pixels = original if name == "none" else perturb(original, name, level, noise)
                    scores = score_images(detector, ImageSet(pixels), tick)
                    how = {"perturbation": name, "level": level}
                    tables.append(
                        tidy_scores(self.trained, one.name, one.seed, images, scores, **how)
                    )
        table = pd.concat(tables, ignore_index=True).drop(columns="epoch")
        table.to_parquet(context.folder / PERTURBED, index=False)
        return {}

    def _open(self, source: Source, context: Context) -> ImageSet:
        images = source.open(context.run, context.cache)
        return images.sample(self.most) if self.sampled else images.first(self.most)
