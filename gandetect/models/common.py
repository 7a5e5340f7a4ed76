"""What the generators and their counterparts share: sizes, stacks of layers, initial weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from gandetect.models.histogram import HistogramBranch
from gandetect.models.layers import SameConv2d, bound_slopes

WIDEST = 512  # channels of a stage
NOISE_SIZE = 100  # of every generator: images are drawn from noise (N, 100) ~ N(0, 1)


@dataclass(frozen=True)
class Growth:
    """How a network for 28 x 28 grows with the images: by further stages at its coarse end.

    A generator starts from ``side`` pixels and doubles them: twice below 56 pixels, three times
    below 112, and so on, so that it starts from 7 to 13. A stage further in has twice the channels,
    512 at most (the widest of Radford et al. 2015, arXiv 1511.06434, but the first). With no
    further stage, below 56 pixels, a network is what it is at 28 x 28.
    """

    side: int
    extra_stages: int

    def channels(self, base: int) -> list[int]:
        """Channels of the further stages, outwards in: those of ``base`` channels come before.

        >>> Growth.of(112).channels(128)
        [256, 512]
        """
        return [
            min(max(base, WIDEST), base * 2**stage) for stage in range(1, self.extra_stages + 1)
        ]

    @staticmethod
    def of(image_size: int) -> Growth:
        """The growth for images of a side; `ValueError` for one that doublings cannot reach.

        >>> Growth.of(28), Growth.of(64)
        (Growth(side=7, extra_stages=0), Growth(side=8, extra_stages=1))
        """
        doublings = max(2, (image_size // 7).bit_length() - 1)
        step = 2**doublings
        if image_size < 8 or image_size % step:
            lower = max(8, image_size // step * step)
            raise ValueError(
                f"image_size is {image_size}, and generators double a small square {doublings} "
                f"times to reach it; give a multiple of {step}, such as {lower} or {lower + step}"
            )
        return Growth(image_size // step, doublings - 2)


class ConvGenerator(nn.Module):
    """A dense layer, folded to a square of ``side`` pixels, then `layers` that double it.

    ``widths`` are the channels of its stages at 28 x 28, inwards out; `widths` has the further ones
    of larger images (`Growth`), too. A sub-class fills `layers`; tanh stands behind the last one.
    """

    def __init__(self, image_size: int, *widths: int) -> None:
        super().__init__()
        growth = Growth.of(image_size)
        self.side, self.widths = growth.side, [*growth.channels(widths[0])[::-1], *widths]
        self.dense = nn.Linear(NOISE_SIZE, self.side**2 * self.widths[0])
        self.layers = nn.Sequential()

    def forward(self, noise: Tensor) -> Tensor:
        """Map noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]."""
        images: Tensor = self.layers(unflatten(self.dense(noise), self.side)).tanh()
        return images


class ConvDiscriminator(nn.Module):
    """Convolutions, a dense layer, and beside them a `HistogramBranch` if asked for."""

    def __init__(self, layers: nn.Sequential, features: int) -> None:
        super().__init__()
        self.layers = layers
        self.dense = nn.Linear(features, 1)
        self.histogram: HistogramBranch | None = None

    def add(self, channels: int, dropout: float, *, histogram: bool, spectral_norm: bool) -> None:
        """Add the branch for grey levels, and bound the slopes of all layers, where asked for."""
        self.histogram = HistogramBranch(channels, dropout) if histogram else None
        if spectral_norm:
            bound_slopes(self)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to logits ``(N,)``, high = real."""
        logits: Tensor = self.dense(flatten(self.layers(images))).squeeze(1)
        return logits if self.histogram is None else logits + self.histogram(images)


def halving(widths: Sequence[int], kernel: int, *after: Callable[[], nn.Module]) -> nn.Sequential:
    """Convolutions with stride 2 from each width to the next, each with the layers ``after`` it."""
    layers = nn.Sequential()
    for inputs, outputs in itertools.pairwise(widths):
        layers.append(SameConv2d(inputs, outputs, kernel, stride=2))
        layers.extend(layer() for layer in after)
    return layers


def activation_named(name: str) -> nn.Module:
    """A generator's activation: "relu", "selu", or "leaky_relu" with a slope of 0.2."""
    activations: dict[str, Callable[[], nn.Module]] = {
        "relu": nn.ReLU,
        "selu": nn.SELU,
        "leaky_relu": lambda: nn.LeakyReLU(0.2),
    }
    return activations[name]()


def unflatten(features: Tensor, side: int) -> Tensor:
    """Fold ``(N, side * side * C)`` to ``(N, C, side, side)``, in Keras' order of features."""
    # Keras reshapes to (H, W, C); the permuted view is channels_last, so nothing is copied.
    return features.view(features.shape[0], side, side, -1).permute(0, 3, 1, 2)


def flatten(features: Tensor) -> Tensor:
    """Lay ``(N, C, H, W)`` out as ``(N, H * W * C)``, in Keras' order of features."""
    return features.permute(0, 2, 3, 1).flatten(1)


def glorot_uniform(module: nn.Module) -> None:
    """Initialise one layer as Keras does by default (Glorot and Bengio 2010); biases are 0."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def normal_002(module: nn.Module) -> None:
    """Initialise one layer from N(0, 0.02), as DCGAN (arXiv 1511.06434); biases are 0."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]
