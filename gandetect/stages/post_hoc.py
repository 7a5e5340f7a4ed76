"""Make one post-hoc detector of finished trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
import torch

from gandetect import runs
from gandetect.config import ARCHITECTURES, DetectorTable
from gandetect.detectors.folder import load_detector, save_detector
from gandetect.detectors.material import Material
from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import DetectorDescription, PostHoc, Preprocessing
from gandetect.engine import Context, Facts
from gandetect.sources.splits import CALIBRATION, TRAINING, OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.gan import TrainGan
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

    VERSION: ClassVar[int] = 2
    PLACE: ClassVar = "post_hoc/{self.config.name}/seed-{self.seed}"
    TITLE: ClassVar = "Making {self.subject}"

    @property
    def weight(self) -> float:
        images = self.config.images_trained_on
        gans = [one.config for one in self.made_of if isinstance(one, TrainGan)]
        if not images or not gans:
            return MAKING
        speed = ARCHITECTURES[gans[0].architecture].speed
        return seconds(speed, images, self.data.config.shape[1])

    def check(self, context: Context) -> None:
        """Refuse what its kind could only refuse after the trainings."""
        assert isinstance(self.config, PostHoc)
        self.config.check_networks([one.config for one in self.made_of], self.preprocessing)

    def run(self, context: Context) -> Facts:
        """Make it, and save it as `save_detector` does."""
        assert isinstance(self.config, PostHoc)
        device = torch.device(context.device)
        made = self.config.make(self._material(context, device))
        description = DetectorDescription(
            kind=self.config.kind,
            name=self.config.name,
            architecture=made.architecture,
            options=dict(made.options),
            preprocessing=self.preprocessing,
            provenance={"made_of": sorted(one.config.name for one in self.made_of)},
        )
        save_detector(context.folder, as_detector(made.network, description, device))
        if made.history:
            rows = pd.DataFrame(made.history).to_csv(index=False, lineterminator="\n")
            runs.write_text(context.folder / HISTORY, rows)
        return {"epoch": made.epoch}

    def detector(self, context: Context, preprocessing: Preprocessing) -> NetworkDetector:
        """The one that was made."""
        folder = context.of(self)
        made = load_detector(folder, context.device)
        origin = {"seed": self.seed, "epoch": self.epoch(folder)}
        return made.with_description(provenance={**made.description.provenance, **origin})

    def epoch(self, folder: Path) -> int:
        """The last epoch of a GAN that is in it."""
        return int(runs.read_json(folder / runs.RECORD)["epoch"])

    def _material(self, context: Context, device: torch.device) -> Material:
        splits = OpenSplits(context.of(self.data), context.cache)
        trainings = {one.config.name: one for one in self.made_of}
        gans = [one for one in self.made_of if isinstance(one, TrainGan)]
        classifiers = [one.config for one in self.made_of if isinstance(one, TrainClassifier)]
        return Material(
            gans={one.config.name: (one.config, context.of(one)) for one in gans},
            classifiers={one.name: one for one in classifiers},
            detector=lambda name: trainings[name].detector(context, self.preprocessing),
            reals=splits.images(TRAINING),
            calibration=splits.images(CALIBRATION),
            seed=self.seed,
            preprocessing=self.preprocessing,
            device=device,
            notify=context.notify,
        )
