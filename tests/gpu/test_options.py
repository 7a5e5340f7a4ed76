"""The table of options, held against the configuration: a new key or value has to be tried."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import torch

from gandetect.config import ARCHITECTURES
from gandetect.config.section import ConfigSection
from gandetect.training.adversarial import AdversarialStep
from gandetect.training.networks import build_gan

from .draws import DrawnOnTheHost
from .options import NOT_OF_A_STEP, OPTIONS, RESOLVED, config_of


def fields(table: type[ConfigSection], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a table and the tables in it, with its type."""
    for name, field in table.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, ConfigSection):
            yield from fields(field.annotation, f"{before}{name}.")
        else:
            yield f"{before}{name}", field.annotation


def named(annotation: Any) -> set[Any]:
    """The values that a type names: of literals, also within unions and tuples."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if annotation is bool:
        return {True, False}
    if get_origin(annotation) in (Annotated, Union, types.UnionType, tuple):
        return set().union(*(named(part) for part in get_args(annotation)))
    return set()


def tried(path: str) -> set[Any]:
    """The values of a key in all of the table's cases; of a tuple its elements."""
    values = set()
    for option in OPTIONS:
        value: Any = config_of(option)
        for name in path.split("."):
            value = getattr(value, name, None)
        values |= set(value) if isinstance(value, tuple) else {value}
    return values


TABLES = dict.fromkeys(one.table for _, one in ARCHITECTURES.items())
ALL_KEYS = {path: one for table in TABLES for path, one in fields(table)}
KEYS = {path: one for path, one in ALL_KEYS.items() if path not in NOT_OF_A_STEP}


@pytest.mark.parametrize("path", KEYS)
def test_every_value_of_every_key_is_tried(path) -> None:
    expected = {value for value in named(KEYS[path]) if (path, value) not in RESOLVED}
    assert expected <= tried(path)
    if not expected:  # a number, or a name
        assert len(tried(path)) > 1


def test_every_architecture_is_tried_and_no_exception_is_idle() -> None:
    assert tried("architecture") == set(ARCHITECTURES)
    assert set(ALL_KEYS) >= NOT_OF_A_STEP
    assert len(KEYS) > 20


def test_draws_on_the_host_are_those_of_the_cpu() -> None:
    """Of every way to draw that there is: so they are compared at all, and change nothing."""
    changes = dict(OPTIONS["changes"][1], instance_noise=0.1)
    changes["negatives"] = OPTIONS["negatives"][1]["negatives"]
    config = config_of("dcgan-plain", batch_size=4, **changes)
    pixels = torch.randint(256, (4, 1, 8, 8), dtype=torch.uint8)

    def row(mode) -> torch.Tensor:
        cpu = torch.device("cpu")
        step = AdversarialStep(config, build_gan(config, 8, 1, 0, cpu), cpu)
        step.begin(0, 1, None)
        with mode:
            return step(pixels, step.kind(0)).clone()

    assert torch.equal(row(nullcontext()), row(DrawnOnTheHost()))
