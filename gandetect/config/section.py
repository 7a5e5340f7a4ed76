"""What every table of an experiment file has in common, and the kinds of numbers in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gandetect.errors import shown

# Every number has a range. The upper ends are far above what any study uses, and low enough that
# a slip of the keyboard (epochs = 5000000000000, learning_rate = 1e9) is refused at once.
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
OpenProbability = Annotated[float, Field(gt=0.0, lt=1.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
LearningRate = Annotated[float, Field(gt=0.0, le=10.0)]
Weight = Annotated[float, Field(gt=0.0, le=1e6)]  # of a term in a loss, a margin, a sigma
Count = Annotated[int, Field(ge=1, le=10_000)]  # of neighbours, critic steps, sides in pixels
EpochCount = Annotated[int, Field(ge=1, le=100_000)]
StepCount = Annotated[int, Field(ge=1, le=100_000_000)]
ImageCount = Annotated[int, Field(ge=1, le=100_000_000)]
SplitSeed = Annotated[int, Field(ge=0, lt=2**32)]


def _only_true_or_nothing(given: Any) -> Any:
    if given is None or given is False:
        return None
    if given is not True:  # Literal[True] alone would take 1, which equals it in Python
        raise ValueError(f"{shown(given)} is neither true nor false")
    return given


# Off is the same as not said, so that a switch can be turned off again over another file's.
Switch = Annotated[Literal[True] | None, BeforeValidator(_only_true_or_nothing)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]


class Section(BaseModel):
    """One table of an experiment file: frozen, and with no room for unknown keys.

    Types are strict: true is no number, 3.0 and "3" are no integers, 3 is a number with a point.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, given: Any) -> Any:
        """TOML and JSON have lists, the frozen tables tuples; strict types would refuse them."""
        if not isinstance(given, Mapping):
            return given
        return {key: _as_tuples(value) for key, value in given.items()}


def each_once(name: str, fakes_from: Sequence[str]) -> None:
    """Raise `ValueError` where a detector's table names one GAN twice."""
    if len(set(fakes_from)) != len(fakes_from):
        raise ValueError(
            f"{name!r} names a GAN twice in fakes_from {list(fakes_from)}; name each once"
        )


def _as_tuples(given: Any) -> Any:
    return tuple(map(_as_tuples, given)) if isinstance(given, list) else given
