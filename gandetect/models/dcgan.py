"""The two DCGANs of the reference study, ported from Keras to the last padding.

Both follow Radford et al. 2015 (arXiv 1511.06434) through two public Keras notebooks on
Fashion-MNIST. Given the same weights, the ports give Keras' outputs to 1e-4; dense layers and
flattening therefore keep Keras' order of features: height, width, channels.

Shapes: noise ``(N, 100)`` -> images ``(N, C, H, W)`` in [-1, 1] -> logits ``(N,)``, high = real.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from gandetect.models.layers import SameConv2d, SameConvTranspose2d, SeededDropout

NOISE_SIZE = 100


class BatchNormGenerator(nn.Module):
    """`dcgan-bn`'s generator: 840,705 parameters at 28 x 28 x 1, as Keras counts."""

    def __init__(self, image_size: int = 28, channels: int = 1, activation: str = "relu") -> None:
        super().__init__()
        self.side = _quarter(image_size)
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * 128)
        self.norm1 = _keras_batch_norm(128)
        self.up1 = SameConvTranspose2d(128, 64, kernel=5)
        self.activation = _activation(activation)
        self.norm2 = _keras_batch_norm(64)
        self.up2 = SameConvTranspose2d(64, channels, kernel=5)
        self.apply(_glorot_uniform)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = _unflatten(self.dense(noise), self.side)  # (N, 128, H/4, W/4)
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
    ) -> None:
        super().__init__()
        side = _quarter(image_size)
        self.layers = nn.Sequential(
            SameConv2d(channels, 64, kernel=5, stride=2),  # (N, 64, H/2, W/2)
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
            SameConv2d(64, 128, kernel=5, stride=2),  # (N, 128, H/4, W/4)
            nn.LeakyReLU(negative_slope),
            SeededDropout(dropout),
        )
        self.dense = nn.Linear(side * side * 128, 1)
        self.apply(_glorot_uniform)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits: Tensor = self.dense(_flatten(self.layers(images))).squeeze(1)
        return logits


class PlainGenerator(nn.Module):
    """`dcgan-plain`'s generator, without BatchNorm: 2,054,785 parameters at 28 x 28 x 1."""

    def __init__(
        self, image_size: int = 28, channels: int = 1, activation: str = "leaky_relu"
    ) -> None:
        super().__init__()
        self.side = _quarter(image_size)
        self.dense = nn.Linear(NOISE_SIZE, self.side * self.side * 256)
        self.activation = _activation(activation)
        self.up1 = SameConvTranspose2d(256, 128, kernel=4)
        self.up2 = SameConvTranspose2d(128, 128, kernel=4)
        self.to_image = SameConv2d(128, channels, kernel=3)
        self.apply(_normal_002)

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        features = _unflatten(self.activation(self.dense(noise)), self.side)
        features = self.activation(self.up1(features))  # (N, 128, H/2, W/2)
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
    ) -> None:
        super().__init__()
        side = -(-_quarter(image_size) // 2)
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
        self.dropout = SeededDropout(dropout)
        self.dense = nn.Linear(side * side * 256, 1)
        self.apply(_normal_002)
        _glorot_uniform(self.dense)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        features = self.dropout(_flatten(self.layers(images)))
        logits: Tensor = self.dense(features).squeeze(1)
        return logits


def _quarter(image_size: int) -> int:
    if image_size < 8 or image_size % 4:
        raise ValueError(
            f"image_size is {image_size}; it must be a multiple of 4 and at least 8, such as 28"
        )
    return image_size // 4


def _activation(name: str) -> nn.Module:
    activations: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "selu": nn.SELU,
        "leaky_relu": lambda: nn.LeakyReLU(0.2),
    }
    return activations[name]()


def _keras_batch_norm(channels: int) -> nn.BatchNorm2d:
    # Keras' momentum 0.99 is the share kept; PyTorch's is the share replaced.
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _unflatten(features: Tensor, side: int) -> Tensor:
    # Keras reshapes to (H, W, C); the permuted view is channels_last, so nothing is copied.
    return features.view(features.shape[0], side, side, -1).permute(0, 3, 1, 2)


def _flatten(features: Tensor) -> Tensor:
    return features.permute(0, 2, 3, 1).flatten(1)


def _glorot_uniform(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _normal_002(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
