"""A variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114): a generator that is no GAN.

The decoder is the generator: latents drawn from N(0, 1) are its noise. There is no discriminator;
the encoder stands beside it, and only training needs it.

Both grow with the images as the DCGANs do (`Growth`).

Shapes: images ``(N, C, H, W)`` in [-1, 1] -> mean and log-variance ``(N, 100)`` each; noise
``(N, 100)`` -> images ``(N, C, H, W)`` in [-1, 1].
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
from gandetect.models.layers import SameConv2d, SameConvTranspose2d


class Encoder(nn.Module):
    """`vae`'s encoder: 679,496 parameters at 28 x 28 x 1."""

    def __init__(self, image_size: int = 28, channels: int = 1) -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.layers = nn.Sequential(
            SameConv2d(channels, 32, kernel=5, stride=2),  # (N, 32, H/2, W/2)
            nn.ReLU(),
            SameConv2d(32, 64, kernel=5, stride=2),  # (N, 64, H/4, W/4)
            nn.ReLU(),
        )
        widths = [64, *growth.channels(64)]
        for inputs, outputs in itertools.pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, kernel=5, stride=2))
            self.layers.append(nn.ReLU())
        self.to_latents = nn.Linear(growth.side**2 * widths[-1], 2 * NOISE_SIZE)
        self.apply(glorot_uniform)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images ``(N, C, H, W)`` to the latents' mean and log-variance, ``(N, 100)`` each."""
        mean, log_variance = self.to_latents(flatten(self.layers(images))).chunk(2, dim=1)
        return mean, log_variance


class Decoder(nn.Module):
    """`vae`'s decoder, its generator: 350,049 parameters at 28 x 28 x 1.

    It answers with the mean of its Gaussian, without that Gaussian's noise.
    """

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.side = growth.side
        widths = [64, *growth.channels(64)][::-1]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        self.further = nn.Sequential()
        for inputs, outputs in itertools.pairwise(widths):
            self.further.append(SameConvTranspose2d(inputs, outputs, kernel=4))
            self.further.append(activation_named(activation))
        self.up1 = SameConvTranspose2d(64, 32, kernel=4)
        self.up2 = SameConvTranspose2d(32, channels, kernel=4)
        self.activation = activation_named(activation)
        self.apply(glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = unflatten(self.activation(self.dense(noise)), self.side)
        features = self.activation(self.up1(self.further(features)))  # (N, 32, H/2, W/2)
        images: Tensor = self.up2(features).tanh()  # (N, C, H, W)
        return images
