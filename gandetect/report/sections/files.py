"""The image files of a labelled study: formats, modes and sizes by class, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import count, percent

SHOWN = 20


def files(material: Material) -> list[Block]:
    """What the files of each class are, how they were grouped, and which were left out, and why."""
    if not material.labelled:
        return []
    return [*_groups(material), *_kinds(material), *_left_out(material)]


def _groups(material: Material) -> list[Block]:
    facts = material.inputs.data
    if "groups" not in facts:
        return []
    near = facts.get("near_duplicates", 0)
    pairs = f" Perceptual hashes found {count(near)} pair(s) of near-duplicates." if near else ""
    sides = (
        "As this study leaks on purpose, a group's copies were dealt to different sides."
        if facts.get("leak")
        else "No group stands on two sides of a split."
    )
    return [Text(f"The pictures form {count(facts['groups'])} group(s) of copies.{pairs} {sides}")]


def _kinds(material: Material) -> list[Block]:
    facts = material.inputs.data
    classes = [name for name in facts.get("counts", {}) if name in facts.get("formats", {})]
    if not classes:
        return []
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
    header = ["Class", "Counts as", "Formats", "Modes", "Median size", "Smallest", "Largest"]
    return [
        Text(
            "What tells the classes' files apart before anybody looks at a picture, a detector "
            "can learn in place of what it should; where they differ clearly, the answer above "
            "says so.",
            "note",
        ),
        Table("Image files by class", header, rows, text_columns=4),
    ]


def _left_out(material: Material) -> list[Block]:
    entries = material.inputs.data.get("left_out", [])
    if not entries:
        return []
    rows = [[str(entry["path"]), str(entry["reason"])] for entry in entries[:SHOWN]]
    more = f"; the first {SHOWN}, all are in data.json" if len(entries) > SHOWN else ""
    caption = f"Left out and used nowhere: {count(len(entries))} file(s){more}"
    return [Table(caption, ["File", "Reason"], rows, text_columns=2)]


def _shares(counts: Mapping[str, int]) -> str:
    """``JPEG 71.4 %, PNG 28.6 %``, or the name alone where there is one only."""
    total = sum(counts.values())
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} {percent(n / total)}" for name, n in counts.items()) or "–"


def _sizes(sizes: Mapping[str, Any] | None) -> list[str]:
    if sizes is None:
        return ["–", "–", "–"]
    return [_pixels(sizes[name]) for name in ("median", "smallest", "largest")]


def _pixels(size: Sequence[int]) -> str:
    return f"{size[0]} × {size[1]} px"
