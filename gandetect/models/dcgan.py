"""The two DCGANs of the reference study, ported from Keras to the last padding.

Both follow Radford et al. 2015 (arXiv 1511.06434) through two public Keras notebooks on
Fashion-MNIST. Given the same weights, the ports give Keras' outputs to 1e-4; dense layers and
flattening therefore keep Keras' order of features: height, width, channels.

With larger images both grow by `Growth`: further stages like their own, at the coarse end.

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
    normal_002,
    unflatten,
)
from gandetect.models.histogram import HistogramBranch
from gandetect.models.layers import (
    SameConv2d,
    SameConvTranspose2d,
    SeededDropout,
    bound_slopes,
)


class BatchNormGenerator(nn.Module):
    """`dcgan-bn`'s generator: 840,705 parameters at 28 x 28 x 1, as Keras counts."""

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.side = growth.side
        widths = [128, *growth.channels(128)][::-1]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        self.further = nn.Sequential()
        for inputs, outputs in itertools.pairwise(widths):
            self.further.append(_keras_batch_norm(inputs))
            self.further.append(SameConvTranspose2d(inputs, outputs, kernel=5))
            self.further.append(activation_named(activation))
        self.norm1 = _keras_batch_norm(128)
        self.up1 = SameConvTranspose2d(128, 64, kernel=5)
        self.activation = activation_named(activation)
        self.norm2 = _keras_batch_norm(64)
        self.up2 = SameConvTranspose2d(64, channels, kernel=5)
        self.apply(glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = self.further(unflatten(self.dense(noise), self.side))  # (N, 128, H/4, W/4)
        features = self.activation(self.up1(self.norm1(features)))  # (N, 64, H/2, W/2)
        images: Tensor = self.up2(self.norm2(features)).tanh()  # (N, C, H, W)
        return images


class BatchNormDiscriminator(nn.Module):
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
        super().__init__()
        growth = Growth.of(image_size)
        self.layers = nn.Sequential(
            SameConv2d(channels, 64, kernel=5, stride=2),  # (N, 64, H/2, W/2)
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
            SameConv2d(64, 128, kernel=5, stride=2),  # (N, 128, H/4, W/4)
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
        )
        widths = [128, *growth.channels(128)]
        for inputs, outputs in itertools.pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, kernel=5, stride=2))
            self.layers.append(nn.LeakyReLU(negative_slope))
            self.layers.append(SeededDropout(dropout))
        self.dense = nn.Linear(growth.side**2 * widths[-1], 1)
        self.apply(glorot_uniform)
        self.histogram = HistogramBranch(channels, dropout) if histogram else None
        if spectral_norm:
            bound_slopes(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits: Tensor = self.dense(flatten(self.layers(images))).squeeze(1)
        return logits if self.histogram is None else logits + self.histogram(images)


class PlainGenerator(nn.Module):
    """`dcgan-plain`'s generator, without BatchNorm: 2,054,785 parameters at 28 x 28 x 1."""

    def __init__(
        self, image_size: int = 28, channels: int = 1, activation: str = "leaky_relu"
    ) -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.side = growth.side
        widths = [256, *growth.channels(256)][::-1]
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * widths[0])
        self.activation = activation_named(activation)
        self.further = nn.Sequential()
        for inputs, outputs in itertools.pairwise(widths):
            self.further.append(SameConvTranspose2d(inputs, outputs, kernel=4))
            self.further.append(activation_named(activation))
        self.up1 = SameConvTranspose2d(256, 128, kernel=4)
        self.up2 = SameConvTranspose2d(128, 128, kernel=4)
        self.to_image = SameConv2d(128, channels, kernel=3)
        self.apply(normal_002)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = unflatten(self.activation(self.dense(noise)), self.side)
        features = self.activation(self.up1(self.further(features)))  # (N, 128, H/2, W/2)
        features = self.activation(self.up2(features))  # (N, 128, H, W)
        images: Tensor = self.to_image(features).tanh()  # (N, C, H, W)
        return images


class PlainDiscriminator(nn.Module):
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
        super().__init__()
        growth = Growth.of(image_size)
        self.layers = nn.Sequential(
            SameConv2d(channels, 64, kernel=3),  # (N, 64, H, W)
            nn.LeakyReLU(negative_slope),
            SameConv2d(64, 128, kernel=3, stride=2),  # (N, 128, H/2, W/2)
            nn.LeakyReLU(negative_slope),
            SameConv2d(128, 128, kernel=3, stride=2),  # (N, 128, H/4, W/4)
            nn.LeakyReLU(negative_slope),
            SameConv2d(128, 256, kernel=3, stride=2),  # (N, 256, ceil(H/8), ceil(W/8))
            nn.LeakyReLU(negative_slope),
        )
        widths = [256, *growth.channels(256)]
        for inputs, outputs in itertools.pairwise(widths):
            self.layers.append(SameConv2d(inputs, outputs, kernel=3, stride=2))
            self.layers.append(nn.LeakyReLU(negative_slope))
        self.dropout = SeededDropout(dropout)
        side = -(-growth.side // 2)
        self.dense = nn.Linear(side * side * widths[-1], 1)
        self.apply(normal_002)
        glorot_uniform(self.dense)
        self.histogram = HistogramBranch(channels, dropout) if histogram else None
        if spectral_norm:
            bound_slopes(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        features = self.dropout(flatten(self.layers(images)))
        logits: Tensor = self.dense(features).squeeze(1)
        return logits if self.histogram is None else logits + self.histogram(images)


def _keras_batch_norm(channels: int) -> nn.BatchNorm2d:
    # Keras' momentum 0.99 is the share kept; PyTorch's is the share replaced.
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
