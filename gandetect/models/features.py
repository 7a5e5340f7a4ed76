"""What networks see in images: the numbers that stand before a network's last dense layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from gandetect.models.classifiers import ImageClassifier
from gandetect.models.scaling import quantise


class Features(nn.Module):
    """Maps images ``(N, C, H, W)`` in [-1, 1] to features ``(N, F)``, projected to ``(N, D)``.

    Features are those of ``network``, a discriminator or an `ImageClassifier`, or the pixels
    themselves where it is None. The projection is linear, along ``components`` ``(D, F)`` from
    ``mean`` ``(F,)``; both start as nothing.
    """

    mean: Tensor
    components: Tensor

    def __init__(self, network: nn.Module | None, features: int = 0, dimensions: int = 0) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("components", torch.zeros(dimensions, features))

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` in [-1, 1] to projected features ``(N, D)``."""
        return (self.raw(images) - self.mean) @ self.components.T

    def raw(self, images: Tensor) -> Tensor:
        """The features ``(N, F)`` of images ``(N, C, H, W)`` in [-1, 1], before projection."""
        if self.network is None:
            return images.flatten(1)
        if isinstance(self.network, ImageClassifier):
            images = self.network.prepare(quantise(images))  # it prepares stored images itself
        return before_last_layer(self.network, images)


def before_last_layer(network: nn.Module, images: Tensor) -> Tensor:
    """What a network gives its last dense layer, ``(N, F)``, for images as it takes them.

    Raises `ValueError` for a network without a dense layer.
    """
    branch = getattr(network, "histogram", None)  # what a discriminator may have beside its layers
    beside = set(branch.modules()) if isinstance(branch, nn.Module) else set()
    dense = [m for m in network.modules() if isinstance(m, nn.Linear) and m not in beside]
    if not dense:
        raise ValueError(f"{type(network).__name__} has no dense layer to take features before")
    caught: list[Tensor] = []

    def catch(_: nn.Module, given: tuple[Any, ...]) -> None:
        caught.append(given[0])

    hook = dense[-1].register_forward_pre_hook(catch)
    try:
        network(images)
    finally:
        hook.remove()
    return caught[-1].flatten(1)
