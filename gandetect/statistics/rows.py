"""Rows of numbers, as `metrics.json` holds them, by the values of some of their keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = list[dict[str, Any]]


def grouped(rows: Iterable[Row], *keys: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by the values of these keys, in the order in which they come.

    >>> grouped([{"k": 1, "v": 2}, {"k": 0, "v": 3}, {"k": 1, "v": 4}], "k").keys()
    dict_keys([(1,), (0,)])
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return dict(groups)


def chosen(rows: Iterable[Row], **values: Any) -> list[Row]:
    """Rows that have these values.

    >>> chosen([{"k": 1, "v": 2}, {"k": 0, "v": 3}], k=0)
    [{'k': 0, 'v': 3}]
    """
    return [row for row in rows if all(row[key] == value for key, value in values.items())]


def means(rows: Iterable[Row], value: str, *keys: str) -> dict[tuple[Any, ...], float]:
    """The mean of one number by the values of these keys.

    >>> means([{"k": 1, "v": 2.0}, {"k": 1, "v": 3.0}], "v", "k")
    {(1,): 2.5}
    """
    return {key: fmean(row[value] for row in of) for key, of in grouped(rows, *keys).items()}
