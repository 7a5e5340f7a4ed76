"""Reading experiment files: TOML, overrides, and one sentence for each thing that is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gandetect.config.data import TABLES_BY_TAG
from gandetect.config.detector import DETECTOR_TABLES
from gandetect.config.experiment import Experiment
from gandetect.errors import UsageError, did_you_mean

EXTENDS, CHANGES = "extends", "changes"  # keys of a file that is a variation of another

# In the location of a problem stands also which kind of table it is; nobody has written that.
KIND_AT = {"data": 1, "detectors": 2}
TABLES_BY_KIND: dict[str, type[BaseModel]] = {**TABLES_BY_TAG, **DETECTOR_TABLES}


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
    asked_by = f"{extended_by[-1]}: extends " if extended_by else ""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{asked_by}experiment file {str(path)!r} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{asked_by}experiment file {str(path)!r} cannot be read: {error}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{asked_by}experiment file {str(path)!r} is not valid TOML: {error}"
        ) from None
    if EXTENDS not in table:
        if CHANGES in table:
            raise UsageError(
                f"{path}: {CHANGES} are made to the file that {EXTENDS!r} names, and it names none"
            )
        return table
    base, changes = table.pop(EXTENDS), table.pop(CHANGES, [])
    if not isinstance(base, str) or not base:
        raise UsageError(
            f"{path}: {EXTENDS} = {base!r} is not the name of an experiment file, such as "
            "'better-detectors.toml'"
        )
    if not isinstance(changes, list) or not all(isinstance(change, str) for change in changes):
        raise UsageError(
            f"{path}: {CHANGES} = {changes!r} is not a list of strings, such as "
            "['gans.dcgan-bn.epochs=2']"
        )
    asking = (*extended_by, path)
    named = path.parent / base
    if any(named.resolve() == one.resolve() for one in asking):
        raise UsageError(f"{path}: {EXTENDS} = {base!r} leads back to {named}; name another file")
    joined = _laid_over(_read(named, asking), table)
    for change in changes:
        apply_override(joined, change, f"{path}: {CHANGES}")
    return joined


def _laid_over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one: tables in both are joined; any other value of the upper one stands."""
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _laid_over(below[key], value)
        else:
            below[key] = value
    return below


def parse_experiment(table: Mapping[str, Any], origin: str = "experiment") -> Experiment:
    """Validate a table; errors become one `UsageError` sentence per problem."""
    try:
        return Experiment.model_validate(table)
    except ValidationError as error:
        # A bad entry also makes its list look empty; that echo would only confuse.
        errors = [e for e in error.errors() if not (e["type"] == "too_short" and e["input"])]
        problems = "; ".join(_explain(problem) for problem in errors)
        raise UsageError(f"{origin}: {problems}") from None


def apply_override(table: dict[str, Any], override: str, said: str = "--set") -> None:
    """Set one key in place: ``data.images=2000``, ``gans.0.epochs=1``, ``gans.dcgan-bn.epochs=1``.

    In a list of tables an entry is named by its number, or by its ``name`` or ``architecture``.
    ``said`` tells where the override stands, for errors.
    """
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise UsageError(
            f"{said} {override!r} is not of the form key=value, such as data.images=2000"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    *parents, leaf = key.strip().split(".")
    node: Any = table
    for parent in parents:
        node = _step_into(node, parent, f"{said} {override!r}")
    if isinstance(node, list):
        raise UsageError(f"{said} {override!r} names a list; say which entry, as in gans.0.{leaf}")
    node[leaf] = value


def _step_into(node: Any, part: str, said: str) -> Any:
    if isinstance(node, list):
        for number, entry in enumerate(node):
            if part in (str(number), entry.get("name"), entry.get("architecture")):
                return entry
        entries = [str(e.get("name") or e.get("architecture") or i) for i, e in enumerate(node)]
        raise UsageError(f"{said}: no entry {part!r}; there are: {', '.join(entries)}")
    child = node.setdefault(part, {})
    if not isinstance(child, dict | list):
        raise UsageError(f"{said}: {part!r} is a value, not a table")
    return child


def _explain(problem: Any) -> str:
    location = problem["loc"]
    place = KIND_AT.get(location[0]) if location else None
    where = ".".join(str(part) for at, part in enumerate(location) if at != place) or "experiment"
    if problem["type"] == "extra_forbidden":
        allowed = _keys_at(problem["loc"][:-1])
        return (
            f"unknown key {where!r}; allowed here: {', '.join(allowed)}"
            f"{did_you_mean(problem['loc'][-1], allowed)}"
        )
    if problem["type"] == "missing":
        return f"{where!r} is missing; give it a value"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem["type"] == "value_error":
        return f"{where}: {message}" if problem["loc"] else message
    return f"{where} = {problem['input']!r} is not allowed: {message}"


def _keys_at(location: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] = Experiment
    for part in location:
        if isinstance(part, int):
            continue
        if part in TABLES_BY_KIND:
            model = TABLES_BY_KIND[part]
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return list(model.model_fields)
