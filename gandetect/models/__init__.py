"""Networks only: plain `nn.Module`s that know nothing of data, configuration or files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from gandetect.models.common import NOISE_SIZE
from gandetect.models.dcgan import (
    BatchNormDiscriminator,
    BatchNormGenerator,
    PlainDiscriminator,
    PlainGenerator,
)
from gandetect.models.dense import DenseDiscriminator, DenseGenerator
from gandetect.models.vae import Decoder, Encoder
from gandetect.models.wgan_gp import WassersteinCritic, WassersteinGenerator

__all__ = ["ARCHITECTURES", "NOISE_SIZE", "Architecture", "keras_parameter_count"]


@dataclass(frozen=True)
class Architecture:
    """How to build a generator, and the network that it is trained with: its partner.

    ``generator(image_size=28, channels=1)`` maps noise ``(N, 100)`` to images ``(N, C, H, W)`` in
    [-1, 1]. A GAN's partner is a discriminator, which maps images to logits ``(N,)``, high = real;
    a VAE's is an encoder, which maps images to the mean and log-variance of its latents. All take
    further options by keyword and raise `ValueError` for a size they cannot serve.
    """

    generator: Callable[..., nn.Module]
    partner: Callable[..., nn.Module]
    partner_kind: Literal["discriminator", "encoder"] = "discriminator"

    @property
    def discriminator(self) -> Callable[..., nn.Module]:
        """How to build its discriminator; `ValueError` where it has none."""
        if self.partner_kind != "discriminator":
            raise ValueError(f"it is trained with an {self.partner_kind}, not with a discriminator")
        return self.partner


ARCHITECTURES: dict[str, Architecture] = {
    "dcgan-bn": Architecture(BatchNormGenerator, BatchNormDiscriminator),
    "dcgan-plain": Architecture(PlainGenerator, PlainDiscriminator),
    "wgan-gp": Architecture(WassersteinGenerator, WassersteinCritic),
    "dense": Architecture(DenseGenerator, DenseDiscriminator),
    "vae": Architecture(Decoder, Encoder, "encoder"),
}


def keras_parameter_count(network: nn.Module) -> int:
    """Parameters as Keras counts them: BatchNorm's two moving statistics included."""
    moving = (b.numel() for name, b in network.named_buffers() if "running" in name)
    return sum(p.numel() for p in network.parameters()) + sum(moving)
