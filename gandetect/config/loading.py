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
TABLE_LISTS = ("gans", "classifiers", "detectors", "sources", "variants")
TOLD = 3  # problems in one message
EXTENDS, CHANGES = "extends", "changes"  # keys of a file that is a variation of another


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are TOML).

    A file may be a variation of another: ``extends`` names that file, relative to its own folder;
    its other keys are laid over it, table by table, and ``changes`` lists overrides, for entries of
    lists. Raises `UsageError` naming the file, the key, what was given and what is allowed.
    """
    table = _read(Path(path), ())
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
    merged = laid_over(_read(named, asking), table)
    for change in changes:
        apply_override(merged, change, f"{path}: {CHANGES}")
    return merged


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
        entries = table.get(key, ())
        if not isinstance(entries, list | tuple):
            raise UsageError(
                f"{origin}: {key} is a list of tables, each written [[{key}]], and {key} = "
                f"{shown(entries)} is {_kind_of(entries)}"
            )
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping | BaseModel):
                raise UsageError(
                    f"{origin}: {key}.{number} = {shown(entry)} is {_kind_of(entry)}, not a table; "
                    f"each of {key} is written [[{key}]], with its keys below"
                )


def _kind_of(value: Any) -> str:
    """What a value is, in TOML's words."""
    names = {"bool": "a boolean", "int": "an integer", "float": "a number", "str": "a string",
             "list": "a list", "tuple": "a list", "dict": "a table"}  # fmt: skip
    return names.get(type(value).__name__, "another value")


def apply_override(table: dict[str, Any], override: str, origin: str = "--set") -> None:
    """Set one key in place, as in ``data.max_images=2000`` or ``gans.dcgan-bn.epochs=1``.

    In a list of tables an entry is named by its number, or by its ``name`` or ``architecture``.
    What is no TOML value is a string, so that a name needs no quotes. ``origin`` tells where the
    override stands, for errors.
    """
    key, equals, text = override.partition("=")
    origin = f"{origin} {shown(override)}"
    if not equals or not key.strip():
        raise UsageError(f"{origin} is not of the form key=value, such as data.max_images=2000")
    *parents, leaf = (part.strip() for part in key.strip().split("."))
    if "" in (*parents, leaf):
        raise UsageError(
            f"{origin} has an empty part in its key; write it as in data.max_images=2000"
        )
    if len(parents) >= DEEPEST:
        raise UsageError(f"{origin} names a key within {len(parents)} others; none lies so deep")
    node: Any = table
    for parent in parents:
        node = _step_into(node, parent, origin)
    if isinstance(node, list):
        raise UsageError(f"{origin} names a list; say which entry, as in gans.0.{leaf}")
    node[leaf] = _value_of(text, origin)


def _value_of(text: str, origin: str) -> Any:
    """The TOML value that a text is, else the text itself."""
    try:
        table = parse_toml(f"value = {text}")
    except tomllib.TOMLDecodeError:
        if "\0" in text:
            raise UsageError(f"{origin}: the value has a NUL character") from None
        return text.strip()
    except ValueError as error:
        reason = str(error)
        raise UsageError(f"{origin}: {reason.replace(repr('value'), 'the value', 1)}") from None
    if set(table) != {"value"}:
        raise UsageError(f"{origin}: the value goes on for more than one line; give one value")
    return table["value"]


def _step_into(node: Any, part: str, origin: str) -> Any:
    if isinstance(node, list):
        child, called = None, []
        for number, entry in enumerate(node):
            table = entry if isinstance(entry, dict) else {}
            names = [name for key in ("name", "architecture") if (name := table.get(key))]
            if part in (str(number), *names):
                child = entry
                break
            called.append(str([*names, number][0]))
        else:
            raise UsageError(f"{origin}: no entry {shown(part)}; there are: {listed(called)}")
    else:
        child = node.setdefault(part, {})
    if not isinstance(child, dict | list):
        raise UsageError(f"{origin}: {shown(part)} is a value, not a table")
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
