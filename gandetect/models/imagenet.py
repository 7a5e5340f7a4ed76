"""Networks trained on ImageNet, looked at as they are: what they see in small images."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from gandetect.models.classifiers import NORMALISATIONS, ImageClassifier, build_classifier
from gandetect.models.pretrained import load_pretrained

# Where the side has been halved two, three, four and five times.
_RESNET = ("layer1", "layer2", "layer3", "layer4")
_EFFICIENTNET = ("features.2", "features.3", "features.5", "features.7")
DEPTHS = {
    "resnet18": _RESNET,
    "resnet50": _RESNET,
    "efficientnet-b0": _EFFICIENTNET,
    "efficientnet-b2": _EFFICIENTNET,
    "efficientnet-lite0": ("_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15"),
}
NORMALISED = {"efficientnet-lite0": "half"}  # where its authors did not as torchvision does


class ImagenetNetwork(nn.Module):
    """One of `DEPTHS`, without its last layer, for images ``(N, C, H, W)`` in [-1, 1].

    Images are resized to ``side`` pixels, grey ones repeated, and normalised as in its training.
    """

    def __init__(self, name: str, side: int) -> None:
        super().__init__()
        self.name, self.side = name, side
        self.network = self._classifier().backbone

    @property
    def depths(self) -> list[nn.Module]:
        """The four modules whose outputs are used."""
        return [self.network.get_submodule(place) for place in DEPTHS[self.name]]

    def forward(self, images: Tensor) -> Tensor:
        """Features before the last layer, ``(N, F)``."""
        images = functional.interpolate(
            images.expand(-1, 3, -1, -1), size=self.side, mode="bilinear", antialias=True
        )
        normalisation = NORMALISATIONS[NORMALISED.get(self.name, "imagenet")]
        mean, std = (images.new_tensor(one).view(-1, 1, 1) for one in normalisation)
        features: Tensor = self.network(((images + 1) / 2 - mean) / std)
        return features

    def load_imagenet(self) -> None:
        """Put the weights of ImageNet into it; `NetworkError` where they cannot be had."""
        classifier = self._classifier()
        load_pretrained(classifier, "imagenet")
        self.network.load_state_dict(classifier.backbone.state_dict())

    def _classifier(self) -> ImageClassifier:
        return build_classifier(self.name, channels=3, image_size=self.side)
