"""A small DCGAN for the Wasserstein loss with gradient penalty (Gulrajani et al. 2017).

arXiv 1704.00028: the critic has no BatchNorm, for the penalty is on each image's own gradient
(section 4, "No critic batch normalization"), and no dropout; the generator has BatchNorm. It has
the paper's depth at half its widths, and kernels of 3 in the critic, which is differentiated twice:
a CPU trains it in minutes.

It grows with the images as the DCGANs do (`Growth`).

Shapes: noise ``(N, 100)`` -> images ``(N, C, H, W)`` in [-1, 1] -> logits ``(N,)``, high = real.
"""

from __future__ import annotations

import itertools

from torch import nn

from gandetect.models.common import (
    ConvDiscriminator,
    ConvGenerator,
    Growth,
    activation_named,
    glorot_uniform,
    halving,
)
from gandetect.models.layers import SameConvTranspose2d, SeededDropout


class WassersteinGenerator(ConvGenerator):
    """`wgan-gp`'s generator: 369,153 parameters at 28 x 28 x 1, as Keras counts."""

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__(image_size, 64, 32, channels)
        for inputs, outputs in itertools.pairwise(self.widths):
            self.layers.append(nn.BatchNorm2d(inputs))
            self.layers.append(activation_named(activation))
            self.layers.append(SameConvTranspose2d(inputs, outputs, kernel=5))
        self.apply(glorot_uniform)


class WassersteinCritic(ConvDiscriminator):
    """`wgan-gp`'s discriminator, a critic in its paper: 94,721 parameters at 28 x 28 x 1."""

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        growth = Growth.of(image_size)
        widths = [channels, 32, 64, 128, *growth.channels(128)]
        layers = halving(widths, 3, lambda: nn.LeakyReLU(negative_slope))
        layers.append(SeededDropout(dropout))
        super().__init__(layers, (-(-growth.side // 2)) ** 2 * widths[-1])
        self.apply(glorot_uniform)
