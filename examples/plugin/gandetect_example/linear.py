"""An architecture in one file: one dense layer as a generator, and one as its discriminator."""

from __future__ import annotations

from torch import nn

from gandetect.config import Architecture, GanConfig
from gandetect.models import NOISE_SIZE


def generator(image_size: int = 28, channels: int = 1) -> nn.Module:
    """Noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
    shape = (channels, image_size, image_size)
    pixels = channels * image_size**2
    return nn.Sequential(nn.Linear(NOISE_SIZE, pixels), nn.Tanh(), nn.Unflatten(1, shape))


def discriminator(image_size: int = 28, channels: int = 1) -> nn.Module:
    """Images to logits ``(N,)``, high = real."""
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * image_size**2, 1), nn.Flatten(0))


LINEAR = Architecture(
    GanConfig,
    networks={"generator": generator, "discriminator": discriminator},
    training={
        "epochs": 2,
        "batch_size": 16,
        "steps_per_epoch": 3,
        "sampling": "shuffled",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": True,
        "real_label": 0.9,
        "generator_optimizer": {"learning_rate": 1e-3},
        "discriminator_optimizer": {"learning_rate": 1e-3},
    },
)
