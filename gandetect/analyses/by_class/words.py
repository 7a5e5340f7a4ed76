"""False alarms by class: which honest pictures pay the price."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.by_class import numbers
from gandetect.analyses.by_class.figure import false_alarms
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import POINTS, count, listing, per_hundred

Row = dict[str, Any]


def by_class(material: Material) -> list[Block]:
    """Share of each class's test reals called generated: in words, drawn, and in a table."""
    rows: list[Row] = material.metrics.get("by_class_across_seeds", [])
    if not rows:
        return material.absent("classes.parquet") if not material.labelled else []
    point = "calibrated" if "calibrated" in material.points else "native"
    points = [name for name in material.points if name in ("native", "calibrated")]
    said = [_worst_of(name, point, rows) for name in material.detectors]
    chance = (
        f"bars: 95 % interval over runs and images, grey dots: the {len(material.seeds)} runs"
        if material.many_seeds
        else "bars: 95 % interval over images"
    )
    shown = [f"{row['detector']} on {row['class_name']} {per_hundred(row['mean'])} of 100"
             for row in rows if row["operating_point"] == point]  # fmt: skip
    return [
        Text(
            f"Of 100 honest pictures of one class, so many are called generated ({POINTS[point]}): "
            + "; ".join(filter(None, said))
            + "."
        ),
        drawn(
            "false-alarms-by-class",
            lambda: false_alarms(rows, material.detectors, points),
            f"False alarms by class at the {point} point: {listing(shown)}.",
            "At the top stands the class that is delayed most on average over all panels; "
            f"{chance}. {_sizes(rows)}",
        ),
        *(_table(material, rows, name) for name in points),
    ]


def _worst_of(detector: str, point: str, rows: list[Row]) -> str:
    own = [row for row in rows if (row["detector"], row["operating_point"]) == (detector, point)]
    if not own:
        return ""
    worst, best = max(own, key=_delayed), min(own, key=_delayed)
    if worst["mean"] == best["mean"]:
        return f"with {detector} {_said(worst)} of every class"
    return f"with {detector} {_said(worst)} of {_named(worst)}, {_said(best)} of {_named(best)}"


def _sizes(rows: list[Row]) -> str:
    """How many images each share is of, for trained and for held-out classes."""
    said = []
    for held_out, words in ((False, "if trained on"), (True, "if held out")):
        sizes = sorted({row["n"] for row in rows if row["held_out"] == held_out})
        if sizes:
            said.append(f"{' to '.join(map(count, dict.fromkeys((sizes[0], sizes[-1]))))} {words}")
    return f"Images of a class: {', '.join(said)}."


def _delayed(row: Row) -> float:
    return float(row["mean"])


def _said(row: Row) -> str:
    return per_hundred(row["mean"], *row["ci95"])


def _named(row: Row) -> str:
    return f"{row['class_name']} ({'held out' if row['held_out'] else 'trained on'})"


def _table(material: Material, rows: list[Row], point: str) -> Table:
    at = [row for row in rows if row["operating_point"] == point]
    names = list(dict.fromkeys(row["class_name"] for row in sorted(at, key=_order)))
    body = []
    for name in names:
        cells = {row["detector"]: row for row in at if row["class_name"] == name}
        first = next(iter(cells.values()))
        body.append([
            name,
            "held out" if first["held_out"] else "trained on",
            *(_said(cells[d]) if d in cells else "–" for d in material.detectors),
            count(first["n"]),
        ])  # fmt: skip
    covers = "runs and images" if material.many_seeds else "images"
    return Table(
        f"Called generated of 100 honest pictures, {POINTS[point]} (95 % interval over {covers})",
        ["Class", "Seen in training", *material.detectors, "n"],
        body,
        text_columns=2,
    )


def _order(row: Row) -> tuple[bool, str]:
    return not row["held_out"], row["class_name"]


ANALYSIS = Analysis(
    "by_class",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "Which honest pictures look fake?", [by_class])],
)
