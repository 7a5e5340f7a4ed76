"""The GAN without convolutions: fully connected, as in Goodfellow et al. 2014 (arXiv 1406.2661).

Its fakes know nothing of neighbouring pixels, so their noise is not that of any DCGAN. The paper's
maxout and sigmoid layers are replaced as usual today: LeakyReLU and BatchNorm in the generator,
LeakyReLU and dropout in the discriminator.

Shapes: noise ``(N, 100)`` -> images ``(N, C, H, W)`` in [-1, 1] -> logits ``(N,)``, high = real.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from gandetect.models.common import NOISE_SIZE, activation_named, glorot_uniform
from gandetect.models.layers import SeededDropout

WIDTHS = (256, 512, 1024)


class DenseGenerator(nn.Module):
    """`dense`'s generator, 100 - 256 - 512 - 1024 - pixels.

    It has 1,493,520 parameters at 28 x 28 x 1, as Keras counts.
    """

    def __init__(
        self, image_size: int = 28, channels: int = 1, activation: str = "leaky_relu"
    ) -> None:
        super().__init__()
        self.shape = (channels, *_sides(image_size))
        self.layers = nn.Sequential()
        for inputs, outputs in itertools.pairwise((NOISE_SIZE, *WIDTHS)):
            self.layers.append(nn.Linear(inputs, outputs))
            self.layers.append(nn.BatchNorm1d(outputs))
            self.layers.append(activation_named(activation))
        self.to_pixels = nn.Linear(WIDTHS[-1], channels * image_size**2)
        self.apply(glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        images: Tensor = self.to_pixels(self.layers(noise)).tanh().unflatten(1, self.shape)
        return images


class DenseDiscriminator(nn.Module):
    """`dense`'s discriminator, pixels - 512 - 256 - 1: 533,505 parameters at 28 x 28 x 1."""

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        negative_slope: float = 0.2,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        height, width = _sides(image_size)
        self.layers = nn.Sequential(
            nn.Linear(channels * height * width, 512),
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
            nn.Linear(512, 256),
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
            nn.Linear(256, 1),
        )
        self.apply(glorot_uniform)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits: Tensor = self.layers(images.flatten(1)).squeeze(1)
        return logits


def _sides(image_size: int) -> tuple[int, int]:
    if image_size < 1:
        raise ValueError(f"image_size is {image_size}; it must be at least 1, such as 28")
    return image_size, image_size
