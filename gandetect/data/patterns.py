"""How many file names of each class a `group_pattern` fits, and what it finds in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from gandetect.errors import UsageError, shown


@dataclass(frozen=True)
class ClassFit:
    """Of how many file names of a class the pattern fits how many; one that it does not fit."""

    files: int
    fits: int
    unlike: str = ""


@dataclass(frozen=True)
class PatternFit:
    """How a `group_pattern` fits the file names of each class."""

    pattern: str
    classes: dict[str, ClassFit]

    @property
    def files(self) -> int:
        """All files."""
        return sum(fit.files for fit in self.classes.values())

    @property
    def fits(self) -> int:
        """Files whose names it fits."""
        return sum(fit.fits for fit in self.classes.values())

    def sentence(self) -> str:
        """How many names it fits, in all and by class: the eight classes that it fits worst."""
        ranked = sorted(self.classes.items(), key=lambda item: item[1].fits / item[1].files)
        by_class = [f"{shown(name)}: {fit.fits:,} of {fit.files:,}" for name, fit in ranked[:8]]
        return (
            f"group_pattern {shown(self.pattern)} fits {self.fits:,} of {self.files:,} file names "
            f"({', '.join(by_class)})"
        )

    def require(self, share: float) -> None:
        """Raise `UsageError` when it fits less than a share of the names of any class, or none."""
        poor = [fit for fit in self.classes.values() if fit.fits < share * fit.files]
        if not poor and (self.fits or not self.files):
            return
        unlike = next(fit.unlike for fit in (*poor, *self.classes.values()) if fit.unlike)
        wanted = f"at least {share:g} of every class, as group_pattern_share says"
        raise UsageError(
            f"{self.sentence()}, and not {shown(unlike)}; it has to fit "
            f"{wanted if poor else 'some of them'}, or copies of one picture could stand on two "
            "sides; mend the pattern, or give a smaller group_pattern_share to group only the "
            "files that it fits"
        )

    def facts(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {"files": self.files, "fits": self.fits, **asdict(self)}


def pattern_facts(table: pd.DataFrame, pattern: str | None, share: float) -> dict[str, Any]:
    """How many names (columns path, class_name) a pattern fits, as facts; nothing without one.

    Raises `UsageError` when it fits less than ``share`` of the names of a class.
    """
    if pattern is None:
        return {}
    fit = pattern_fit(list(table["path"]), list(table["class_name"]), pattern)
    fit.require(share)
    return {"group_pattern": fit.facts()}


def pattern_fit(paths: Sequence[str], classes: Sequence[str], pattern: str) -> PatternFit:
    """Count the names that a pattern fits; ``classes`` names the class of each path."""
    counted: dict[str, ClassFit] = {}
    for path, name, text in zip(paths, classes, found_in_names(paths, pattern), strict=True):
        before = counted.get(name, ClassFit(0, 0))
        unlike = before.unlike or ("" if text else PurePosixPath(path).name)
        counted[name] = ClassFit(before.files + 1, before.fits + bool(text), unlike)
    return PatternFit(pattern, counted)


def found_in_names(paths: Iterable[str], pattern: str) -> list[str]:
    """What the pattern finds in each file name, "" where nothing.

    That is what its first parentheses hold, else all that it matches.

    >>> found_in_names(["a/dog-3.png", "dog-3-edited.png", "cat.png"], "^([a-z]+-[0-9]+)")
    ['dog-3', 'dog-3', '']
    """
    compiled = re.compile(pattern)
    matches = []
    for path in paths:
        match = compiled.search(PurePosixPath(path).name)
        first = match[1] if match is not None and compiled.groups else None
        matches.append("" if match is None else match[0] if first is None else first)
    return matches
