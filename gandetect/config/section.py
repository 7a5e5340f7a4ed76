"""What every table of an experiment file has in common, and the kinds of numbers in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from gandetect.errors import shown

UNKNOWN_KEY = "unknown_key"  # the type of a problem that pydantic has no name for
Item = TypeVar("Item")

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


def _only_true_or_nothing(switch: Any) -> Any:
    if switch is None or switch is False:
        return None
    if switch is not True:  # Literal[True] alone would take 1, which equals it in Python
        raise ValueError(f"{shown(switch)} is neither true nor false")
    return switch


# Off is the same as not set, so that a switch can be turned off again over another file's.
Switch = Annotated[
    Literal[True] | None, BeforeValidator(_only_true_or_nothing, json_schema_input_type=bool)
]


def _each_once(names: tuple[Item, ...]) -> tuple[Item, ...]:
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise ValueError(f"{shown(names)} names {shown(twice[0])} twice; give each once")
    return names


Once = Annotated[tuple[Item, ...], AfterValidator(_each_once)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]


class ConfigSection(BaseModel):
    """One table of an experiment file: frozen, and with no room for unknown keys.

    Types are strict: true is no number, 3.0 and "3" are no integers, 3 is a number with a point.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_and_tuples(cls, table: Any) -> Any:
        """Refuse unknown keys, saying which are allowed, and make tuples of lists.

        TOML and JSON have lists, the frozen tables tuples; strict types would refuse them.
        """
        if not isinstance(table, Mapping):
            return table
        unknown = PydanticCustomError(UNKNOWN_KEY, "unknown key", {"allowed": [*cls.model_fields]})
        problems: list[InitErrorDetails] = [
            {"type": unknown, "loc": (key,), "input": table[key]}
            for key in table if key not in cls.model_fields
        ]  # fmt: skip
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return {key: _as_tuples(value) for key, value in table.items()}


def table_chosen(choose: Callable[[Mapping[str, Any]], type[ConfigSection]]) -> BeforeValidator:
    """Validates a table as the kind of table that ``choose`` finds for what is given."""

    def validated(given: Any) -> Any:
        return choose(given).model_validate(given) if isinstance(given, Mapping) else given

    return BeforeValidator(validated)


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: tables in both are joined; any other value of the upper one stands.

    >>> laid_over({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"b": 4}, "d": []})
    {'a': {'b': 4, 'c': 2}, 'd': []}
    """
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
