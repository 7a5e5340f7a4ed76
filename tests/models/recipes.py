"""Classifiers of every recipe, and images for them."""

import numpy as np
import torch
from skimage.data import astronaut

from gandetect.config import ClassifierConfig
from gandetect.models.classifiers import (
    ImageClassifier,
    build_classifier,
    set_trainable,
)

# The two CNNs' counts are their source's. The others are published counts, less the
# last layer (features * 1000 + 1000), with the recipe's head.
RESNET50 = 25_557_032 - 2_049_000
EFFICIENTNET_B0 = 5_288_548 - 1_281_000
EFFICIENTNET_B2 = 9_109_994 - 1_409_000
LINEAR_512 = 2048 * 512 + 512
PARAMETERS = {
    "cnn-small": 8_408_386,
    "cnn-deep": 134_608_002,
    "cnn-deep-augmented": 134_608_002,
    "resnet18": 11_689_512 - 513_000 + 512 * 2 + 2,
    "resnet50-faces": RESNET50 + LINEAR_512 + 512 * 2 + 2,
    "resnet50-frozen": RESNET50 + LINEAR_512 + 513,
    "resnet50-finetuned": RESNET50 + LINEAR_512 + 2 * 512 + 512 * 256 + 256 + 2 * 256 + 257,
    "resnet50-staged": RESNET50 + LINEAR_512 + 513,
    "efficientnet-b2": EFFICIENTNET_B2 + 1408 * 2 + 2,
    "efficientnet-b2-augmented": EFFICIENTNET_B2 + 1408 * 2 + 2,
    "efficientnet-b0": EFFICIENTNET_B0 + 1280 * 2 + 2,
    "efficientnet-b0-head": EFFICIENTNET_B0 + 1280 * 128 + 128 + 128 * 2 + 2,
    "efficientnet-b0-head-512": EFFICIENTNET_B0 + 1280 * 128 + 128 + 128 * 2 + 2,
    "efficientnet-lite0": 4_652_008 - 1_281_000 + 1280 * 2 + 2,
}


def of_recipe(recipe: str) -> ImageClassifier:
    config = ClassifierConfig.model_validate({"recipe": recipe})
    with torch.device("meta"):
        classifier = build_classifier(
            config.network,
            channels=3,
            image_size=config.image_size,
            stored_size=config.stored_size,
            outputs=1 if config.loss == "bce" else 2,
            normalise=config.normalise,
            **config.head.model_dump(),
        )
    set_trainable(classifier, config.trainable)
    return classifier


def count(classifier: torch.nn.Module, trainable: bool = False) -> int:
    kept = [p for p in classifier.parameters() if p.requires_grad or not trainable]
    return sum(parameter.numel() for parameter in kept)


def photographs(count: int, side: int, channels: int = 3) -> torch.Tensor:
    """Different squares of one photograph, ``(N, C, side, side) uint8``."""
    whole = torch.from_numpy(np.array(astronaut())).permute(2, 0, 1)
    squares = [whole[:channels, i * 8 : i * 8 + side, i * 5 : i * 5 + side] for i in range(count)]
    return torch.stack(squares)


def batch_norms(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    kinds = torch.nn.BatchNorm1d, torch.nn.BatchNorm2d
    return {name: one for name, one in module.named_modules() if isinstance(one, kinds)}
