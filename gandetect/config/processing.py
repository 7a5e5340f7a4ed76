"""Random processing of training images, real and generated alike: what happens to uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from gandetect.config.section import ConfigSection, Probability
from gandetect.errors import UsageError
from gandetect.registry import Registry

Images: TypeAlias = NDArray[np.uint8]
Level = Annotated[float, Field(ge=0.0, le=255.0)]  # a perturbation allows fewer


@dataclass(frozen=True)
class Perturbation:
    """One way to change images, ``(N, C, H, W) uint8``, and the levels that a study tries."""

    unit: str
    levels: tuple[float, ...]
    allowed: tuple[float, float]  # least and largest level that means anything
    apply: Callable[[Images, float, np.random.Generator], Images]


PERTURBATIONS: Registry[Perturbation] = Registry(
    "perturbation",
    {
        "jpeg": "gandetect.data.perturbations:JPEG",
        "blur": "gandetect.data.perturbations:BLUR",
        "noise": "gandetect.data.perturbations:NOISE",
        "resize": "gandetect.data.perturbations:RESIZE",
        "brightness": "gandetect.data.perturbations:BRIGHTNESS",
        "flip": "gandetect.data.perturbations:FLIP",
    },
)


def levels_of(request: str) -> list[tuple[str, float]]:
    """The name and levels that "jpeg" (all that are usual) or "jpeg 75" (that one) asks for.

    Raises `UsageError` for a perturbation or a level that does not exist.

    >>> levels_of("blur"), levels_of("jpeg 75")
    ([('blur', 0.5), ('blur', 1), ('blur', 2)], [('jpeg', 75.0)])
    """
    name, _, level = request.partition(" ")
    kind = PERTURBATIONS[name]
    if not level:
        return [(name, usual) for usual in kind.levels]
    least, most = kind.allowed
    try:
        if least <= float(level) <= most:
            return [(name, float(level))]
    except ValueError:
        pass
    raise UsageError(
        f"{request!r} asks for level {level!r} of {name!r}, which is the {kind.unit}, from "
        f'{least:g} to {most:g}; give one such as "{name} {kind.levels[0]:g}", or "{name}" for all'
    )


class ProcessingStep(ConfigSection):
    """One perturbation, its ``probability`` for each image, and the ``range`` of its level.

    The level is uniform in the range, in the perturbation's own unit; a flip has none.
    """

    name: str
    probability: Probability
    range: tuple[Level, Level] = (1.0, 1.0)

    @model_validator(mode="after")
    def _levels_that_exist(self) -> ProcessingStep:
        least, most = PERTURBATIONS[self.name].allowed
        if least < most and "range" not in self.model_fields_set:
            raise ValueError(
                f"a step {self.name!r} needs the range that its level is drawn from; give two "
                f"numbers from {least:g} to {most:g} ({PERTURBATIONS[self.name].unit})"
            )
        if not least <= self.range[0] <= self.range[1] <= most:
            raise ValueError(
                f"the range of {self.name!r} is {list(self.range)}; give the smaller number first, "
                f"both from {least:g} to {most:g} ({PERTURBATIONS[self.name].unit})"
            )
        return self


# What `processing = "uploads"` means: milder and harder than what robustness is tested with.
UPLOADS = (
    {"name": "flip", "probability": 0.5},
    {"name": "blur", "probability": 0.3, "range": (0.3, 1.2)},
    {"name": "noise", "probability": 0.3, "range": (1.0, 10.0)},
    {"name": "resize", "probability": 0.3, "range": (0.6, 1.0)},
    {"name": "brightness", "probability": 0.3, "range": (0.7, 1.3)},
    {"name": "jpeg", "probability": 0.5, "range": (40.0, 98.0)},
)


def _named_chain(chain: object) -> object:
    if isinstance(chain, str):
        if chain != "uploads":
            raise ValueError(
                f'{chain!r} names no chain; give "uploads", or a list of steps such as '
                '[{ name = "jpeg", probability = 0.5, range = [40, 98] }]'
            )
        return UPLOADS
    return chain


# A chain: steps in their order; none leaves images as they are.
Processing: TypeAlias = Annotated[
    tuple[ProcessingStep, ...],
    BeforeValidator(
        _named_chain, json_schema_input_type=Literal["uploads"] | tuple[ProcessingStep, ...]
    ),
]
