"""Detectors that are made of what was trained: averaged, fine-tuned, or fitted to reals alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gandetect.config.epochs import Epochs
from gandetect.config.gan import Change, DiscriminatorOptions, NegativesConfig
from gandetect.config.section import (
    Count,
    ImageCount,
    LearningRate,
    Name,
    Section,
    StepCount,
    each_once,
)


class CheckpointEnsembleConfig(Section):
    """The discriminators of several epochs of one training, averaged.

    "logit" is the mean of their logits; "rank" the mean of each one's rank among calibration
    reals, so that an epoch with large logits counts no more than others.
    """

    kind: Literal["checkpoint-ensemble"]
    name: Name
    gan: str
    epochs: Epochs = "all"
    average: Literal["logit", "rank"] = "logit"

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the GANs whose images it was trained on."""
        return (self.gan,)


class FineTunedConfig(Section):
    """A discriminator trained further, or afresh, with the generators frozen: replay afterwards.

    Its fakes come from the generators of ``history``'s epochs of every GAN in ``fakes_from`` (its
    own, if nothing is said), as many of each: ``images`` in all, drawn once. ``updates`` are steps
    with ``batch_size`` reals and as many fakes, in the way of ``gan``'s own training (its loss,
    penalty and labels). ``start`` "fresh" begins with initial weights, and may then have other
    options than the GAN's ``discriminator``. ``leave_one_out`` makes one such detector for every
    GAN of ``fakes_from``, each trained without that one.
    """

    kind: Literal["fine-tuned"]
    name: Name
    gan: str
    fakes_from: tuple[str, ...] = ()
    history: Epochs = "all"
    start: Literal["last", "fresh"] = "last"
    updates: StepCount = 2000
    batch_size: Annotated[int, Field(ge=2, le=65536)] = 64
    learning_rate: LearningRate = 2e-4
    images: ImageCount = 20000
    negatives: NegativesConfig = NegativesConfig()
    differentiable: tuple[Change, ...] = ()
    discriminator: DiscriminatorOptions | None = None
    leave_one_out: Literal[False] = False
    left_out: str | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """Names of the GANs whose images it was trained on."""
        others = self.fakes_from or (self.gan,)
        return tuple(dict.fromkeys((self.gan, *others) if self.start == "last" else others))

    @model_validator(mode="after")
    def _each_generator_once(self) -> FineTunedConfig:
        each_once(self.name, self.fakes_from)
        return self

    @model_validator(mode="after")
    def _options_of_a_fresh_network(self) -> FineTunedConfig:
        if self.discriminator is not None and self.start != "fresh":
            raise ValueError(
                f"{self.name!r} has discriminator options of its own, and the weights that it "
                'starts from are of another network; give start = "fresh", or remove them'
            )
        return self

    @model_validator(mode="after")
    def _left_out_is_unknown(self) -> FineTunedConfig:
        if self.left_out is not None and self.left_out in self.known:
            raise ValueError(
                f"{self.left_out!r} is left out, but {self.name!r} starts from its discriminator, "
                'which has seen its fakes; give start = "fresh", or another gan'
            )
        return self


class OneClassConfig(Section):
    """What the reals look like, from scikit-learn: no fake is looked at when it is fitted.

    ``features_of`` is "pixels", a GAN (its last discriminator's features) or a classifier; those
    two have seen fakes. ``images`` training reals are fitted, ``neighbours`` are the k of kNN.
    """

    kind: Literal["one-class"]
    name: Name
    method: Literal["isolation-forest", "one-class-svm", "nearest-neighbours"]
    features_of: str = "pixels"
    images: Annotated[ImageCount, Field(ge=20)] = 5000
    neighbours: Count = 5

    @model_validator(mode="after")
    def _more_images_than_neighbours(self) -> OneClassConfig:
        if self.neighbours >= self.images:
            raise ValueError(
                f"{self.name!r} looks at {self.neighbours} neighbours among {self.images} images; "
                "give more images, or fewer neighbours"
            )
        return self


DetectorConfig = Annotated[
    CheckpointEnsembleConfig | FineTunedConfig | OneClassConfig, Field(discriminator="kind")
]
DETECTOR_TABLES: dict[str, type[Section]] = {
    "checkpoint-ensemble": CheckpointEnsembleConfig,
    "fine-tuned": FineTunedConfig,
    "one-class": OneClassConfig,
}


class IngredientConfig(Section):
    """One row of an ablation: what it changes of the experiment, everything else left as it is.

    ``gans`` are keys that change in the training of every GAN that is a detector. ``detectors``
    and ``classifiers`` are tables of such entries, one for every such GAN: where a table does not
    name its GAN (``gan``, ``features_of`` or ``fakes_from``) it is filled in, and its name too.
    ``against`` names an earlier ingredient that this one is compared with, instead of the baseline.
    """

    name: Name
    about: str = ""
    against: str | None = None
    gans: Mapping[str, Any] = Field(default_factory=dict)
    detectors: tuple[dict[str, Any], ...] = ()
    classifiers: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _changes_something(self) -> IngredientConfig:
        if not (self.gans or self.detectors or self.classifiers):
            raise ValueError(
                f"ingredient {self.name!r} changes nothing; give it gans = {{ … }}, detectors or "
                "classifiers"
            )
        return self
