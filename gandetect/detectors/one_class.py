"""What the reals look like, from scikit-learn: no fake is looked at when it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gandetect.config import ClassifierConfig, GanConfig
from gandetect.config.detector import Makers
from gandetect.config.section import Count, ImageCount
from gandetect.detectors.protocol import DetectorDescription, FittedNetwork, PostHoc, kind_named
from gandetect.errors import require_known
from gandetect.randomness import stream

if TYPE_CHECKING:
    from torch import nn

    from gandetect.detectors.material import Material

PIXELS = "pixels"  # instead of a network's features


class OneClassDetector(PostHoc):
    """What the reals look like, from scikit-learn: no fake is looked at when it is fitted.

    ``features_of`` is "pixels", a GAN (its last discriminator's features) or a classifier; those
    two have seen fakes. ``max_images`` training reals are fitted, ``neighbours`` are the k of kNN.
    """

    METHOD: ClassVar = "by learning what real images look like"

    kind: Literal["one-class"]
    method: Literal["isolation-forest", "one-class-svm", "nearest-neighbours"]
    features_of: str = PIXELS
    max_images: Annotated[ImageCount, Field(ge=20)] = 5000
    neighbours: Count = 5

    @property
    def made_of(self) -> tuple[str, ...]:
        """What brings the features; nothing for pixels."""
        return () if self.features_of == PIXELS else (self.features_of,)

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Refuse features of a network that the study does not have."""
        discriminators = [gan.name for gan in gans if isinstance(gan, GanConfig)]
        features = [PIXELS, *discriminators, *(one.name for one in classifiers)]
        require_known("features_of", [self.features_of], features)

    @model_validator(mode="after")
    def _more_images_than_neighbours(self) -> OneClassDetector:
        if self.neighbours >= self.max_images:
            raise ValueError(
                f"{self.name!r} looks at {self.neighbours} neighbours among {self.max_images} "
                "images; give more max_images, or fewer neighbours"
            )
        return self

    def make(self, material: Material) -> FittedNetwork:
        """Fit it on features of training reals."""
        import torch

        from gandetect.detectors.network import answers
        from gandetect.models.classifiers import ImageClassifier
        from gandetect.models.features import Features
        from gandetect.models.one_class import OneClass, sizes_of

        network, architecture, epoch = None, PIXELS, 0
        options: dict[str, Any] = {"features_of": PIXELS, "network": {}}
        if self.features_of != PIXELS:
            trained = material.detector(self.features_of)
            network, architecture = trained.network, trained.description.architecture
            options = {"features_of": trained.description.kind}
            options["network"] = trained.description.options
        if self.features_of in material.gans:
            epoch = material.gans[self.features_of][0].epochs
        chosen = stream(material.seed, f"images of {self.name}").permutation(len(material.reals))
        reals = material.reals[np.sort(chosen[: self.max_images])]
        if isinstance(network, ImageClassifier):  # in the layout that it was trained in
            network.to(memory_format=torch.contiguous_format)
        features = Features(network).to(material.device)
        detector = OneClass(self.method, features, neighbours=self.neighbours)
        detector.to(material.device)
        detector.learn(answers(features.raw, reals, material.device).float().cpu().numpy())
        return FittedNetwork(detector, architecture, {**options, **sizes_of(detector)}, epoch)

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """The estimator, with the network that brings its features."""
        from gandetect.models.features import Features
        from gandetect.models.one_class import OneClass

        sizes, network = dict(description.options), None
        features_of, options = sizes.pop("features_of"), sizes.pop("network")
        if features_of != PIXELS:
            network = kind_named(features_of).build(description.within(options))
        else:
            require_known("architecture", [description.architecture], [PIXELS])
        features = Features(network, sizes.pop("features"), sizes.pop("dimensions"))
        return OneClass(features=features, **sizes)
