"""The image files of a labelled study: formats, modes and sizes by class, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.words import count, percent

SHOWN = 20
HEADER = ("Class", "Counts as", "Formats", "Modes", "Median size", "Smallest", "Largest")
say = Prose(__file__)


def files(material: Material) -> list[Block]:
    """What the files of each class are, how they were grouped, and which were left out, and why."""
    facts = material.inputs.data
    grouped = _grouped(facts)
    if not material.labelled:
        return [Text(sentence) for sentence in grouped]
    found = facts.get("contradictions", [])
    both = [[", ".join(f"{path} ({label})" for path, label in one.items())] for one in found]
    left_out = [[str(one["path"]), str(one["reason"])] for one in facts.get("left_out", [])]
    caption = f"Left out and used nowhere: {count(len(left_out))} file(s)"
    return [
        *_first("Pictures under both labels", ["Files"], both),
        *([Text(say.groups(facts, grouped))] if "groups" in facts else []),
        *_kinds(facts),
        *_first(caption, ["File", "Reason"], left_out),
    ]


def _grouped(facts: Mapping[str, Any]) -> list[str]:
    """How many files the pattern and the column say a group of."""
    pattern, column = facts.get("group_pattern"), facts.get("group_column")
    return [
        *([say.pattern(pattern, SHOWN)] if pattern is not None else []),
        *([say.column(column)] if column is not None else []),
    ]


def _first(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Block]:
    more = f"; the first {SHOWN}, all are in data.json" if len(rows) > SHOWN else ""
    table = Table(f"{caption}{more}", header, rows[:SHOWN], text_columns=len(header))
    return [table] if rows else []


def _kinds(facts: Mapping[str, Any]) -> list[Block]:
    classes = [name for name in facts.get("counts", {}) if name in facts.get("formats", {})]
    rows = [
        [
            name,
            str(facts["classes"].get(name, "–")),
            _shares(facts["formats"][name]),
            _shares(facts.get("modes", {}).get(name, {})),
            *_sizes(facts.get("sizes", {}).get(name)),
        ]
        for name in classes
    ]
    table = Table("Image files by class", HEADER, rows, text_columns=4)
    return [*say.paragraphs("kinds"), table] if rows else []


def _shares(counts: Mapping[str, int]) -> str:
    """``JPEG 71.4 %, PNG 28.6 %``, or the name alone where there is one only."""
    total = sum(counts.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {percent(n / total)}" for name, n in counts.items()) or "–"


def _sizes(sizes: Mapping[str, Any] | None) -> list[str]:
    if sizes is None:
        return ["–", "–", "–"]
    pixels = (sizes[name] for name in ("median", "smallest", "largest"))
    return [f"{width} × {height} px" for width, height in pixels]
