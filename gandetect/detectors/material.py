"""What post-hoc detectors are made of: finished trainings and real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gandetect.config import ClassifierConfig, GeneratorConfig, chosen_epochs
from gandetect.config.epochs import Epochs
from gandetect.data.stored import Images, take
from gandetect.detectors.classifier import as_classifier
from gandetect.detectors.discriminator import discriminator_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Preprocessing
from gandetect.events import Notify
from gandetect.randomness import stream
from gandetect.sources import ImageSet
from gandetect.training.epoch_fakes import fakes_of_epochs
from gandetect.training.supervised import new_classifier


@dataclass(frozen=True)
class Material:
    """Trainings and images that a post-hoc detector may be made of; no test image is among them.

    ``gans`` are the GANs that it names, with their folders, and ``classifiers`` the classifiers;
    ``detector`` loads the detector that either has become, by its name. ``reals`` and
    ``calibration`` are ``(N, C, H, W) uint8``; so are the groups of the ``validation`` split, where
    there is one. ``sources`` are the training parts of images from elsewhere.
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
    validation: Mapping[str, Images] = field(default_factory=dict)
    sources: Mapping[str, ImageSet] = field(default_factory=dict)

    def discriminator(self, name: str, epoch: int | None = None) -> nn.Module:
        """A GAN's discriminator after its last epoch, or after a kept one."""
        gan, folder = self.gans[name]
        arguments = gan, self.seed, folder, self.preprocessing, self.device
        return discriminator_of(*arguments, epoch).network

    def untrained(self, name: str) -> NetworkDetector:
        """A classifier with the weights that its training began with."""
        config, channels = self.classifiers[name], self.preprocessing.channels
        network = new_classifier(config, channels, weights=True, seed=self.seed)
        return as_classifier(config, network, self.preprocessing, self.device)

    def validation_reals(self, most: int, purpose: str) -> dict[str, Images]:
        """At most so many reals of each group of the validation split; without it, of training."""
        rng = stream(self.seed, f"reals in {purpose}")
        groups = self.validation or {"training": self.reals}
        return {
            name: take(images, np.sort(rng.permutation(len(images))[:most]))
            for name, images in groups.items()
        }

    def fakes_of(
        self, names: Sequence[str], epochs: Epochs, count: int, purpose: str, recent: float = 0.0
    ) -> NDArray[np.uint8]:
        """Fakes ``(count, C, H, W) uint8`` of GANs and sources, as many of each; see `fakes`."""
        ends = np.linspace(0, count, len(names) + 1).round().astype(int)
        parts = [
            self.fakes(name, epochs, share, purpose, recent)
            for name, share in zip(names, np.diff(ends).tolist(), strict=True)
            if share
        ]
        return np.concatenate(parts)

    def fakes(
        self, name: str, epochs: Epochs, count: int, purpose: str, recent: float = 0.0
    ) -> NDArray[np.uint8]:
        """Fakes ``(count, C, H, W) uint8`` of a GAN, of each of its epochs' generators.

        As many of each epoch's, or with ``recent`` more of later ones' (`training.epoch_fakes`). A
        source has no epochs; where it has fewer images they come again.
        """
        if name in self.sources:
            return self.sources[name].draw(count, stream(self.seed, f"{purpose}, {name}"))
        gan, folder = self.gans[name]
        return fakes_of_epochs(
            gan,
            folder,
            chosen_epochs(epochs, gan.epochs),
            count,
            image_size=self.preprocessing.image_size,
            channels=self.preprocessing.channels,
            seed=self.seed,
            purpose=purpose,
            device=self.device,
            recent=recent,
        )
