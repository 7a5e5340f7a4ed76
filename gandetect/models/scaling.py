"""Between stored images (`uint8`) and what networks see ([-1, 1]); here and nowhere else."""

from __future__ import annotations

import torch
from torch import Tensor


def to_unit_range(images: Tensor) -> Tensor:
    """Scale ``uint8`` 0..255 to float32 -1..1."""
    return images.float().div_(127.5).sub_(1.0)


def quantise(images: Tensor) -> Tensor:
    """Round images in [-1, 1] to ``uint8``, as any photograph is stored."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def channels_last(images: Tensor) -> Tensor:
    """The same images in the memory layout that convolutions on a CPU are faster with."""
    return images.contiguous(memory_format=torch.channels_last)
