"""A GAN's discriminator, taken as a detector after any epoch; its table is ``[[gans]]``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gandetect.config import ARCHITECTURES, GeneratorConfig
from gandetect.detectors.protocol import DetectorDescription, Kind, Preprocessing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from gandetect.detectors.network import NetworkDetector


class Discriminator(Kind):
    """A discriminator with the options of its GAN's ``discriminator``."""

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """One of an architecture that has discriminators."""
        size = description.preprocessing
        network: nn.Module = ARCHITECTURES[description.architecture].build(
            "discriminator", size.image_size, size.channels, **description.options
        )
        return network


def fresh_discriminator(
    gan: GeneratorConfig, seed: int, preprocessing: Preprocessing, device: torch.device
) -> nn.Module:
    """A GAN's discriminator with its initial weights."""
    from gandetect.training.networks import build_networks

    size, channels = preprocessing.image_size, preprocessing.channels
    return build_networks(gan, size, channels, seed, device)["discriminator"]


def discriminator_of(
    gan: GeneratorConfig,
    seed: int,
    folder: Path,
    preprocessing: Preprocessing,
    device: torch.device,
    epoch: int | None = None,
) -> NetworkDetector:
    """A GAN's discriminator after its last epoch, or after ``epoch``, from the GAN's folder."""
    from gandetect.detectors.network import as_detector
    from gandetect.training.checkpoints import DISCRIMINATOR, epoch_folder, load_weights

    network = fresh_discriminator(gan, seed, preprocessing, device)
    load_weights(network, epoch_folder(folder, epoch) / DISCRIMINATOR)
    description = DetectorDescription(
        name=gan.name,
        architecture=gan.architecture,
        options=gan.options("discriminator"),
        preprocessing=preprocessing,
        provenance={"gan": gan.name, "seed": seed, "epoch": epoch or gan.epochs},
    )
    return as_detector(network, description, device)
