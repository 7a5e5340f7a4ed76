"""What post-hoc detectors are made of: finished trainings and real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gandetect.config import ClassifierConfig, GeneratorConfig, chosen_epochs
from gandetect.config.epochs import Epochs
from gandetect.data.stored import Images
from gandetect.detectors.classifier import as_classifier
from gandetect.detectors.discriminator import discriminator_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Preprocessing
from gandetect.events import Notify
from gandetect.training.history import fakes_of_epochs
from gandetect.training.supervised import new_classifier


@dataclass(frozen=True)
class Material:
    """Trainings and images that a post-hoc detector may be made of; no test image is among them.

    ``gans`` are the GANs that it names, with their folders, and ``classifiers`` the classifiers;
    ``detector`` loads the detector that either has become, by its name. ``reals`` and
    ``calibration`` are ``(N, C, H, W) uint8``.
    """

    gans: Mapping[str, tuple[GeneratorConfig, Path]]
    classifiers: Mapping[str, ClassifierConfig]
    detector: Callable[[str], NetworkDetector]
    reals: Images
    calibration: Images
    seed: int
    preprocessing: Preprocessing
    device: torch.device
    notify: Notify

    def discriminator(self, name: str, epoch: int | None = None) -> nn.Module:
        """A GAN's discriminator after its last epoch, or after a kept one."""
        gan, folder = self.gans[name]
        given = gan, self.seed, folder, self.preprocessing, self.device
        return discriminator_of(*given, epoch).network

    def untrained(self, name: str) -> NetworkDetector:
        """A classifier with the weights that its training began with."""
        config, channels = self.classifiers[name], self.preprocessing.channels
        network = new_classifier(config, channels, weights=True, seed=self.seed)
        return as_classifier(config, network, self.preprocessing, self.device)

    def fakes(self, name: str, history: Epochs, count: int, purpose: str) -> NDArray[np.uint8]:
        """Fakes ``(count, C, H, W) uint8`` of a GAN, as many of each of its epochs' generators."""
        gan, folder = self.gans[name]
        return fakes_of_epochs(
            gan,
            folder,
            chosen_epochs(history, gan.epochs),
            count,
            image_size=self.preprocessing.image_size,
            channels=self.preprocessing.channels,
            seed=self.seed,
            purpose=purpose,
            device=self.device,
        )
