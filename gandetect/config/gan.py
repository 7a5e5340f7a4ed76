"""How a GAN is trained. Where two architectures differ, the difference is data here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from gandetect.config.section import Decay, Name, Probability, Section
from gandetect.errors import unknown_name


class OptimizerConfig(Section):
    """An optimizer by name, with its numbers as Keras and PyTorch call them."""

    name: Literal["adam", "rmsprop"] = "adam"
    learning_rate: Annotated[float, Field(gt=0.0)] = 1e-3
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    smoothing: Decay = 0.9
    eps: Annotated[float, Field(gt=0.0)] = 1e-7


class GeneratorOptions(Section):
    """What may vary in a generator without another architecture."""

    activation: Literal["relu", "selu", "leaky_relu"] | None = None


class DiscriminatorOptions(Section):
    """What may vary in a discriminator without another architecture."""

    negative_slope: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None


class GanConfig(Section):
    """One GAN: its architecture and how it is trained.

    Keys left out take the architecture's own values from `TRAINING_DEFAULTS`.
    """

    architecture: str
    name: Name
    epochs: PositiveInt
    batch_size: Annotated[int, Field(ge=2, le=65536)]
    steps_per_epoch: PositiveInt | None = None
    sampling: Literal["shuffled", "with-replacement"]
    discriminator_updates: Literal["separate", "joint"]
    discriminator_fakes: Literal["inference", "training"]
    shared_noise: bool
    real_label: Probability
    fake_label: Probability = 0.0
    generator_optimizer: OptimizerConfig
    discriminator_optimizer: OptimizerConfig
    generator: GeneratorOptions = GeneratorOptions()
    discriminator: DiscriminatorOptions = DiscriminatorOptions()
    precision: Literal["auto", "fp32", "bf16"] = "fp32"

    @model_validator(mode="before")
    @classmethod
    def _architecture_defaults(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "architecture" not in given:
            return given
        architecture = given["architecture"]
        if architecture not in TRAINING_DEFAULTS:
            raise unknown_name("architecture", architecture, TRAINING_DEFAULTS)
        defaults = {"name": architecture, **TRAINING_DEFAULTS[architecture]}
        for key in ("generator_optimizer", "discriminator_optimizer"):
            if isinstance(given.get(key), Mapping):  # one number given: the others stay
                defaults[key] = {**defaults[key], **given[key]}
                given = {name: value for name, value in given.items() if name != key}
        return {**defaults, **given}

    @model_validator(mode="after")
    def _labels_in_order(self) -> GanConfig:
        if self.real_label <= self.fake_label:
            raise ValueError(
                f"real_label is {self.real_label} and fake_label {self.fake_label}; "
                "the real label must be the larger one"
            )
        return self


# The two public notebooks, to the last number (README, "Sources").
TRAINING_DEFAULTS: dict[str, dict[str, Any]] = {
    "dcgan-bn": {
        "epochs": 50,
        "batch_size": 100,
        "sampling": "shuffled",
        "discriminator_updates": "separate",
        "discriminator_fakes": "inference",
        "shared_noise": False,
        "real_label": 1.0,
        "generator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
        "discriminator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
    },
    "dcgan-plain": {
        "epochs": 10,
        "batch_size": 16,
        "steps_per_epoch": 3750,
        "sampling": "with-replacement",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": True,
        "real_label": 0.9,
        "generator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
        "discriminator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
    },
}
