"""Train the classifier whose feature space FID and KID are measured in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from gandetect import runs
from gandetect.detectors.folder import WEIGHTS
from gandetect.engine import Context, Facts, Stage
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.sources.splits import HELD_OUT, IN_DISTRIBUTION, TRAINING
from gandetect.stages.class_data import ClassData
from gandetect.stages.speeds import FEATURE_NETWORK, least_images, seconds
from gandetect.training.checkpoints import load_weights, save_weights
from gandetect.training.quality import accuracy, train_feature_classifier


@dataclass(frozen=True)
class FeatureNetwork(Stage):
    """A classifier of all classes, for every epoch of every GAN; no detector sees it."""

    epochs: int
    data: ClassData

    VERSION: ClassVar[int] = 2
    PLACE: ClassVar = "quality-classifier"
    TITLE: ClassVar = "Training the classifier of kinds that FID and KID are measured with"

    @property
    def weight(self) -> float:
        data = self.data.config
        return seconds(FEATURE_NETWORK, self.epochs * least_images(data), data.shape[1])

    def run(self, context: Context) -> Facts:
        """Train on training and held-out images, and test on the in-distribution ones."""
        splits = self.data.splits(context)
        device = torch.device(context.device)
        classifier = train_feature_classifier(
            splits.images(TRAINING, HELD_OUT),
            splits.labels(TRAINING, HELD_OUT),
            classes=len(splits.classes),
            epochs=self.epochs,
            seed=0,
            device=device,
        )
        tested = splits.images(IN_DISTRIBUTION)
        right = accuracy(classifier, tested, splits.labels(IN_DISTRIBUTION), device)
        save_weights(classifier, context.folder / WEIGHTS)
        return {"classes": len(splits.classes), "accuracy_in_distribution": right, "n": len(tested)}


def load_feature_network(folder: Path, image_size: int, channels: int) -> FeatureClassifier:
    """The trained classifier, for images of a shape."""
    classes = int(runs.read_json(folder / runs.RECORD)["classes"])
    classifier = FeatureClassifier(image_size, channels, classes)
    load_weights(classifier, folder / WEIGHTS)
    return classifier
