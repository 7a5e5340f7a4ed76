"""Networks only: plain `nn.Module`s that know nothing of data, configuration or files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from gandetect.models.dcgan import (
    NOISE_SIZE,
    BatchNormDiscriminator,
    BatchNormGenerator,
    PlainDiscriminator,
    PlainGenerator,
)

__all__ = ["ARCHITECTURES", "NOISE_SIZE", "Architecture", "keras_parameter_count"]


@dataclass(frozen=True)
class Architecture:
    """A GAN: how to build its two networks.

    ``generator(image_size=28, channels=1)`` maps noise ``(N, 100)`` to images ``(N, C, H, W)`` in
    [-1, 1]; ``discriminator(image_size=28, channels=1)`` maps images to logits ``(N,)``, high =
    real. Both take further options by keyword and raise `ValueError` for a size they cannot serve.
    """

    generator: Callable[..., nn.Module]
    discriminator: Callable[..., nn.Module]


ARCHITECTURES: dict[str, Architecture] = {
    "dcgan-bn": Architecture(BatchNormGenerator, BatchNormDiscriminator),
    "dcgan-plain": Architecture(PlainGenerator, PlainDiscriminator),
}


def keras_parameter_count(network: nn.Module) -> int:
    """Parameters as Keras counts them: BatchNorm's two moving statistics included."""
    moving = (b.numel() for name, b in network.named_buffers() if "running" in name)
    return sum(p.numel() for p in network.parameters()) + sum(moving)
