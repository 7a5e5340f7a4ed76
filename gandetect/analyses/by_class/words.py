"""Real images flagged, class by class: who pays the price."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.by_class import numbers
from gandetect.analyses.by_class.figure import false_alarms
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.prose import Prose
from gandetect.report.words import POINTS, count
from gandetect.statistics.rows import Row, chosen

say = Prose(__file__)


def by_class(material: Material) -> list[Block]:
    """Share of each class's test reals called generated: in words, drawn, and in a table."""
    rows: list[Row] = material.metrics.get("by_class_across_seeds", [])
    if not rows:
        return material.absent("classes.parquet") if not material.labelled else []
    points = [name for name in material.points if name in ("native", "calibrated")]
    extremes = []
    for name in material.detectors:
        if own := chosen(rows, detector=name, operating_point=material.point):
            extremes.append((name, max(own, key=_share), min(own, key=_share)))
    sizes = {
        words: (min(of), max(of))
        for held_out, words in ((False, "if trained on"), (True, "if held out"))
        if (of := [row["n"] for row in rows if row["held_out"] == held_out])
    }
    return [
        Text(say.lead(POINTS[material.point], extremes)),
        drawn(
            "false-alarms-by-class",
            lambda: false_alarms(rows, material.detectors, points),
            "Real images flagged, by class; the numbers stand in the tables below.",
            say.caption(len(material.seeds), sizes),
        ),
        *(_table(material, chosen(rows, operating_point=name), name) for name in points),
    ]


def _share(row: Row) -> float:
    return float(row["mean"])


def _table(material: Material, rows: Sequence[Row], point: str) -> Table:
    ordered = sorted(rows, key=lambda row: (not row["held_out"], row["class_name"]))
    body = []
    for name in dict.fromkeys(row["class_name"] for row in ordered):
        cells = {row["detector"]: row for row in chosen(rows, class_name=name)}
        first = next(iter(cells.values()))
        shares = (say.share(cells[one]) if one in cells else "–" for one in material.detectors)
        seen = "held out" if first["held_out"] else "trained on"
        body.append([name, seen, *shares, count(first["n"])])
    covers = "runs and images" if material.many_seeds else "images"
    return Table(
        f"Flagged of 100 real images, {POINTS[point]} (95 % interval over {covers})",
        ["Class", "Seen in training", *material.detectors, "n"],
        body,
        text_columns=2,
    )


ANALYSIS = Analysis(
    "by_class",
    numbers.numbers,
    numbers.rows,
    [Chapter("What is behind it", "Which real images look fake?", [by_class])],
)
