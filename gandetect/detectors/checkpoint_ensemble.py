"""The discriminators of several epochs of one training, averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from gandetect.config import chosen_epochs
from gandetect.config.epochs import Epochs
from gandetect.detectors.discriminator import Discriminator
from gandetect.detectors.protocol import DetectorDescription, FittedNetwork, PostHoc

if TYPE_CHECKING:
    from torch import nn

    from gandetect.detectors.material import Material


class CheckpointEnsemble(PostHoc):
    """The discriminators of several epochs of one training, averaged.

    "logit" is the mean of their logits; "rank" the mean of each one's rank among calibration
    reals, so that an epoch with large logits counts no more than others.
    """

    METHOD: ClassVar = "by averaging a discriminator over its epochs"

    kind: Literal["checkpoint-ensemble"]
    gan: str
    epochs: Epochs = "all"
    average: Literal["logit", "rank"] = "logit"

    @property
    def made_of(self) -> tuple[str, ...]:
        """Its GAN."""
        return (self.gan,)

    def make(self, material: Material) -> FittedNetwork:
        """Join them, and rank them among calibration reals if asked for."""
        from gandetect.detectors.network import answers
        from gandetect.models.ensemble import Ensemble

        gan, _ = material.gans[self.gan]
        epochs = chosen_epochs(self.epochs, gan.epochs)
        members = [material.discriminator(self.gan, epoch) for epoch in epochs]
        ensemble = Ensemble(members, self.average).to(material.device)
        if self.average == "rank":
            logits = answers(ensemble.of_members, material.calibration, material.device, dim=1)
            ensemble.calibrate(logits)
        options = {
            "network": gan.options("discriminator"),
            "members": len(members),
            "average": self.average,
            "quantiles": ensemble.reference.shape[1],
        }
        return FittedNetwork(ensemble, gan.architecture, options, epochs[-1])

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """Its members, and room for the quantiles of each."""
        from gandetect.models.ensemble import Ensemble

        options = description.options
        member = description.within(options["network"])
        members = [Discriminator.build(member) for _ in range(options["members"])]
        return Ensemble(members, options["average"], options["quantiles"])
