"""One family of errors. A message says what was given, what was expected and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


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


class DetectorError(GandetectError):
    """A saved detector is missing, damaged or of another kind."""


def did_you_mean(given: object, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'Sneaker'?"`` for a near miss, else an empty string."""
    lowered = {choice.lower(): choice for choice in choices}
    near = get_close_matches(str(given).lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""


def unknown_name(kind: str, given: object, choices: Iterable[str]) -> UsageError:
    """Build the error for a name that is in none of our dicts, naming all that are."""
    names = list(choices)
    return UsageError(
        f"{kind} {given!r} is not known; choose one of: {', '.join(names)}"
        f"{did_you_mean(given, names)}"
    )
