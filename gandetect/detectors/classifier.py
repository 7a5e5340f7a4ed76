"""A supervised classifier as a detector; its table is ``[[classifiers]]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gandetect.config import ClassifierConfig
from gandetect.detectors.protocol import DetectorDescription, Kind, Preprocessing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from gandetect.detectors.network import NetworkDetector


class Classifier(Kind):
    """A backbone with a head, which answers with the score itself."""

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """One of the networks of `gandetect.models.classifiers`."""
        from gandetect.models.classifiers import build_classifier

        channels = description.preprocessing.channels
        return build_classifier(description.architecture, channels=channels, **description.options)


def as_classifier(
    config: ClassifierConfig,
    network: nn.Module,
    preprocessing: Preprocessing,
    device: torch.device,
    **provenance: object,
) -> NetworkDetector:
    """A trained classifier as a detector."""
    from gandetect.detectors.network import as_detector
    from gandetect.training.supervised import network_options

    description = DetectorDescription(
        kind="classifier",
        name=config.name,
        architecture=config.network,
        options=network_options(config),
        preprocessing=preprocessing,
        provenance={"recipe": config.recipe, **provenance},
    )
    return as_detector(network, description, device)


def classifier_of(
    config: ClassifierConfig,
    seed: int,
    folder: Path,
    preprocessing: Preprocessing,
    device: torch.device,
    epoch: int,
) -> NetworkDetector:
    """The classifier that a training's folder holds, that of its best epoch."""
    from gandetect.detectors.folder import WEIGHTS
    from gandetect.training.checkpoints import load_weights
    from gandetect.training.supervised import new_classifier

    network = new_classifier(config, preprocessing.channels, weights=False)
    load_weights(network, folder / WEIGHTS)
    return as_classifier(config, network, preprocessing, device, seed=seed, epoch=epoch)
