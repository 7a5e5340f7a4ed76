"""Real images flagged, class by class: who pays the price."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.by_class import numbers
from gandetect.report.document import Block, Heat
from gandetect.report.heatmaps import share_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import POINTS, count
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def by_class(results: StudyResults) -> list[Block]:
    """Share of each class's test reals called generated, a table for each point."""
    rows = results.metrics.get("by_class_across_seeds", [])
    if not rows:
        return results.absent("classes.parquet") if not results.labelled else []
    points = [name for name in results.points if name in ("native", "calibrated")]
    return [_heat(results, chosen(rows, operating_point=name), name) for name in points]


def _heat(results: StudyResults, rows: Sequence[Row], point: str) -> Heat:
    """Classes as rows, held-out ones first; framed where held out."""
    ordered = sorted(rows, key=lambda row: (not row["held_out"], row["class_name"]))

    lines = []
    for of in grouped(ordered, "class_name").values():
        cells = {row["detector"]: share_cell(row["mean"], row["ci95"], row["held_out"])
                 for row in of}  # fmt: skip
        name = f"{say.name(of[0])}, n = {count(of[0]['n'])}"
        lines.append((name, [cells.get(detector) for detector in results.detectors]))
    caption = say.flagged(POINTS[point], results.covers(point))
    return Heat(caption, ["Class", *results.detectors], lines)


ANALYSIS = Analysis(
    "by_class",
    numbers.numbers,
    numbers.rows,
    [
        Chapter(
            "What is behind it", "Real images flagged, by class", [by_class], say.finding, "classes"
        )
    ],
)
