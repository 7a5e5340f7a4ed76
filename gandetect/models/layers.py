"""Layers that PyTorch lacks or is slow at: Keras' "same" convolutions, and seeded dropout."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SameConv2d(nn.Conv2d):
    """Convolution padded as Keras' ``padding="same"``.

    With stride 2 Keras pads unevenly, the extra row and column at the end (kernel 5 on 28: 1
    before, 2 after; kernel 3 on 28: 0 and 1; kernel 3 on 7: 1 and 1). A symmetric padding would
    give another function.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride)

    def forward(self, images: Tensor) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, ceil(H / stride), ceil(W / stride))``."""
        top, bottom = same_padding(images.shape[2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(images.shape[3], self.kernel_size[1], self.stride[1])
        if top == bottom and left == right:  # symmetric: the convolution pads by itself, no copy
            return functional.conv2d(images, self.weight, self.bias, self.stride, (top, left))
        return super().forward(functional.pad(images, (left, right, top, bottom)))


class SameConvTranspose2d(nn.ConvTranspose2d):
    """Transposed convolution with stride 2 that exactly doubles the side, as Keras' "same".

    Kernel 5 equals ``padding=1`` without the last row and column; kernel 4 equals ``padding=1``.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        if kernel not in (4, 5):
            raise ValueError(f"kernel is {kernel}; this layer knows kernels 4 and 5")
        super().__init__(inputs, outputs, kernel, stride=2, padding=1)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map ``(N, inputs, H, W)`` to ``(N, outputs, 2 H, 2 W)``."""
        doubled = super().forward(images)
        return doubled[:, :, : 2 * images.shape[2], : 2 * images.shape[3]]


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a generator of its own, 16 random bits an element.

    PyTorch's CPU mask (`bernoulli_`) draws one number an element and took 30 to 45 % of a
    training step; here one 64-bit draw serves four elements. The probability is rounded to
    1/65,536, the scale is the exact inverse of the rounded probability of keeping.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Zero each element with the layer's probability; the identity in eval mode."""
        dropped = round(self.probability * 65536)
        if not self.training or dropped == 0:
            return features
        count = features.numel()
        words = torch.empty((count + 3) // 4, dtype=torch.int64, device=features.device)
        words.random_(-(2**63), None, generator=self.generator)
        kept = words.view(torch.int16)[:count] >= dropped - 32768
        # The mask takes the features' own memory layout, so multiplying moves no data.
        mask = kept.to(features.dtype).mul_(65536 / (65536 - dropped))
        return features * torch.as_strided(mask, features.shape, _dense_strides(features))

    def extra_repr(self) -> str:
        """Show the probability in the network's printout."""
        return f"p={self.probability}"


def seed_dropout(network: nn.Module, generator: torch.Generator) -> None:
    """Let every `SeededDropout` of a network draw from one generator."""
    for module in network.modules():
        if isinstance(module, SeededDropout):
            module.generator = generator


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows before and after, as TensorFlow pads ``"same"``: the odd one goes to the end.

    >>> same_padding(28, kernel=5, stride=2), same_padding(7, kernel=3, stride=2)
    ((1, 2), (1, 1))
    """
    outputs = -(-side // stride)
    total = max((outputs - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _dense_strides(features: Tensor) -> tuple[int, ...]:
    if features.dim() == 4 and features.is_contiguous(memory_format=torch.channels_last):
        _, channels, height, width = features.shape
        return (channels * height * width, 1, width * channels, channels)
    strides, step = [], 1
    for size in reversed(features.shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))
