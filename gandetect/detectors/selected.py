"""A GAN's discriminator of the epoch that does best on validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gandetect.config import chosen_epochs
from gandetect.config.epochs import Epochs
from gandetect.config.section import ImageCount
from gandetect.detectors.discriminator import Discriminator
from gandetect.detectors.protocol import FittedNetwork, OnFakes
from gandetect.detectors.validation import Monitor, Validation, best_row, how_chosen

if TYPE_CHECKING:
    from gandetect.detectors.material import Material


class Selected(OnFakes, Discriminator):
    """A GAN's discriminator of the epoch that does best on validation images.

    Of ``epochs``, the one of the highest ``monitor`` (of equals the last): AUROC, or the accuracy
    at the native threshold; see `gandetect.detectors.validation`. ``n_images`` validation fakes are
    drawn by the generators of ``fakes_epochs`` of every GAN in ``fakes_from`` (by default its own),
    as many of each. Validation reals are at most ``n_images`` of the validation split
    (``validation`` in ``[data]``), and at most as many of its classes; without that split, training
    reals, on which the discriminator has been trained.
    """

    METHOD: ClassVar = "by choosing a discriminator's epoch on validation images"
    EPOCH_CHOSEN: ClassVar = True

    kind: Literal["selected"]
    epochs: Epochs = "all"
    fakes_epochs: Epochs = "all"
    n_images: Annotated[ImageCount, Field(ge=20)] = 4000
    monitor: Monitor = "auroc"

    def make(self, material: Material) -> FittedNetwork:
        """Try every epoch's discriminator on the same images, and take the best."""
        gan, _ = material.gans[self.gan]
        purpose = f"validation of {self.name}"
        fakes = material.fakes_of(self.makers, self.fakes_epochs, self.n_images, purpose)
        validation = Validation(fakes, material.validation_reals(self.n_images, purpose))
        epochs = chosen_epochs(self.epochs, gan.epochs)
        history = []
        for done, epoch in enumerate(epochs, start=1):
            network = material.discriminator(self.gan, epoch)
            history.append({"epoch": epoch, **validation.figures(network, material.device)})
            material.notify({"event": "step", "done": done, "total": len(epochs)})
        best = int(best_row(history, self.monitor)["epoch"])
        return FittedNetwork(
            material.discriminator(self.gan, best),
            gan.architecture,
            gan.options("discriminator"),
            best,
            history,
            how_chosen(history, self.monitor),
        )
