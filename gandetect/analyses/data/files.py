"""The image files of a labelled study: formats, modes and sizes by class, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, percent

SHOWN = 20
say = Prose(__file__)


def files(results: StudyResults) -> list[Block]:
    """What the files of each class are, how they were grouped, and which were left out, and why."""
    facts = results.inputs.data
    groups = _grouped(facts)
    if not results.labelled:
        return [Text(sentence) for sentence in groups]
    left_out = facts.get("left_out", [])
    both: Columns = {"Files": lambda one: ", ".join(f"{p} ({label})" for p, label in one.items())}
    why: Columns = {"File": lambda one: str(one["path"]), "Reason": lambda one: str(one["reason"])}
    caption = f"Left out and used nowhere: {count(len(left_out))} file(s)"
    return [
        *_first("Pictures under both labels", facts.get("contradictions", []), both),
        *([Text(say.groups(facts, groups))] if "groups" in facts else []),
        *_kinds(facts),
        *_first(caption, left_out, why),
    ]


def _grouped(facts: Mapping[str, Any]) -> list[str]:
    """How many files the pattern and the column say a group of."""
    pattern, column = facts.get("group_pattern"), facts.get("group_column")
    by_pattern = [] if pattern is None else [say.pattern(pattern, SHOWN)]
    return by_pattern if column is None else [*by_pattern, say.column(column)]


def _first(caption: str, rows: Sequence[Any], columns: Columns) -> list[Block]:
    more = f"; the first {SHOWN}, all are in data.json" if len(rows) > SHOWN else ""
    return [table(f"{caption}{more}", rows[:SHOWN], columns, len(columns))] if rows else []


def _kinds(facts: Mapping[str, Any]) -> list[Block]:
    classes = [name for name in facts.get("counts", {}) if name in facts.get("formats", {})]

    def side(key: str) -> Callable[[str], str]:
        sizes = facts.get("sizes", {})
        return lambda name: "{} × {} px".format(*sizes[name][key]) if name in sizes else "–"

    columns: Columns = {
        "Class": str,
        "Counts as": lambda name: str(facts["classes"].get(name, "–")),
        "Formats": lambda name: _shares(facts["formats"][name]),
        "Modes": lambda name: _shares(facts.get("modes", {}).get(name, {})),
        "Median size": side("median"),
        "Smallest": side("smallest"),
        "Largest": side("largest"),
    }
    files_by_class = table("Image files by class", classes, columns, text_columns=4)
    return [*say.paragraphs("kinds"), files_by_class] if classes else []


def _shares(counts: Mapping[str, int]) -> str:
    """``JPEG 71.4 %, PNG 28.6 %``, or the name alone where there is one only."""
    total = sum(counts.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {percent(n / total)}" for name, n in counts.items()) or "–"
