"""Score every kept epoch's discriminator on every kept epoch's fakes, and on the same reals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Context, Facts, Stage
from gandetect.sources import ImageSet, Source
from gandetect.stages.gan import TrainGan
from gandetect.stages.score import ImageStage
from gandetect.stages.scoring import score_images, ticker, tidy_scores
from gandetect.stages.speeds import DRAWN, SCORED, seconds

TRAJECTORY = "trajectory.parquet"


@dataclass(frozen=True)
class ScoreTrajectory(Stage):
    """Score ``count`` fakes of each kept epoch's generator, and ``sources``, with each epoch.

    The fakes of all epochs are drawn from the same noise, so epochs differ by the generator alone.
    """

    gan: TrainGan
    epochs: tuple[int, ...]
    count: int
    sources: tuple[Source, ...]
    images: tuple[ImageStage, ...]
    preprocessing: Preprocessing

    VERSION: ClassVar[int] = 3
    PLACE: ClassVar = "trajectories/{self.gan.config.name}/seed-{self.gan.seed}"
    TITLE: ClassVar = "Scoring the epochs of {self.gan.subject}"

    @property
    def weight(self) -> float:
        drawn = len(self.epochs) * self.count
        scored = drawn * (len(self.epochs) + len(self.sources))
        images = drawn / DRAWN + scored / SCORED
        return seconds(self.gan.speed, images, self.preprocessing.image_size)

    def run(self, context: Context) -> Facts:
        own = f"generated:{self.gan.config.name}"
        groups: dict[int, list[tuple[str, int, ImageSet]]] = {}
        for epoch in self.epochs:
            fakes = self.gan.drawn(self.count, "trajectory", context, epoch)
            groups[epoch] = [(own, self.gan.seed, ImageSet(fakes))]
        groups[0] = [  # epoch 0: whatever is not of this generator
            (source.name, source.seed, source.open(context.run, context.cache).first(self.count))
            for source in self.sources
        ]
        scored = sum(len(images) for group in groups.values() for _, _, images in group)
        tick = ticker(scored * len(self.epochs), context.notify)
        tables = []
        for epoch in self.epochs:
            detector = self.gan.detector(context, self.preprocessing, epoch)
            for source_epoch, group in groups.items():
                for name, seed, images in group:
                    scores = score_images(detector, images, tick)
                    when = {"epoch": epoch, "source_epoch": source_epoch}
                    tables.append(tidy_scores(self.gan, name, seed, images, scores, **when))
        table = pd.concat(tables, ignore_index=True)
        table.to_parquet(context.folder / TRAJECTORY, index=False)
        return {}
