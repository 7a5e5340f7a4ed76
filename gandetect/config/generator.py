"""What the tables of all kinds of generators have in common, and how one finds its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field, SerializeAsAny, model_validator

from gandetect.config.architecture import ARCHITECTURES
from gandetect.config.section import (
    ConfigSection,
    Decay,
    EpochCount,
    LearningRate,
    Name,
    StepCount,
    laid_over,
    table_chosen,
)

Precision: TypeAlias = Literal["auto", "fp32", "bf16"]


class OptimizerConfig(ConfigSection):
    """An optimizer by name, with its numbers as Keras and PyTorch call them."""

    name: Literal["adam", "rmsprop"] = "adam"
    learning_rate: LearningRate = 1e-3
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    smoothing: Decay = 0.9
    eps: Annotated[float, Field(ge=1e-16, le=1.0)] = 1e-7


class GeneratorOptions(ConfigSection):
    """What may vary in a generator without another architecture."""

    activation: Literal["relu", "selu", "leaky_relu"] | None = None


class GeneratorConfig(ConfigSection):
    """One table of ``[[gans]]``: a generator's architecture, and how it is trained.

    A kind of generator is a sub-class: it adds the keys of its training, and names the function
    that trains by them. The architecture says which kind a table is, and keys left out take the
    architecture's own values (`Architecture.training`).
    """

    # "module:object" of a function with the parameters of `training.adversarial.train_gan`.
    TRAINED_BY: ClassVar[str]

    architecture: str
    name: Name
    epochs: EpochCount
    batch_size: Annotated[int, Field(ge=2, le=65536)]
    steps_per_epoch: StepCount | None = None
    sampling: Literal["shuffled", "with-replacement"]
    generator_optimizer: OptimizerConfig
    generator: GeneratorOptions = GeneratorOptions()
    precision: Precision = "fp32"
    role: Literal["both", "detector", "source"] = "source"

    def options(self, network: str) -> dict[str, Any]:
        """What the table gives to the builder of one of its networks, by keyword."""
        table = getattr(self, network, None)
        return table.model_dump(exclude_none=True) if isinstance(table, ConfigSection) else {}

    @property
    def drawn_from(self) -> str:
        """The network that images are drawn from, by the name that it is kept under."""
        return "generator"

    def training_identity(self) -> dict[str, Any]:
        """What of this table changes the training; what its networks are used for does not."""
        return self.model_dump(mode="json", exclude={"role"})

    @model_validator(mode="before")
    @classmethod
    def _architecture_defaults(cls, table: Any) -> Any:
        if not isinstance(table, Mapping) or "architecture" not in table:
            return table
        name = table["architecture"]
        return laid_over({"name": name, **ARCHITECTURES[name].training}, table)


def generator_table(table: Mapping[str, Any]) -> type[GeneratorConfig]:
    """The kind of a table of ``[[gans]]``; `UsageError` for an unknown architecture."""
    return ARCHITECTURES[table.get("architecture")].table


AnyGenerator = Annotated[SerializeAsAny[GeneratorConfig], table_chosen(generator_table)]
