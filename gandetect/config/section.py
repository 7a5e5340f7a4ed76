"""What every table of an experiment file has in common, and the kinds of numbers in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
OpenProbability = Annotated[float, Field(gt=0.0, lt=1.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
PositiveFloat = Annotated[float, Field(gt=0.0)]
# Off is the same as not said, so that a switch can be turned off again over another file's. Only
# `false` itself counts as off: 0, which equals it in Python, is refused.
Switch = Annotated[
    Literal[True] | None, BeforeValidator(lambda given: None if given is False else given)
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]


class Section(BaseModel):
    """One table of an experiment file: frozen, and with no room for unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # Keys that came after results existed: at their defaults they are no part of an identity, so
    # that a folder made before them is still the folder of the same experiment.
    LATER: ClassVar[frozenset[str]] = frozenset()

    def identity(self) -> dict[str, Any]:
        """What of this table changes a result, ready for a digest: its JSON, but for `LATER`."""
        dumped = self.model_dump(mode="json")
        _prune(self, dumped)
        return dumped


def each_once(name: str, fakes_from: Sequence[str]) -> None:
    """Raise `ValueError` where a detector's table names one GAN twice."""
    if len(set(fakes_from)) != len(fakes_from):
        raise ValueError(
            f"{name!r} names a GAN twice in fakes_from {list(fakes_from)}; name each once"
        )


def _prune(section: Section, dumped: dict[str, Any]) -> None:
    """Take keys of `LATER` that are at their defaults out of a dump, tables within it too."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if name in section.LATER and value == field.get_default(call_default_factory=True):
            del dumped[name]
        elif isinstance(value, Section):
            _prune(value, dumped[name])
        elif isinstance(value, tuple):
            for one, table in zip(value, dumped[name], strict=True):
                if isinstance(one, Section):
                    _prune(one, table)
