"""Layers that PyTorch lacks or is slow at: Keras' "same" convolutions, and seeded dropout.

What is faster here than PyTorch's own computes the same function; `make bench` says by how much.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

# A convolution from or to so few channels leaves most of a vector register idle: on the CPU some
# of oneDNN's passes then run at a twentieth of their usual rate, and a matrix product wins.
FEW_CHANNELS = 4


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
        even = top == bottom and left == right
        if images.is_cpu and self.out_channels <= FEW_CHANNELS and even and self.stride == (1, 1):
            kernel = self.weight.flip(2, 3).transpose(0, 1)  # (inputs, outputs, K, K)
            spread = _spread_and_add(images, kernel, images.shape[2:], (1, 1), (top, left))
            return spread + _as_image(self.bias, spread)
        if images.is_cpu and self.in_channels <= FEW_CHANNELS and images.requires_grad:
            # With no gradient to hand on, as on real images, the convolution itself is as fast.
            padded = functional.pad(images, (left, right, top, bottom))
            return _gather_and_multiply(padded, self.weight, self.bias, self.stride)
        if even:  # the convolution pads by itself, no copy
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
        height, width = 2 * images.shape[2], 2 * images.shape[3]
        if images.is_cpu and self.out_channels <= FEW_CHANNELS:
            odd = self.kernel_size[0] % 2
            sizes = (height + odd, width + odd), (2, 2), (1, 1)
            doubled = _spread_and_add(images, self.weight, *sizes)
        else:
            doubled = functional.conv_transpose2d(images, self.weight, None, 2, 1)
        # Added by itself: the bias' gradient took a quarter of oneDNN's whole backward pass.
        exact: Tensor = doubled[:, :, :height, :width] + _as_image(self.bias, doubled)
        return exact


def _gather_and_multiply(
    padded: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...]
) -> Tensor:
    """Convolve without padding, as one matrix product over the patches; channels_last."""
    kernel = weight.shape[2]
    height = (padded.shape[2] - kernel) // stride[0] + 1
    patches = functional.unfold(padded, kernel, stride=stride).transpose(1, 2)
    outputs = functional.linear(patches, weight.flatten(1), bias).unflatten(1, (height, -1))
    images: Tensor = outputs.permute(0, 3, 1, 2)
    return images


def _spread_and_add(
    images: Tensor,
    kernel: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> Tensor:
    """Convolve transposed: each pixel times the whole kernel, then a sum where they overlap.

    ``images`` ``(N, inputs, H, W)``, ``kernel`` ``(inputs, outputs, K, K)``, ``size`` (H', W'):
    gives ``(N, outputs, H', W')``.
    """
    pixels = images.permute(0, 2, 3, 1).flatten(1, 2)  # (N, H * W, inputs)
    products = pixels @ kernel.flatten(1)
    return functional.fold(
        products.transpose(1, 2), size, kernel.shape[2:], stride=stride, padding=padding
    )


def _as_image(bias: Tensor | None, like: Tensor) -> Tensor:
    assert bias is not None
    return bias.to(like.dtype)[:, None, None]


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a generator of its own, 16 random bits an element.

    PyTorch's CPU mask (`bernoulli_`) draws one number an element and took 30 to 45 % of a
    training step. Here one 64-bit draw serves four elements, and a mask is a pattern of bits: all
    ones where an element is kept, so that keeping is a bitwise "and" of whole vectors. The
    probability is rounded to 1/32,768; the scale is the exact inverse of the probability of
    keeping.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Zero each element with the layer's probability; the identity in eval mode."""
        dropped = round(self.probability * 32768)
        if not self.training or dropped == 0:
            return features
        mask = self._mask(features, dropped)
        scaled: Tensor = _Keep.apply(features, mask, 32768 / (32768 - dropped))
        return scaled

    def _mask(self, features: Tensor, dropped: int) -> Tensor:
        count = features.numel()
        words = torch.empty((count + 3) // 4, dtype=torch.int64, device=features.device)
        words.random_(-(2**63), None, generator=self.generator)
        lanes = words.view(torch.int16)[:count]
        # dropped - 1 - (0 … 32767) is negative, all its bits one after the shift, where kept.
        lanes.bitwise_and_(32767).bitwise_not_().add_(dropped).bitwise_right_shift_(15)
        # The mask takes the features' usual memory layout, so keeping moves no data.
        mask = lanes.to(_INTEGERS[features.element_size()])
        return torch.as_strided(mask, features.shape, _dense_strides(features.shape))

    def extra_repr(self) -> str:
        """Show the probability in the network's printout."""
        return f"p={self.probability}"


_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


class _Keep(torch.autograd.Function):
    """``features * scale`` where the mask's bits are ones, zero where they are zeros."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, mask: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.scale = scale
        return (features.view(mask.dtype) & mask).view(features.dtype).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        return _Keep.apply(gradients[0], mask, ctx.scale), None, None


def bound_slopes(network: nn.Module) -> None:
    """Divide every layer's weights by their largest singular value, as long as they train.

    Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957) bounds how steep a discriminator
    can be. In eval mode the last estimate of the singular value is used.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            parametrizations.spectral_norm(module)


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


@cache
def _dense_strides(shape: torch.Size) -> tuple[int, ...]:
    """Strides of features without gaps: channels last where there are four dimensions.

    Features have that layout where it is fast; where a device hands on another, the same elements
    are dropped all the same.
    """
    layout = torch.channels_last if len(shape) == 4 else torch.contiguous_format
    return torch.empty(shape, device="meta", memory_format=layout).stride()
