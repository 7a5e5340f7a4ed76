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
        return [Text(sentence) for sentence in _grouped(material.inputs.data)]
    return [
        *_contradictions(material),
        *_groups(material),
        *_kinds(material),
        *_left_out(material),
    ]


def _groups(material: Material) -> list[Block]:
    facts = material.inputs.data
    if "groups" not in facts:
        return []
    near = facts.get("near_duplicates", 0)
    pairs = f" Perceptual hashes found {count(near)} pair(s) of near-duplicates." if near else ""
    if facts.get("leak"):
        sides = "As this study leaks on purpose, a group's copies were dealt to different sides."
    else:
        sides = _sides(facts)
    said = [f"The pictures form {count(facts['groups'])} group(s) of copies.{pairs} {sides}"]
    return [Text(" ".join([*said, *_grouped(facts)]))]


def _sides(facts: Mapping[str, Any]) -> str:
    """What holds of the sides: of files whose group nobody can tell, no more than of copies."""
    untold = [
        fact["files"] - fact[key]
        for name, key in (("group_pattern", "fits"), ("group_column", "told"))
        if (fact := facts.get(name)) is not None
    ]
    if not any(untold):
        return "No group stands on two sides of a split."
    return (
        f"No group that is known stands on two sides of a split; of {count(max(untold))} file(s) "
        "only identical copies are known, and others of the same picture may stand on another side."
    )


def _grouped(facts: Mapping[str, Any]) -> list[str]:
    """How many files the pattern and the column say a group of."""
    said = []
    if (fit := facts.get("group_pattern")) is not None:
        classes = [f"{n!r}: {count(one['fits'])} of {count(one['files'])}"
                   for n, one in fit["classes"].items()]  # fmt: skip
        more = f", and {len(classes) - SHOWN} more classes" if len(classes) > SHOWN else ""
        said.append(
            f"group_pattern {fit['pattern']!r} fits {count(fit['fits'])} of {count(fit['files'])} "
            f"file names ({', '.join(classes[:SHOWN])}{more})."
        )
    if (column := facts.get("group_column")) is not None:
        said.append(
            f"Column {column['column']!r} says a group of {count(column['told'])} of "
            f"{count(column['files'])} files."
        )
    return said


def _contradictions(material: Material) -> list[Block]:
    """Pictures under both labels, which the experiment file allows by name."""
    found = material.inputs.data.get("contradictions", [])
    if not found:
        return []
    rows = [[", ".join(f"{path} ({label})" for path, label in one.items())] for one in found]
    more = f"; the first {SHOWN}, all are in data.json" if len(rows) > SHOWN else ""
    return [Table(f"Pictures under both labels{more}", ["Files"], rows[:SHOWN], text_columns=1)]


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
