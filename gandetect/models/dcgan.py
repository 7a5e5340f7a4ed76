"""The two DCGANs of the reference study, ported from Keras to the last padding.

Both follow Radford et al. 2015 (arXiv 1511.06434) through two public Keras notebooks on
Fashion-MNIST. Given the same weights, the ports give Keras' outputs to 1e-4; dense layers and
flattening therefore keep Keras' order of features: height, width, channels.

With larger images both grow by `Growth`: further stages like their own, at the coarse end.

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
    normal_002,
)
from gandetect.models.layers import SameConv2d, SameConvTranspose2d, SeededDropout


class BatchNormGenerator(ConvGenerator):
    """`dcgan-bn`'s generator: 840,705 parameters at 28 x 28 x 1, as Keras counts."""

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__(image_size, 128, 64, channels)
        for inputs, outputs in itertools.pairwise(self.widths):
            # Keras' momentum 0.99 is the share kept; PyTorch's is the share replaced.
            self.layers.append(nn.BatchNorm2d(inputs, eps=1e-3, momentum=0.01))
            self.layers.append(SameConvTranspose2d(inputs, outputs, kernel=5))
            self.layers.append(activation_named(activation))
        del self.layers[-1]
        self.apply(glorot_uniform)


class BatchNormDiscriminator(ConvDiscriminator):
    """`dcgan-bn`'s discriminator: 212,865 parameters at 28 x 28 x 1. It has no BatchNorm."""

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        negative_slope: float = 0.3,
        dropout: float = 0.5,
        spectral_norm: bool = False,
        histogram: bool = False,
    ) -> None:
        growth = Growth.of(image_size)
        widths = [channels, 64, 128, *growth.channels(128)]
        after = lambda: nn.LeakyReLU(negative_slope), lambda: SeededDropout(dropout)
        super().__init__(halving(widths, 5, *after), growth.side**2 * widths[-1])
        self.apply(glorot_uniform)
        self.add(channels, dropout, histogram=histogram, spectral_norm=spectral_norm)


class PlainGenerator(ConvGenerator):
    """`dcgan-plain`'s generator, without BatchNorm: 2,054,785 parameters at 28 x 28 x 1."""

    def __init__(
        self, image_size: int = 28, channels: int = 1, activation: str = "leaky_relu"
    ) -> None:
        super().__init__(image_size, 256, 128, 128)
        self.layers.append(activation_named(activation))
        for inputs, outputs in itertools.pairwise(self.widths):
            self.layers.append(SameConvTranspose2d(inputs, outputs, kernel=4))
            self.layers.append(activation_named(activation))
        self.layers.append(SameConv2d(128, channels, kernel=3))
        self.apply(normal_002)


class PlainDiscriminator(ConvDiscriminator):
    """`dcgan-plain`'s discriminator: 521,345 parameters at 28 x 28 x 1."""

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        negative_slope: float = 0.2,
        dropout: float = 0.4,
        spectral_norm: bool = False,
        histogram: bool = False,
    ) -> None:
        growth = Growth.of(image_size)
        widths = [64, 128, 128, 256, *growth.channels(256)]
        layers = nn.Sequential(SameConv2d(channels, 64, kernel=3), nn.LeakyReLU(negative_slope))
        layers.extend(halving(widths, 3, lambda: nn.LeakyReLU(negative_slope)))
        layers.append(SeededDropout(dropout))
        super().__init__(layers, (-(-growth.side // 2)) ** 2 * widths[-1])
        self.apply(normal_002)
        glorot_uniform(self.dense)
        self.add(channels, dropout, histogram=histogram, spectral_norm=spectral_norm)
