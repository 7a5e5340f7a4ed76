"""Reading experiment files: TOML, overrides, and one sentence for each thing that is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gandetect.config.experiment import Experiment
from gandetect.config.section import UNKNOWN_KEY, laid_over
from gandetect.config.toml import DEEPEST, parse_toml, read_toml
from gandetect.errors import UsageError, did_you_mean, listed, shortened, shown

# What an experiment file is made of, beside values: tables, and lists of tables.
TABLES = ("data", "quality", "evaluation")
TABLE_LISTS = ("gans", "classifiers", "detectors", "variants")
TOLD = 3  # problems in one message
EXTENDS, CHANGES = "extends", "changes"  # keys of a file that is a variation of another


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are TOML).

    A file may be a variation of another: ``extends`` names that file, relative to its own folder;
    its other keys are laid over it, table by table, and ``changes`` lists overrides, for entries of
    lists. Raises `UsageError` naming the file, the key, what was given and what is allowed.
    """
    table = _read(path, ())
    for override in overrides:
        apply_override(table, override)
    return parse_experiment(table, str(path))


def _read(path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """The table of a file, laid over that of the file it extends."""
    table = read_toml(path, f"{extended_by[-1]}: extends " if extended_by else "")
    if EXTENDS not in table:
        if CHANGES in table:
            raise UsageError(
                f"{path}: {CHANGES} are made to the file that {EXTENDS!r} names, and it names none"
            )
        return table
    base, changes = table.pop(EXTENDS), table.pop(CHANGES, [])
    if not isinstance(base, str) or not base:
        raise UsageError(
            f"{path}: {EXTENDS} = {shown(base)} is not the name of an experiment file, such as "
            "'better-detectors.toml'"
        )
    if not isinstance(changes, list) or not all(isinstance(change, str) for change in changes):
        raise UsageError(
            f"{path}: {CHANGES} = {shown(changes)} is not a list of strings, such as "
            "['gans.dcgan-bn.epochs=2']"
        )
    asking = (*extended_by, path)
    named = path.parent / base
    if any(named.resolve() == one.resolve() for one in asking):
        raise UsageError(
            f"{path}: {EXTENDS} = {shown(base)} leads back to {named}; name another file"
        )
    joined = laid_over(_read(named, asking), table)
    for change in changes:
        apply_override(joined, change, f"{path}: {CHANGES}")
    return joined


def parse_experiment(table: Mapping[str, Any], origin: str = "experiment") -> Experiment:
    """Validate a table; errors become one `UsageError` sentence, of the first few problems."""
    _require_tables(table, origin)
    try:
        return Experiment.model_validate(table)
    except ValidationError as error:
        # A bad entry also makes its list look empty; that echo would only confuse.
        errors = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        problems = list(dict.fromkeys(_explain(problem) for problem in errors))
        more = f"; and {len(problems) - TOLD} more" if len(problems) > TOLD else ""
        raise UsageError(f"{origin}: {'; '.join(problems[:TOLD])}{more}") from None


def _require_tables(table: Mapping[str, Any], origin: str) -> None:
    """Refuse another value where a table, or a list of tables, belongs."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{origin}: expected a table of keys, and it is {shown(table)}")
    for key in TABLES:
        if key in table and not isinstance(table[key], Mapping | BaseModel):
            raise UsageError(
                f"{origin}: {key} is one table, written [{key}], and {key} = {shown(table[key])} "
                f"is {_kind_of(table[key])}; give it once, in single brackets"
            )
    for key in TABLE_LISTS:
        given = table.get(key, ())
        fine = isinstance(given, list | tuple)
        for number, one in enumerate(given if fine else ()):
            if not isinstance(one, Mapping | BaseModel):
                raise UsageError(
                    f"{origin}: {key}.{number} = {shown(one)} is {_kind_of(one)}, not a table; "
                    f"each of {key} is written [[{key}]], with its keys below"
                )
        if not fine:
            raise UsageError(
                f"{origin}: {key} is a list of tables, each written [[{key}]], and {key} = "
                f"{shown(given)} is {_kind_of(given)}"
            )


def _kind_of(value: Any) -> str:
    """What a value is, in TOML's words."""
    names: dict[type, str] = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a string",
        list: "a list",
        tuple: "a list",
        dict: "a table",
    }
    return names.get(type(value), "another value")


def apply_override(table: dict[str, Any], override: str, said: str = "--set") -> None:
    """Set one key in place: ``data.images=2000``, ``gans.0.epochs=1``, ``gans.dcgan-bn.epochs=1``.

    In a list of tables an entry is named by its number, or by its ``name`` or ``architecture``.
    What is no TOML value is a string, so that a name needs no quotes. ``said`` tells where the
    override stands, for errors.
    """
    key, equals, text = override.partition("=")
    said = f"{said} {shown(override)}"
    if not equals or not key.strip():
        raise UsageError(f"{said} is not of the form key=value, such as data.images=2000")
    *parents, leaf = (part.strip() for part in key.strip().split("."))
    if "" in (*parents, leaf):
        raise UsageError(f"{said} has an empty part in its key; write it as in data.images=2000")
    if len(parents) >= DEEPEST:
        raise UsageError(f"{said} names a key within {len(parents)} others; none lies so deep")
    node: Any = table
    for parent in parents:
        node = _step_into(node, parent, said)
    if isinstance(node, list):
        raise UsageError(f"{said} names a list; say which entry, as in gans.0.{leaf}")
    node[leaf] = _value_of(text, said)


def _value_of(text: str, said: str) -> Any:
    """The TOML value that a text is, else the text itself."""
    try:
        table = parse_toml(f"value = {text}")
    except tomllib.TOMLDecodeError:
        if "\0" in text:
            raise UsageError(f"{said}: the value has a NUL character") from None
        return text.strip()
    except ValueError as error:
        told = str(error)
        raise UsageError(f"{said}: {told.replace(repr('value'), 'the value', 1)}") from None
    if set(table) != {"value"}:
        raise UsageError(f"{said}: the value goes on for more than one line; give one value")
    return table["value"]


def _step_into(node: Any, part: str, said: str) -> Any:
    if isinstance(node, list):
        for number, entry in enumerate(node):
            table = entry if isinstance(entry, dict) else {}
            if part in (str(number), table.get("name"), table.get("architecture")):
                return _table_or_list(entry, part, said)
        entries = [_called(entry, number) for number, entry in enumerate(node)]
        raise UsageError(f"{said}: no entry {shown(part)}; there are: {listed(entries)}")
    return _table_or_list(node.setdefault(part, {}), part, said)


def _called(entry: Any, number: int) -> str:
    table = entry if isinstance(entry, dict) else {}
    return str(table.get("name") or table.get("architecture") or number)


def _table_or_list(child: Any, part: str, said: str) -> Any:
    if not isinstance(child, dict | list):
        raise UsageError(f"{said}: {shown(part)} is a value, not a table")
    return child


def _explain(problem: Any) -> str:
    where = shortened(".".join(map(str, problem["loc"])), 120) or "experiment"
    if problem["type"] == UNKNOWN_KEY:
        allowed = problem["ctx"]["allowed"]
        return (
            f"unknown key {where!r}; allowed here: {listed(allowed, most=len(allowed))}"
            f"{did_you_mean(problem['loc'][-1], allowed)}"
        )
    if problem["type"] == "missing":
        return f"{where!r} is missing; give it a value"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"] in ("model_type", "model_attributes_type", "dict_type"):
        message = "a table is expected here"
    if problem["type"] == "too_short":
        message = f"at least {problem['ctx']['min_length']} entry is needed"
    if problem["type"] == "value_error":
        return f"{where}: {message}" if problem["loc"] else message
    return f"{where} = {shown(problem['input'])} is not allowed: {message}"
