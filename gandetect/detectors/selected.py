"""A GAN's discriminator of the epoch that does best on validation images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gandetect.config import ClassifierConfig, GanConfig, GeneratorConfig, chosen_epochs
from gandetect.config.epochs import Epochs
from gandetect.config.section import ImageCount, Once
from gandetect.detectors.discriminator import Discriminator
from gandetect.detectors.protocol import FittedNetwork, PostHoc
from gandetect.detectors.validation import Monitor, Validation, best_row, how_chosen
from gandetect.errors import unknown_name

if TYPE_CHECKING:
    from gandetect.detectors.material import Material


class Selected(PostHoc, Discriminator):
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
    gan: str
    epochs: Epochs = "all"
    fakes_from: Once[str] = ()
    fakes_epochs: Epochs = "all"
    n_images: Annotated[ImageCount, Field(ge=20)] = 4000
    monitor: Monitor = "auroc"

    @property
    def makers(self) -> tuple[str, ...]:
        """Names of the GANs that its fakes come from."""
        return self.fakes_from or (self.gan,)

    @property
    def made_of(self) -> tuple[str, ...]:
        """The GAN of its discriminator, and those that its fakes come from."""
        return tuple(dict.fromkeys((self.gan, *self.makers)))

    def check(
        self, gans: Sequence[GeneratorConfig], classifiers: Sequence[ClassifierConfig]
    ) -> None:
        """Refuse GANs that the study does not have, and discriminators of what has none."""
        adversarial = [gan.name for gan in gans if isinstance(gan, GanConfig)]
        if self.gan not in adversarial:
            raise unknown_name("gan", self.gan, adversarial)
        generators = [gan.name for gan in gans]
        for name in self.fakes_from:
            if name not in generators:
                raise unknown_name("fakes_from", name, generators)

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
