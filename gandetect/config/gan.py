"""How a GAN is trained: every ingredient of the adversarial loop is a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gandetect.config.architecture import ARCHITECTURES
from gandetect.config.generator import GeneratorConfig, OptimizerConfig
from gandetect.config.processing import Processing
from gandetect.config.section import (
    ConfigSection,
    Count,
    Decay,
    ImageCount,
    Probability,
    Switch,
    Weight,
)

# Applied to reals and fakes alike before a discriminator sees them.
DiffAugmentation = Literal["brightness", "translation", "cutout", "shuffle"]
NON_SATURATING = "non-saturating"


class DiscriminatorOptions(ConfigSection):
    """What may vary in a discriminator without another architecture.

    ``spectral_norm`` bounds how steep it is (Miyato et al. 2018, arXiv 1802.05957). ``histogram``
    adds a branch that sees how often each grey level occurs.
    """

    negative_slope: Decay | None = None
    dropout: Decay | None = None
    spectral_norm: Switch = None
    histogram: Switch = None


class PenaltyConfig(ConfigSection):
    """A penalty on the discriminator's gradient with respect to images, times ``weight``.

    "r1" is zero-centred and looks at reals (Mescheder et al. 2018, arXiv 1801.04406; its gamma / 2
    is ``weight`` / 2 here); "wgan-gp" asks for a slope of 1 between reals and fakes (Gulrajani et
    al. 2017, arXiv 1704.00028). With ``every`` above 1 it is taken in every so many steps only,
    that much heavier (Karras et al. 2020, arXiv 1912.04958, "lazy regularization").
    """

    name: Literal["none", "r1", "wgan-gp"] = "none"
    weight: Weight = 10.0
    every: Count = 1


class ReplayConfig(ConfigSection):
    """Fakes of earlier epochs' generators in the discriminator's batches.

    ``share`` of the fakes in each batch come from a reservoir of ``n_images`` fakes, as many of
    each earlier epoch (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3: a similar buffer).
    In the first epoch there is nothing to replay.
    """

    share: Probability = 0.0
    n_images: ImageCount = 10000


class NegativesConfig(ConfigSection):
    """Negative augmentation: cut-up reals as fakes (Sinha et al. 2021, arXiv 2102.05113).

    ``share`` of the fakes in each batch are reals that were cut up: "jigsaw" shuffles their
    quarters, "stitch" joins halves of two, "cutmix" pastes a rectangle of another.
    """

    kinds: tuple[Literal["jigsaw", "stitch", "cutmix"], ...] = ()
    share: Probability = 0.25


class GanConfig(GeneratorConfig):
    """A GAN, whose discriminator can be a detector.

    ``processing`` sends reals and fakes through random chains before the discriminator learns from
    them. It is not differentiable, so the generator learns from fakes as they are.
    ``generator_average`` is the decay of an exponential moving average of the generator's weights,
    which images are then drawn from; 0 is none. The discriminator's fakes are the generator's own.
    """

    TRAINED_BY: ClassVar = "gandetect.training.adversarial:train_gan"

    role: Literal["both", "detector", "source"] = "both"
    discriminator_updates: Literal["separate", "joint"]
    discriminator_fakes: Literal["inference", "training"]
    shared_noise: bool
    real_label: Probability
    fake_label: Probability = 0.0
    discriminator_optimizer: OptimizerConfig
    discriminator: DiscriminatorOptions = DiscriminatorOptions()
    loss: Literal["non-saturating", "least-squares", "hinge", "wasserstein"] = "non-saturating"
    penalty: PenaltyConfig = PenaltyConfig()
    critic_steps: Count = 1
    instance_noise: Annotated[float, Field(ge=0.0, le=2.0)] = 0.0
    replay: ReplayConfig = ReplayConfig()
    negatives: NegativesConfig = NegativesConfig()
    diff_augment: tuple[DiffAugmentation, ...] = ()
    processing: Processing = ()
    generator_average: Decay = 0.0

    @property
    def drawn_from(self) -> str:
        """The average, where there is one."""
        return "generator_average" if self.generator_average else super().drawn_from

    @model_validator(mode="before")
    @classmethod
    def _no_labels_to_smooth(cls, given: Any) -> Any:
        """The other losses have no labels; the architecture's are for the non-saturating one."""
        if not isinstance(given, Mapping) or given.get("loss", NON_SATURATING) == NON_SATURATING:
            return given
        return {"real_label": 1.0, **given}

    @model_validator(mode="after")
    def _labels_in_order(self) -> GanConfig:
        if self.real_label <= self.fake_label:
            raise ValueError(
                f"real_label is {self.real_label} and fake_label {self.fake_label}; "
                "the real label must be the larger one"
            )
        return self

    @model_validator(mode="after")
    def _options_of_this_discriminator(self) -> GanConfig:
        extra = [
            name for name in ("spectral_norm", "histogram") if getattr(self.discriminator, name)
        ]
        if extra and not ARCHITECTURES[self.architecture].branches:
            having = [name for name, architecture in ARCHITECTURES.items() if architecture.branches]
            raise ValueError(
                f"the discriminator of {self.architecture!r} has no option {extra[0]!r}; only "
                f"those of {' and '.join(having)} have; remove it"
            )
        if self.discriminator.histogram and self.penalty.name != "none":
            raise ValueError(
                f'penalty "{self.penalty.name}" bounds the slope at images, and the histogram '
                "branch's is steep by nature (a whole level lies between 0 and 1); give one of both"
            )
        return self

    @model_validator(mode="after")
    def _loss_and_penalty_go_together(self) -> GanConfig:
        labels = (self.real_label, self.fake_label)
        if self.loss != NON_SATURATING and labels != (1.0, 0.0):
            raise ValueError(
                f"real_label {labels[0]} and fake_label {labels[1]} smooth labels, and loss = "
                f'"{self.loss}" has none; remove them, or use loss = "non-saturating"'
            )
        if self.penalty.name == "wgan-gp" and self.loss != "wasserstein":
            raise ValueError(
                f'penalty "wgan-gp" makes a Wasserstein critic, and loss is "{self.loss}"; give '
                'loss = "wasserstein", or penalty = { name = "r1" }'
            )
        if self.penalty.name == "wgan-gp" and self.discriminator_updates != "joint":
            raise ValueError(
                'penalty "wgan-gp" looks between reals and fakes, and discriminator_updates = '
                '"separate" never sees both at once; give discriminator_updates = "joint"'
            )
        steep = self.penalty.name == "none" and not self.discriminator.spectral_norm
        if self.loss == "wasserstein" and steep:
            raise ValueError(
                'loss = "wasserstein" needs a critic whose slope is bounded; add '
                'penalty = { name = "wgan-gp" }, or discriminator = { spectral_norm = true }'
            )
        return self

    @model_validator(mode="after")
    def _fakes_to_remember(self) -> GanConfig:
        if self.replay.share and self.epochs == 1:
            raise ValueError(
                f"replay of {self.replay.share:g} of the fakes needs earlier epochs, and epochs is "
                "1; give more epochs, or no replay"
            )
        negatives = self.negatives.share if self.negatives.kinds else 0.0
        if self.replay.share + negatives > 1:
            raise ValueError(
                f"replay.share {self.replay.share:g} and negatives.share {negatives:g} are more "
                "than all fakes of a batch; their sum must be at most 1"
            )
        return self
