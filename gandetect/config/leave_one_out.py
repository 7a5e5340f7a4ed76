"""Leave one generator out: one table of an experiment file, one detector for each generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

JOINT = "-without-"


def one_for_each(tables: Any) -> Any:
    """Replace each table with ``leave_one_out = true`` by one table for every generator it names.

    Each is called ``<name>-without-<generator>``, is trained without that one, and says so in
    ``left_out``. Raises `ValueError` where a table names fewer than two generators, or says neither
    true nor false.

    >>> made = one_for_each([{"name": "d", "fakes_from": ["a", "b"], "leave_one_out": True}])
    >>> [(one["name"], one["fakes_from"], one["left_out"]) for one in made]
    [('d-without-a', ['b'], 'a'), ('d-without-b', ['a'], 'b')]
    """
    if not isinstance(tables, Sequence) or isinstance(tables, str):
        return tables
    found: list[Any] = []
    for table in tables:
        if isinstance(table, Mapping) and table.get("leave_one_out", False) is not False:
            found += _without_each(table)
        else:
            found.append(table)
    return found


def _without_each(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = table.get("name") or table.get("recipe") or table.get("kind")
    if table["leave_one_out"] is not True:
        raise ValueError(
            f"{name!r} has leave_one_out = {table['leave_one_out']!r}; give true or false"
        )
    generators: Any = table.get("fakes_from")
    several = isinstance(generators, list | tuple) and all(isinstance(g, str) for g in generators)
    if not several or len(set(generators)) < 2:
        raise ValueError(
            f"{name!r} leaves one generator out, and fakes_from is {generators!r}; name at least "
            "two GANs there, so that one can be left out and another trained on"
        )
    rest = {key: value for key, value in table.items() if key != "leave_one_out"}
    return [
        {
            **rest,
            "name": f"{name}{JOINT}{out}",
            "fakes_from": [one for one in generators if one != out],
            "left_out": out,
        }
        for out in generators
    ]
