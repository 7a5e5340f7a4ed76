"""Reads TOML into plain values: whatever it holds, the answer is a table or one sentence."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gandetect.errors import UsageError, did_you_mean, shown

DEEPEST = 12  # tables and lists inside each other; an experiment needs six
LARGEST = 2**63  # TOML's own integers end here
LONG_KEY = re.compile(r"(?:\.[ \t]*[\w-]+[ \t]*){200}")
Place = tuple[str, ...]  # the keys that lead to a value


def read_toml(path: Path, asked_by: str = "") -> dict[str, Any]:
    """Read a TOML file, with or without a byte order mark.

    ``asked_by`` stands before the message. Raises `UsageError` for a file that cannot be read, is
    not TOML, or holds a value that no key can take: see `parse_toml`.
    """
    subject = f"{asked_by}experiment file {shown(str(path))}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = did_you_mean(str(path), map(str, path.parent.glob("*.toml")))
        raise UsageError(f"{subject} does not exist{near}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{subject} is not UTF-8 ({error.reason} at byte {error.start})") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{subject} cannot be read: {reason}") from None
    try:
        return parse_toml(text)
    except ValueError as error:
        raise UsageError(f"{subject} is not valid TOML: {error}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML whose values are tables, lists, strings, booleans and ordinary numbers.

    Raises `ValueError` for what is not TOML, dates, NaN and infinity, integers of more than 64
    bits, NUL characters, and tables and lists nested more than a dozen deep.
    """
    if LONG_KEY.search(text):  # which tomllib would take minutes over
        raise ValueError("a key is nested too deep")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python's own limit, for more than 4,300 digits
        raise ValueError("an integer has more than 64 bits") from None
    except RecursionError:
        raise ValueError("brackets are nested too deep") from None
    for where, problem in _untame(table, (), DEEPEST):
        raise ValueError(f"{shown('.'.join(where))} {problem}")
    return table


def _untame(value: Any, where: Place, deeper: int) -> Iterator[tuple[Place, str]]:
    """Where a value is one that no key takes, and why; no deeper than asked."""
    match value:
        case dict() | list() if not deeper:
            yield where, "is nested too deep"
        case dict() | list():
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                if "\0" in str(key):
                    yield (*where, str(key)), "has a NUL character in its name"
                yield from _untame(inner, (*where, str(key)), deeper - 1)
        case int() if not -LARGEST <= value < LARGEST:
            yield where, "is an integer of more than 64 bits"
        case float() if not math.isfinite(value):
            yield where, f"is {value}, not a finite number"
        case str() if "\0" in value:
            yield where, "has a NUL character"
        case bool() | int() | float() | str():
            pass
        case _:
            yield where, f"is a {type(value).__name__}, which no key takes"
