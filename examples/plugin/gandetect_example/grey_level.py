"""A kind of detector in one file: a logistic regression on the mean grey level of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from gandetect.config.section import ImageCount
from gandetect.detectors.protocol import DetectorDescription, FittedNetwork, PostHoc

if TYPE_CHECKING:
    from torch import nn

    from gandetect.detectors.material import Material


class GreyLevel(PostHoc):
    """Tells fakes of ``gan`` from training reals by their mean grey level; ``n_images`` of each."""

    METHOD: ClassVar = "by weighing how light real images and fakes are"

    kind: Literal["grey-level"]
    gan: str
    n_images: ImageCount = 100

    @property
    def made_of(self) -> tuple[str, ...]:
        """Its GAN, whose images it knows."""
        return (self.gan,)

    def make(self, material: Material) -> FittedNetwork:
        """Fit it on the last epoch's fakes."""
        import torch
        from sklearn.linear_model import LogisticRegression

        fakes = material.fakes(self.gan, "last", self.n_images, f"grey levels of {self.name}")
        both = np.concatenate([material.reals[: self.n_images], fakes]) / 127.5 - 1  # in [-1, 1]
        is_real = np.repeat([1, 0], [len(both) - len(fakes), len(fakes)])
        fitted = LogisticRegression().fit(both.mean(axis=(2, 3)), is_real)
        network = self._network(material.preprocessing.channels)
        weights = {"2.weight": fitted.coef_, "2.bias": fitted.intercept_}
        network.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
        return FittedNetwork(network.to(material.device), "mean", {})

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """The same for every one of as many channels."""
        return cls._network(description.preprocessing.channels)

    @staticmethod
    def _network(channels: int) -> nn.Module:
        """The mean of every channel, weighed: images ``(N, C, H, W)`` to ``(N,)``, high = real."""
        from torch import nn

        weigh = nn.Linear(channels, 1)
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), weigh, nn.Flatten(0))
