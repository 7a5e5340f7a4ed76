"""A discriminator trained further, or afresh, with the generators frozen: replay afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from gandetect.config import (
    ClassifierConfig,
    DiscriminatorOptions,
    GanConfig,
    GeneratorConfig,
    NegativesConfig,
)
from gandetect.config.epochs import Epochs
from gandetect.config.gan import Change
from gandetect.config.processing import Processing
from gandetect.config.section import ImageCount, LearningRate, Once, StepCount
from gandetect.detectors.discriminator import Discriminator, fresh_discriminator
from gandetect.detectors.protocol import FittedNetwork, PostHoc
from gandetect.errors import unknown_name

if TYPE_CHECKING:
    from gandetect.detectors.material import Material


class FineTuned(PostHoc, Discriminator):
    """A discriminator trained further, or afresh, with the generators frozen: replay afterwards.

    Its fakes come from the generators of ``history``'s epochs of every GAN in ``fakes_from`` (its
    own, if nothing is said), as many of each: ``images`` in all, drawn once. ``updates`` are steps
    with ``batch_size`` reals and as many fakes, in the way of ``gan``'s own training (its loss,
    penalty and labels). ``processing`` sends both through random chains first, afresh in each
    update. ``start`` "fresh" begins with initial weights, and may then have other
    options than the GAN's ``discriminator``.
    """

    METHOD: ClassVar = "by training a discriminator on while generators stand still"

    kind: Literal["fine-tuned"]
    gan: str
    fakes_from: Once[str] = ()
    history: Epochs = "all"
    start: Literal["last", "fresh"] = "last"
    updates: StepCount = 2000
    batch_size: Annotated[int, Field(ge=2, le=65536)] = 64
    learning_rate: LearningRate = 2e-4
    images: ImageCount = 20000
    negatives: NegativesConfig = NegativesConfig()
    differentiable: tuple[Change, ...] = ()
    processing: Processing = ()
    discriminator: DiscriminatorOptions | None = None

    @property
    def makers(self) -> tuple[str, ...]:
        """Names of the GANs that its fakes come from."""
        return self.fakes_from or (self.gan,)

    @property
    def made_of(self) -> tuple[str, ...]:
        """The GAN of its discriminator, and those that its fakes come from."""
        return tuple(dict.fromkeys((self.gan, *self.makers)))

    @property
    def images_trained_on(self) -> int:
        """As many as its batches hold."""
        return self.updates * self.batch_size

    def known(self, known_to: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """A fresh network knows the GANs of its fakes alone."""
        return self.made_of if self.start == "last" else tuple(dict.fromkeys(self.makers))

    def check(
        self, gans: Sequence[GeneratorConfig], classifiers: Sequence[ClassifierConfig]
    ) -> None:
        """Refuse GANs that the study does not have, and options that the network does not."""
        adversarial = {gan.name: gan for gan in gans if isinstance(gan, GanConfig)}
        if self.gan not in adversarial:
            raise unknown_name("gan", self.gan, adversarial)
        if self.discriminator is not None:
            options = {"discriminator": self.discriminator}
            GanConfig.model_validate({**dict(adversarial[self.gan]), **options})
        generators = [gan.name for gan in gans]
        for name in self.fakes_from:
            if name not in generators:
                raise unknown_name("fakes_from", name, generators)

    @model_validator(mode="after")
    def _options_of_a_fresh_network(self) -> FineTuned:
        if self.discriminator is not None and self.start != "fresh":
            raise ValueError(
                f"{self.name!r} has discriminator options of its own, and the weights that it "
                'starts from are of another network; give start = "fresh", or remove them'
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
        ends = np.linspace(0, self.images, len(self.makers) + 1).round().astype(int)
        fakes = [
            material.fakes(name, self.history, share, f"fine-tuning of {self.name}")
            for name, share in zip(self.makers, np.diff(ends).tolist(), strict=True)
            if share
        ]
        history = fine_tune(
            self,
            gan,
            network,
            material.reals,
            np.concatenate(fakes),
            seed=seed,
            device=device,
            notify=material.notify,
        )
        return FittedNetwork(
            network, gan.architecture, gan.options("discriminator"), gan.epochs, history
        )
