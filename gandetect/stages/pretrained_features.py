"""FID and KID of a generator's last images in the features of a network from elsewhere.

What a study's own classifier says is measured while a GAN is trained (`stages.gan`); this is asked
afterwards, so that trainings stay as they are whatever features are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config.features import IMAGENET_NETWORKS, features_name
from gandetect.data.stored import Images
from gandetect.engine import Context, Facts, Stage
from gandetect.randomness import stream
from gandetect.sources.generators import IMAGES
from gandetect.sources.splits import IN_DISTRIBUTION, OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.stages.gan import DrawImages
from gandetect.training.pretrained_features import features_of, open_features
from gandetect.training.quality import distances_of_features

FEATURES = "features.npy"
TRIED = 4  # images of noise, before anything is trained


@dataclass(frozen=True)
class RealFeatures(Stage):
    """Features ``(N, D)`` of the in-distribution test reals, once for all generators."""

    features: str
    data: ClassData

    WEIGHT: ClassVar[float] = 60.0
    PLACE: ClassVar = "features/{self.name}/in-distribution"
    TITLE: ClassVar = "Computing the features of real images in {self.name}"

    @property
    def name(self) -> str:
        """The network, or the name of its file."""
        return features_name(self.features)

    def settings(self) -> Mapping[str, object]:
        """Not where a file stands; its content counts."""
        return {"features": self.name}

    def check(self, context: Context) -> None:
        """Refuse a network that cannot be had, and one that such images do not fit."""
        channels, size = self.data.config.shape
        noise = stream(0, "images to try").integers(0, 256, (TRIED, channels, size, size), np.uint8)
        self.computed(noise, context)

    def outside(self, context: Context) -> object:
        """The digest of the file."""
        return [runs.file_digest(path) for path in self.shares(context)] or None

    def reads(self, context: Context) -> list[Path]:
        """The file, and what all that reads the data reads."""
        return [*super().reads(context), *self.shares(context)]

    def shares(self, context: Context) -> list[Path]:
        """The file."""
        return [] if self.features in IMAGENET_NETWORKS else [context.home / self.features]

    def run(self, context: Context) -> Facts:
        """Compute them."""
        images = OpenSplits(context.of(self.data), context.cache).images(IN_DISTRIBUTION)
        features = self.computed(images, context)
        np.save(context.folder / FEATURES, features, allow_pickle=False)
        return {"n": len(features), "dimensions": features.shape[1]}

    def computed(self, images: Images, context: Context) -> NDArray[np.float32]:
        """Features of any images; see `features_of`."""
        device = torch.device(context.device)
        network = open_features(self.features, context.home, device)
        return features_of(images, network, self.name, device, context.notify)


@dataclass(frozen=True)
class CompareImages(Stage):
    """FID and KID of the first ``most`` images drawn for evaluation, in the features of reals."""

    most: int
    images: DrawImages
    reals: RealFeatures

    WEIGHT: ClassVar[float] = 60.0
    TITLE: ClassVar = "Comparing images of {self.images.gan.subject} in {self.reals.name}"

    @property
    def place(self) -> str:
        gan = self.images.gan
        return f"features/{self.reals.name}/{gan.config.name}/seed-{gan.seed}"

    def run(self, context: Context) -> Facts:
        """Compute their features, and compare."""
        stored = np.load(context.of(self.images) / IMAGES, mmap_mode="r", allow_pickle=False)
        fakes = self.reals.computed(stored[: self.most], context)
        reals = np.load(context.of(self.reals) / FEATURES, allow_pickle=False)
        gan = self.images.gan
        return {
            "epoch": gan.config.epochs,
            "n": len(fakes),
            "n_real": len(reals),
            "features": self.reals.name,
            "dimensions": reals.shape[1],
            **distances_of_features(reals, fakes, gan.seed),
        }
