"""A finished training as a detector: a discriminator, a classifier, or what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gandetect import runs
from gandetect.config import ClassifierConfig, GanConfig
from gandetect.detectors import (
    WEIGHTS,
    Detector,
    DetectorDescription,
    Preprocessing,
    as_detector,
    load_detector,
)
from gandetect.stages.scoring import Trained
from gandetect.training.checkpoints import DISCRIMINATOR, load_weights
from gandetect.training.networks import build_gan
from gandetect.training.supervised import new_classifier


def trained_detector(
    config: Trained,
    seed: int,
    folder: Path,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: torch.device,
) -> Detector:
    """The detector that a training's ``folder`` holds: its last or best epoch, or what was made."""
    origin = {"seed": seed, "epoch": epoch_of(config, folder), **provenance}
    if isinstance(config, ClassifierConfig):
        network = new_classifier(config, preprocessing.channels, weights=False)
        load_weights(network, folder / WEIGHTS)
        return make_detector(config, network, preprocessing, origin, device)
    if not isinstance(config, GanConfig):
        made = load_detector(folder, device.type)
        came_from = {**made.description.provenance, **origin}
        described = made.description.model_copy(update={"provenance": came_from})
        return Detector(made.network, described, device)
    return discriminator(
        config, seed, folder, preprocessing, {"gan": config.name, **origin}, device
    )


def discriminator(
    config: GanConfig,
    seed: int,
    folder: Path,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: torch.device,
) -> Detector:
    """A GAN's discriminator, of its last epoch or of the epoch whose folder is given."""
    gan = build_gan(config, preprocessing.image_size, preprocessing.channels, seed, device)
    load_weights(gan.discriminator, folder / DISCRIMINATOR)
    description = DetectorDescription(
        name=config.name,
        architecture=config.architecture,
        options=config.discriminator.model_dump(exclude_none=True),
        preprocessing=preprocessing,
        provenance=dict(provenance),
    )
    return as_detector(gan.discriminator, description, device)


def make_detector(
    config: ClassifierConfig,
    network: torch.nn.Module,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: torch.device,
) -> Detector:
    """A trained classifier as a detector."""
    description = DetectorDescription(
        kind="classifier",
        name=config.name,
        architecture=config.network,
        options=classifier_options(config),
        preprocessing=preprocessing,
        provenance={"recipe": config.recipe, **provenance},
    )
    return as_detector(network, description, device)


def classifier_options(config: ClassifierConfig) -> dict[str, Any]:
    """What `build_classifier` needs to know, beside the network's name and the channels."""
    return {
        "image_size": config.image_size,
        "stored_size": config.stored_size,
        "outputs": 1 if config.loss == "bce" else 2,
        "normalise": config.normalise,
        **config.head.model_dump(mode="json"),
        **({"embedding": config.contrastive.embedding} if config.contrastive else {}),
    }


def epoch_of(config: Trained, folder: Path) -> int:
    """The epoch that a detector's weights are of: the last, or a classifier's best."""
    if isinstance(config, ClassifierConfig):
        return int(runs.read_json(folder / "training.json")["best_epoch"])
    if isinstance(config, GanConfig):
        return config.epochs
    return int(runs.read_json(folder / runs.RECORD)["epoch"])
