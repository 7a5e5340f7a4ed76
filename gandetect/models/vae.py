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
    ConvGenerator,
    Growth,
    activation_named,
    flatten,
    glorot_uniform,
    halving,
)
from gandetect.models.layers import SameConvTranspose2d


class Encoder(nn.Module):
    """`vae`'s encoder: 679,496 parameters at 28 x 28 x 1."""

    def __init__(self, image_size: int = 28, channels: int = 1) -> None:
        super().__init__()
        growth = Growth.of(image_size)
        widths = [channels, 32, 64, *growth.channels(64)]
        self.layers = halving(widths, 5, nn.ReLU)
        self.to_latents = nn.Linear(growth.side**2 * widths[-1], 2 * NOISE_SIZE)
        self.apply(glorot_uniform)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map images ``(N, C, H, W)`` to the latents' mean and log-variance, ``(N, 100)`` each."""
        mean, log_variance = self.to_latents(flatten(self.layers(images))).chunk(2, dim=1)
        return mean, log_variance


class Decoder(ConvGenerator):
    """`vae`'s decoder, its generator: 350,049 parameters at 28 x 28 x 1.

    It answers with the mean of its Gaussian, without that Gaussian's noise.
    """

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__(image_size, 64, 32, channels)
        for inputs, outputs in itertools.pairwise(self.widths):
            self.layers.append(activation_named(activation))
            self.layers.append(SameConvTranspose2d(inputs, outputs, kernel=4))
        self.apply(glorot_uniform)
