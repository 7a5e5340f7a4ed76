"""Open an external detector, fit it where it learns, and try it on a few images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gandetect import runs
from gandetect.detectors.external import (
    External,
    ExternalDetector,
    Fitted,
    Pixels,
    described,
    open_external,
)
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import Context, Facts
from gandetect.errors import ExternalError
from gandetect.randomness import stream
from gandetect.sources.foreign import TRAIN
from gandetect.sources.labelled import LabelledSource
from gandetect.sources.splits import TRAINING
from gandetect.stages.class_data import ClassData
from gandetect.stages.gan import TrainGan
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.source_images import SourceImages
from gandetect.stages.trained import Trained
from gandetect.training.epoch_fakes import even_shares

TRIED = 4  # images of noise that are scored before anything else is
FIRST = 1e6  # seconds, so that what is wrong with it is told before trainings of hours


@dataclass(frozen=True)
class GanTraining:
    """Training reals, fresh fakes of GANs, and fakes of the training parts of sources."""

    gans: tuple[TrainGan, ...]
    data: ClassData
    sources: tuple[SourceImages, ...] = ()

    def load(self, table: External, most: int, seed: int, context: Context) -> list[Pixels]:
        """At most ``most`` reals ``(N, C, H, W)``, then as many fakes in all."""
        reals = self.data.splits(context).images(TRAINING)
        chosen = _some(len(reals), most, seed, table)
        makers: list[TrainGan | SourceImages] = [*self.gans, *self.sources]
        purpose = f"fitting of {table.name}"
        fakes = [
            maker.drawn(share, purpose, context, seed, TRAIN)
            if isinstance(maker, SourceImages)
            else maker.drawn(share, purpose, context)
            for maker, share in zip(makers, even_shares(len(chosen), len(makers)), strict=True)
        ]
        return [reals[chosen], *fakes]


@dataclass(frozen=True)
class LabelledTraining:
    """The training images of a labelled data set: all reals, and the fakes of some classes."""

    images: DecodedImages
    data: LabelledData

    def load(self, table: External, most: int, seed: int, context: Context) -> list[Pixels]:
        """At most ``most`` of the reals, and of each class of fakes."""
        named = [("real", None), *(("generated", name) for name in table.trained_on)]
        parts = []
        for label, name in named:
            source = LabelledSource(
                f"{label}:training", 0, self.images.size, ("train",), label, name, originals=True
            )
            opened = source.open(context.run, context.cache)
            chosen = _some(len(opened), most, seed, table)
            parts.append(opened.pixels(chosen))
        return parts


@dataclass(frozen=True)
class OpenExternal(Trained):
    """Import or load an external detector, and see that it answers as its table says.

    Nothing of it is kept: each stage that scores opens it again. One that learns has to learn the
    same again.
    """

    config: External
    preprocessing: Preprocessing
    training: GanTraining | LabelledTraining | None = None

    PLACE: ClassVar = "external/{self.config.name}/seed-{self.seed}"
    TITLE: ClassVar = "Opening {self.subject}"
    WEIGHT: ClassVar[float] = FIRST

    def settings(self) -> Mapping[str, object]:
        """Not what is of how it runs alone; a batch's size may change what others' code answers."""
        config = self.config.model_dump(mode="json", exclude={*self.config.WITHOUT_EFFECT})
        return {**super().settings(), "config": config}

    def outside(self, context: Context) -> object:
        return self.config.digests(context.home)

    def shares(self, context: Context) -> list[Path]:
        """Its files, and what it learns from: whatever scores with it opens it again."""
        learned_from = [context.of(stage) for stage in self.needs()]
        return [*self.config.paths(context.home).values(), *learned_from, *super().reads(context)]

    def reads(self, context: Context) -> list[Path]:
        return self.shares(context)

    def run(self, context: Context) -> Facts:
        """Open it, and keep what it answers to noise."""
        answers = self._opened(context).decision_function(self._noise())
        return {"epoch": 0, "answers": answers.tolist()}

    def detector(self, context: Context, preprocessing: Preprocessing) -> ExternalDetector:
        """Open it again; `ExternalError` where it has not learned the same."""
        detector = self._opened(context)
        if self.config.learns:
            before = runs.read_json(context.of(self) / runs.RECORD)["answers"]
            if not np.allclose(detector.decision_function(self._noise()), before, 1e-3, 1e-3):
                raise ExternalError(
                    f"detector {self.config.name!r} ({self.config.called}) is left out: fitted to "
                    "the same images again it gave other scores; give it a fixed random_state"
                )
        return detector

    def epoch(self, folder: Path) -> int:
        return 0

    def _opened(self, context: Context) -> ExternalDetector:
        table = self.config
        description = described(
            table,
            context.home,
            preprocessing=self.preprocessing,
            provenance={"seed": self.seed, "epoch": 0, "trained_on": list(table.trained_on)},
        )
        return open_external(
            table, description, context.home, context.device, self._fitted(context)
        )

    def _fitted(self, context: Context) -> Fitted | None:
        """The images that it learns from, and 1 for those of the class that it answers for."""
        if not self.config.learns or self.training is None:
            return None
        reals, *fakes = self.training.load(self.config, self.config.fit_images, self.seed, context)
        generated = np.repeat([0, 1], [len(reals), sum(map(len, fakes))])
        labels = generated if self.config.positive == "generated" else 1 - generated
        return np.concatenate([reals, *fakes]), labels

    def _noise(self) -> Pixels:
        shape = self.preprocessing
        size = (TRIED, shape.channels, shape.image_size, shape.image_size)
        return stream(0, "images to try").integers(0, 256, size, dtype=np.uint8)


def _some(n: int, most: int, seed: int, table: External) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = stream(seed, f"images of {table.name}").permutation(n)[:most]
    return np.sort(chosen)
