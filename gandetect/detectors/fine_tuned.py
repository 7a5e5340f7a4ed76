"""A discriminator trained further, or afresh, with the generators frozen: replay afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gandetect.config import ClassifierConfig, DiscriminatorOptions, GanConfig, NegativesConfig
from gandetect.config.detector import Makers
from gandetect.config.epochs import Epochs
from gandetect.config.gan import DiffAugmentation
from gandetect.config.processing import Processing
from gandetect.config.section import ImageCount, LearningRate, Probability, StepCount
from gandetect.data.stored import Images
from gandetect.detectors.discriminator import Discriminator, fresh_discriminator
from gandetect.detectors.protocol import FittedNetwork, OnFakes
from gandetect.detectors.validation import Monitor, Validation, hold_back, how_chosen, without

if TYPE_CHECKING:
    from gandetect.detectors.material import Material


class FineTuned(OnFakes, Discriminator):
    """A discriminator trained further, or afresh, with the generators frozen: replay afterwards.

    ``n_images`` fakes are drawn once, by the generators of ``fakes_epochs`` of every GAN in
    ``fakes_from`` (by default its own), as many of each. ``updates`` are steps with ``batch_size``
    reals and as many fakes, with the loss, penalty and labels of ``gan``'s own training.
    ``processing`` sends both through random chains first, afresh in each update. ``start`` "fresh"
    begins with initial weights, and may then have other options than the GAN's ``discriminator``.

    ``keep`` "best" keeps the weights with the highest ``monitor``, measured every
    ``validate_every`` updates on a tenth of its own reals and fakes that it is not trained on.
    Where the study has a validation split, its reals take that tenth's place; without one, a
    discriminator that does not start fresh has seen them in its GAN. ``recent`` from 0 to 1 draws
    more fakes of later epochs. ``hard`` is the share of each batch's fakes drawn from the tenth
    with the highest logits, chosen again every ``validate_every`` updates.
    """

    METHOD: ClassVar = "by training a discriminator further with the generators frozen"

    kind: Literal["fine-tuned"]
    fakes_epochs: Epochs = "all"
    start: Literal["last", "fresh"] = "last"
    updates: StepCount = 2000
    batch_size: Annotated[int, Field(ge=2, le=65536)] = 64
    learning_rate: LearningRate = 2e-4
    n_images: ImageCount = 20000
    negatives: NegativesConfig = NegativesConfig()
    diff_augment: tuple[DiffAugmentation, ...] = ()
    processing: Processing = ()
    discriminator: DiscriminatorOptions | None = None
    keep: Literal["last", "best"] = "last"
    monitor: Monitor = "auroc"
    validate_every: StepCount = 100
    recent: Probability = 0.0
    hard: Probability = 0.0

    @property
    def images_trained_on(self) -> int:
        """As many as its batches hold."""
        return self.updates * self.batch_size

    def known(self, known_to: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """A fresh network knows the GANs of its fakes alone."""
        return self.made_of if self.start == "last" else tuple(dict.fromkeys(self.makers))

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Also refuse options that the network does not have."""
        super().check(gans, classifiers)
        if self.discriminator is not None:
            own = next(gan for gan in gans if gan.name == self.gan)
            GanConfig.model_validate({**dict(own), "discriminator": self.discriminator})

    @model_validator(mode="after")
    def _options_of_a_fresh_network(self) -> FineTuned:
        if self.discriminator is not None and self.start != "fresh":
            raise ValueError(
                f"{self.name!r} has discriminator options of its own, and the weights that it "
                'starts from are of another network; give start = "fresh", or remove them'
            )
        return self

    @model_validator(mode="after")
    def _enough_to_hold_back(self) -> FineTuned:
        if self.keep == "best" and self.n_images < 10:
            raise ValueError(
                f'{self.name!r} has keep = "best", which holds back a tenth of its '
                f'{self.n_images} fakes; give n_images = 10 or more, or keep = "last"'
            )
        return self

    def make(self, material: Material) -> FittedNetwork:
        """Draw the fakes, and train on them."""
        from gandetect.detectors.fine_tuning import fine_tune

        gan, _ = material.gans[self.gan]
        assert isinstance(gan, GanConfig)  # see `check`
        if self.discriminator is not None:
            gan = gan.model_copy(update={"discriminator": self.discriminator})
        seed, device = material.seed, material.device
        if self.start == "fresh":
            network = fresh_discriminator(gan, seed, material.preprocessing, device)
        else:
            network = material.discriminator(self.gan)
        purpose = f"fine-tuning of {self.name}"
        reals: Images = material.reals
        fakes: Images = material.fakes_of(
            self.makers, self.fakes_epochs, self.n_images, purpose, self.recent
        )
        validation = None
        if self.keep == "best":
            reals, fakes, validation = self._hold_back(material, fakes, purpose)
        history = fine_tune(
            self,
            gan,
            network,
            reals,
            fakes,
            seed=seed,
            device=device,
            notify=material.notify,
            validation=validation,
        )
        chosen = how_chosen(history, self.monitor) if validation else {}
        options = gan.options("discriminator")
        return FittedNetwork(network, gan.architecture, options, gan.epochs, history, chosen)

    def _hold_back(
        self, material: Material, fakes: Images, purpose: str
    ) -> tuple[Images, Images, Validation]:
        """Reals and fakes that are left to train on, and what a state is chosen by."""
        reals, seed = material.reals, material.seed
        fakes, unseen = hold_back(fakes, seed, f"fakes of {purpose}")
        fakes = without(fakes, unseen)  # a small source's images come more than once
        if material.validation:
            groups = material.validation_reals(len(unseen), f"validation of {self.name}")
        else:
            reals, held_back = hold_back(reals, seed, f"reals of {purpose}")
            groups = {"held_back": held_back}
        return reals, fakes, Validation(unseen, groups)
