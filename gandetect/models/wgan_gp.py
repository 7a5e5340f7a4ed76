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

from torch import Tensor, nn

from gandetect.models.common import (
    NOISE_SIZE,
    Growth,
    activation_named,
    flatten,
    glorot_uniform,
    unflatten,
)
from gandetect.models.layers import SameConv2d, SameConvTranspose2d, SeededDropout


class WassersteinGenerator(nn.Module):
    """`wgan-gp`'s generator: 369,153 parameters at 28 x 28 x 1, as Keras counts."""

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.side = growth.side
        widths = [64, *growth.channels(64)][::-1]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        self.further = nn.Sequential()
        for inputs, outputs in itertools.pairwise(widths):
            self.further.append(nn.BatchNorm2d(inputs))
            self.further.append(activation_named(activation))
            self.further.append(SameConvTranspose2d(inputs, outputs, kernel=5))
        self.norm1 = nn.BatchNorm2d(64)
        self.up1 = SameConvTranspose2d(64, 32, kernel=5)
        self.norm2 = nn.BatchNorm2d(32)
        self.up2 = SameConvTranspose2d(32, channels, kernel=5)
        self.activation = activation_named(activation)
        self.apply(glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = self.further(unflatten(self.dense(noise), self.side))
        features = self.activation(self.norm1(features))  # (N, 64, H/4, W/4)
        features = self.activation(self.norm2(self.up1(features)))  # (N, 32, H/2, W/2)
        images: Tensor = self.up2(features).tanh()  # (N, C, H, W)
        return images


class WassersteinCritic(nn.Module):
    """`wgan-gp`'s discriminator, a critic in its paper: 94,721 parameters at 28 x 28 x 1."""

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        growth = Growth.of(image_size)
        widths = [128, *growth.channels(128)]
        self.layers = nn.Sequential(
            SameConv2d(channels, 32, kernel=3, stride=2),  # (N, 32, H/2, W/2)
            nn.LeakyReLU(negative_slope),
            SameConv2d(32, 64, kernel=3, stride=2),  # (N, 64, H/4, W/4)
            nn.LeakyReLU(negative_slope),
            SameConv2d(64, 128, kernel=3, stride=2),  # (N, 128, ceil(H/8), ceil(W/8))
            nn.LeakyReLU(negative_slope),
        )
        for inputs, outputs in itertools.pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, kernel=3, stride=2))
            self.layers.append(nn.LeakyReLU(negative_slope))
        self.layers.append(SeededDropout(dropout))
        side = -(-growth.side // 2)
        self.dense = nn.Linear(side * side * widths[-1], 1)
        self.apply(glorot_uniform)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits: Tensor = self.dense(flatten(self.layers(images))).squeeze(1)
        return logits
