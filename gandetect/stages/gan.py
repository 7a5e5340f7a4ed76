"""Train one generator with one seed, and draw the images that its generator is represented by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import ARCHITECTURES, GeneratorConfig, QualityConfig
from gandetect.detectors.discriminator import discriminator_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Preprocessing
from gandetect.engine import BEGUN, Context, Facts, Stage
from gandetect.errors import UsageError
from gandetect.models.common import Growth
from gandetect.registry import imported
from gandetect.sources.generators import IMAGES, drawn_folder
from gandetect.sources.splits import CALIBRATION, IN_DISTRIBUTION, TRAINING
from gandetect.stages.class_data import ClassData
from gandetect.stages.feature_network import FeatureNetwork, load_feature_network
from gandetect.stages.speeds import DRAWN, least_images, seconds
from gandetect.stages.trained import Trained
from gandetect.training.checkpoints import GanFolder, Trainable, epoch_folder
from gandetect.training.images import generate
from gandetect.training.networks import load_generator
from gandetect.training.quality import QualityEvaluator


@dataclass(frozen=True)
class TrainGan(Trained):
    """Train one generator as its kind is trained, judging every epoch's images."""

    config: GeneratorConfig
    quality: QualityConfig
    data: ClassData
    features: FeatureNetwork

    VERSION: ClassVar[int] = 3
    WRITES: ClassVar = "resumes"
    PLACE: ClassVar = "gans/{self.config.name}/seed-{self.seed}"

    @property
    def weight(self) -> float:
        config, steps = self.config, self.config.steps_per_epoch
        images = steps * config.batch_size if steps else least_images(self.data.config)
        return seconds(self.speed, images * config.epochs, self.data.config.shape[1])

    def weight_left(self, folder: Path) -> float:
        """Epochs that are complete are not trained again."""
        complete = sum(1 for _ in folder.glob(f"epochs/*/{runs.RECORD}"))
        return self.weight * max(0.0, 1 - complete / self.config.epochs)

    @property
    def speed(self) -> float:
        return ARCHITECTURES[self.config.architecture].speed

    def settings(self) -> Mapping[str, object]:
        """Not what the networks are used for afterwards."""
        config, quality = self.config.training_identity(), self.quality.training_identity()
        return {**super().settings(), "config": config, "quality": quality}

    def check(self, context: Context) -> None:
        """Refuse images of a size that the architectures do not grow to."""
        try:
            Growth.of(self.data.config.shape[1])
        except ValueError as error:
            raise UsageError(f"data: {error}") from None

    def run(self, context: Context) -> Facts:
        splits = self.data.splits(context)
        images = splits.images(TRAINING)
        device = torch.device(context.device)
        network = load_feature_network(context.of(self.features), images.shape[2], images.shape[1])
        digest = str(runs.read_json(context.folder / BEGUN)["digest"])
        folder = GanFolder(context.folder, digest, context.warn)
        train = cast(Callable[..., Trainable], imported(self.config.TRAINED_BY))
        trained = train(
            self.config,
            images,
            folder,
            seed=self.seed,
            device=device,
            evaluator=QualityEvaluator(network, splits.images(IN_DISTRIBUTION), device),
            generated=self.quality.generated,
            notify=context.notify,
        )
        folder.finish(trained, self.config.epochs)
        return {"epochs": self.config.epochs}

    def detector(
        self, context: Context, preprocessing: Preprocessing, epoch: int | None = None
    ) -> NetworkDetector:
        """The discriminator of the last epoch, or of a kept one."""
        folder, device = context.of(self), torch.device(context.device)
        return discriminator_of(self.config, self.seed, folder, preprocessing, device, epoch)

    def drawn(
        self, count: int, purpose: str, context: Context, epoch: int | None = None
    ) -> NDArray[np.uint8]:
        """Fresh images ``(count, C, H, W)`` of the generator of the last epoch, or of a kept one.

        Where the generator has an average, they are drawn from that.
        """
        folder = epoch_folder(context.of(self), epoch)
        shape, device = self.data.config.shape, torch.device(context.device)
        generator = load_generator(self.config, folder, shape, self.seed, device)
        return generate(generator, count, seed=self.seed, purpose=purpose)

    def epoch(self, folder: Path) -> int:
        return self.config.epochs


@dataclass(frozen=True)
class DrawImages(Stage):
    """Draw images of a trained generator for ``purpose``: "evaluation" or "calibration".

    For evaluation ``own`` (None: as many as there are real test images) or ``other``, whichever is
    more; for calibration as many as there are calibration images.
    """

    purpose: str
    own: int | None
    other: int
    gan: TrainGan

    @property
    def place(self) -> str:
        return drawn_folder(self.gan.config.name, self.gan.seed, self.purpose)

    TITLE: ClassVar = "Drawing images of {self.gan.subject} for {self.purpose}"

    @property
    def count(self) -> int:
        """How many, as far as it is known before the data is read."""
        real = least_images(self.gan.data.config)
        return real // 4 if self.purpose == "calibration" else max(self.own or real, self.other)

    @property
    def weight(self) -> float:
        return seconds(DRAWN * self.gan.speed, self.count, self.gan.data.config.shape[1])

    def run(self, context: Context) -> Facts:
        splits = self.gan.data.splits(context)
        count = splits.count(CALIBRATION)
        if self.purpose == "evaluation":
            count = max(self.own or splits.test_reals, self.other)
        fakes = self.gan.drawn(count, self.purpose, context)
        np.save(context.folder / IMAGES, fakes, allow_pickle=False)
        return {"n": count}

    def needs(self) -> list[Stage]:
        """The splits say how many are wanted."""
        return [self.gan, self.gan.data]
