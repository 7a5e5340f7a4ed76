"""FID and KID of a generator's last images in the features of a network from elsewhere.

It is asked after the training, which stays as it is whatever features are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config.features import IMAGENET_NETWORKS
from gandetect.data.stored import Images
from gandetect.engine import Context, Facts, Stage
from gandetect.randomness import stream
from gandetect.sources.generators import IMAGES
from gandetect.sources.splits import IN_DISTRIBUTION
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
    TITLE: ClassVar = "Computing features of real images in {self.name}"

    @property
    def name(self) -> str:
        """The network, or the name of its file."""
        return Path(self.features).name

    def check(self, context: Context) -> None:
        """Refuse a network that cannot be had, and one that such images do not fit."""
        channels, size = self.data.config.shape
        noise = stream(0, "images to try").integers(0, 256, (TRIED, channels, size, size), np.uint8)
        # On the CPU: the machine that plans may lack the device that is planned for.
        cpu = torch.device("cpu")
        network = open_features(self.features, context.home, cpu)
        for some in (noise, noise[:1]):  # the last batch may hold one
            features_of(some, network, self.name, cpu)

    def outside(self, context: Context) -> object:
        return [runs.file_digest(path) for path in self.shares(context)]

    def reads(self, context: Context) -> list[Path]:
        return [*super().reads(context), *self.shares(context)]

    def shares(self, context: Context) -> list[Path]:
        return [] if self.features in IMAGENET_NETWORKS else [context.home / self.features]

    def run(self, context: Context) -> Facts:
        images = self.data.splits(context).images(IN_DISTRIBUTION)
        np.save(context.folder / FEATURES, self.computed(images, context), allow_pickle=False)
        return {"n": len(images)}

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
    PLACE: ClassVar = (
        "features/{self.reals.name}/{self.images.gan.config.name}/seed-{self.images.gan.seed}"
    )
    TITLE: ClassVar = "Comparing images of {self.images.gan.subject} in {self.reals.name}"

    def run(self, context: Context) -> Facts:
        """Compute their features, and compare; a row as in ``quality.json``."""
        images = np.load(context.of(self.images) / IMAGES, mmap_mode="r", allow_pickle=False)
        fakes = self.reals.computed(images[: self.most], context)
        reals = np.load(context.of(self.reals) / FEATURES, allow_pickle=False)
        gan, distances = self.images.gan, distances_of_features(reals, fakes, self.images.gan.seed)
        row = {"gan": gan.config.name, "seed": gan.seed, "features": self.reals.name}
        sizes = {"dimensions": reals.shape[1], "n": len(fakes), "n_real": len(reals)}
        return {"quality": {**row, **sizes, "epoch": gan.config.epochs, **distances}}
