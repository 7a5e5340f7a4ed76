"""One family of errors. A message says what was given, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

LONGEST_NAME = 200


class GandetectError(Exception):
    """Something that the user can act on; shown as one sentence, without a traceback."""

    exit_code = 1


class UsageError(GandetectError):
    """What was asked for makes no sense: a flag, a key or a value of an experiment file."""

    exit_code = 2


class DataError(GandetectError):
    """Images or labels are missing, damaged or not what they claim to be."""


class RunError(GandetectError):
    """A run folder is damaged, in use, or belongs to another configuration."""


class TrainingError(GandetectError):
    """Training cannot go on, for example because a loss is not finite."""


class WorkerError(GandetectError):
    """A worker process was killed from outside."""

    def __init__(self) -> None:
        super().__init__(
            "a worker process was killed from outside, often for want of memory; free some, or "
            "give fewer --jobs or --workers, and the same command again: what is complete is kept"
        )


class DetectorError(GandetectError):
    """A saved detector is missing, damaged or of another kind."""


class ExternalError(DetectorError):
    """Somebody's code, model file or program failed. It costs a study that detector alone."""


def shown(value: object, most: int = 80) -> str:
    """A value as a message repeats it: at most so many characters, the middle left out.

    Lists read as lists, also where a frozen table has made them tuples.

    >>> shown(("Bag", 0)), shown("x" * 100, 12)
    ("['Bag', 0]", "'xxxxx…xxxx'")
    """
    if isinstance(value, bool):
        return str(value).lower()  # as TOML writes it
    try:
        return shortened(repr(_as_written(value)), most)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or depth
        return f"a {type(value).__name__} too large to show"


def shortened(text: str, most: int = 600) -> str:
    """A text on one line of at most so many characters, the middle left out.

    >>> shortened("a sentence of many words", 20)
    'a sentence…any words'
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    if len(plain) <= most:
        return plain
    return f"{plain[: most // 2]}…{plain[len(plain) - (most - most // 2 - 1) :]}"


def _as_written(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_as_written(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_written(one) for key, one in value.items()}
    return value


def did_you_mean(given: object, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'Sneaker'?"`` for a near miss, else an empty string."""
    lowered = {choice.lower(): choice for choice in choices}
    if not isinstance(given, str) or len(given) > LONGEST_NAME:  # nobody has mistyped that
        return ""
    near = get_close_matches(given.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {shown(lowered[near[0]])}?" if near else ""


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names for a message: the first twenty of them, and of a long one its ends.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shortened(name, 40) for name in names[:most]) + more if names else "none"


def unknown_name(kind: str, given: object, choices: Iterable[str]) -> UsageError:
    """Build the error for a name that is in none of our dicts, naming all that are."""
    names = list(choices)
    problem = "is missing" if given is None else f"{shown(given)} is not known"
    return UsageError(
        f"{kind} {problem}; choose one of: {listed(names)}{did_you_mean(given, names)}"
    )


def require_known(kind: str, names: Iterable[str], choices: Collection[str]) -> None:
    """Raise `unknown_name` for the first of some names that is none of the choices."""
    for name in names:
        if name not in choices:
            raise unknown_name(kind, name, choices)
