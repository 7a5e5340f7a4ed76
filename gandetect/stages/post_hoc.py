"""Make one post-hoc detector of finished trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from gandetect import runs
from gandetect.config import DetectorTable
from gandetect.data.stored import Images, take
from gandetect.detectors.folder import load_network, save_detector
from gandetect.detectors.material import Material
from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import DetectorDescription, PostHoc, Preprocessing
from gandetect.engine import Context, Facts
from gandetect.sources.foreign import TRAIN
from gandetect.sources.splits import CALIBRATION, TRAINING, VALIDATION, OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.gan import TrainGan
from gandetect.stages.source_images import SourceImages
from gandetect.stages.speeds import seconds
from gandetect.stages.trained import Trained

HISTORY = "history.csv"
MAKING = 10.0  # seconds, of a detector that is not trained


@dataclass(frozen=True)
class MakeDetector(Trained):
    """Make a detector as its kind does; its folder is then a detector's, with its history.

    It takes seconds to minutes, so what is interrupted starts afresh.
    """

    config: DetectorTable
    preprocessing: Preprocessing
    made_of: tuple[TrainGan | TrainClassifier, ...]
    data: ClassData
    sources: tuple[SourceImages, ...] = ()  # whose training parts it may learn from

    VERSION: ClassVar[int] = 2
    PLACE: ClassVar = "post_hoc/{self.config.name}/seed-{self.seed}"
    TITLE: ClassVar = "Making {self.subject}"

    @property
    def weight(self) -> float:
        images = self.config.images_trained_on
        if not images or not self._gans:
            return MAKING
        return seconds(self.speed, images, self.data.config.shape[1])

    @property
    def speed(self) -> float:
        return self._gans[0].speed if self._gans else super().speed

    @property
    def _gans(self) -> list[TrainGan]:
        return [training for training in self.made_of if isinstance(training, TrainGan)]

    def check(self, context: Context) -> None:
        """Refuse what its kind could only refuse after the trainings."""
        assert isinstance(self.config, PostHoc)
        self.config.check_networks(
            [training.config for training in self.made_of], self.preprocessing
        )

    def run(self, context: Context) -> Facts:
        assert isinstance(self.config, PostHoc)
        device = torch.device(context.device)
        fitted = self.config.make(self._material(context, device))
        description = DetectorDescription(
            kind=self.config.kind,
            name=self.config.name,
            architecture=fitted.architecture,
            options=dict(fitted.options),
            preprocessing=self.preprocessing,
            provenance={"made_of": sorted(self.config.made_of), **fitted.provenance},
        )
        save_detector(context.folder, as_detector(fitted.network, description, device))
        if fitted.history:
            rows = pd.DataFrame(fitted.history).to_csv(index=False, lineterminator="\n")
            runs.write_text(context.folder / HISTORY, rows)
        return {"epoch": fitted.epoch}

    def detector(self, context: Context, preprocessing: Preprocessing) -> NetworkDetector:
        folder = context.of(self)
        detector = load_network(folder, context.device)
        origin = {"seed": self.seed, "epoch": self.epoch(folder)}
        return detector.with_description(provenance={**detector.description.provenance, **origin})

    def epoch(self, folder: Path) -> int:
        """The last epoch of a GAN that is in it."""
        return int(runs.read_json(folder / runs.RECORD)["epoch"])

    def _material(self, context: Context, device: torch.device) -> Material:
        splits = self.data.splits(context)
        trainings = {training.config.name: training for training in self.made_of}
        gans = [training for training in self.made_of if isinstance(training, TrainGan)]
        classifiers = [
            training.config for training in self.made_of if isinstance(training, TrainClassifier)
        ]
        return Material(
            gans={
                training.config.name: (training.config, context.of(training)) for training in gans
            },
            classifiers={training.name: training for training in classifiers},
            detector=lambda name: trainings[name].detector(context, self.preprocessing),
            reals=splits.images(TRAINING),
            calibration=splits.images(CALIBRATION),
            seed=self.seed,
            preprocessing=self.preprocessing,
            device=device,
            notify=context.notify,
            validation=self._validation(splits),
            sources={
                one.table.name: one.source(self.seed, TRAIN).open(context.run, context.cache)
                for one in self.sources
            },
        )

    def _validation(self, splits: OpenSplits) -> dict[str, Images]:
        """The validation split by whether its classes are trained on; nothing without one."""
        if not self.data.config.validation:
            return {}
        trained = np.isin(splits.labels(VALIDATION), splits.labels(TRAINING))
        images = splits.images(VALIDATION)
        groups = {"in_distribution": trained, "validation_classes": ~trained}
        return {
            name: take(images, np.flatnonzero(rows)) for name, rows in groups.items() if rows.any()
        }
