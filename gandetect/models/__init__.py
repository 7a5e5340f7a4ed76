"""Networks only: plain `nn.Module`s that know nothing of data, configuration or files."""

from __future__ import annotations

from torch import nn

from gandetect.models.common import NOISE_SIZE

__all__ = ["NOISE_SIZE", "keras_parameter_count"]


def keras_parameter_count(network: nn.Module) -> int:
    """Parameters as Keras counts them: BatchNorm's two moving statistics included."""
    moving = (b.numel() for name, b in network.named_buffers() if "running" in name)
    return sum(p.numel() for p in network.parameters()) + sum(moving)
