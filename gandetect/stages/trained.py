"""What the stages that leave a detector in their folder have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gandetect.config import ClassifierConfig, DetectorTable, GeneratorConfig
from gandetect.detectors.protocol import Detector, Preprocessing
from gandetect.engine import Context, Stage
from gandetect.sources.image_sets import Indices
from gandetect.stages.speeds import CLASSIFIER


@dataclass(frozen=True)
class Trained(Stage):
    """A finished training: a discriminator or a classifier, or what was made of some."""

    config: GeneratorConfig | ClassifierConfig | DetectorTable
    seed: int

    TITLE: ClassVar = "Training {self.subject}"

    @property
    def speed(self) -> float:
        """Images of 28 x 28 pixels that one core trains on in a second, roughly."""
        return CLASSIFIER

    @property
    def subject(self) -> str:
        return f"{self.config.name} seed {self.seed}"

    def detector(self, context: Context, preprocessing: Preprocessing) -> Detector:
        """The detector of its last or best epoch, with its seed and epoch as provenance."""
        raise NotImplementedError

    def epoch(self, folder: Path) -> int:
        """The epoch that the detector in ``folder`` is of."""
        raise NotImplementedError

    def augmented(
        self, pixels: NDArray[np.uint8], copies: Indices, rows: Indices
    ) -> NDArray[np.uint8]:
        """Images ``(N, C, H, W)`` as fixed augmented copies, where it was trained on such."""
        return pixels
