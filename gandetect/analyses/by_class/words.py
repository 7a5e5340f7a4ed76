"""Real images flagged, class by class: who pays the price."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.by_class import numbers
from gandetect.analyses.by_class.figure import false_alarms
from gandetect.report.document import Block, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import POINTS, count
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def by_class(results: StudyResults) -> list[Block]:
    """Share of each class's test reals called generated: in words, drawn, and in a table."""
    rows: list[Row] = results.metrics.get("by_class_across_seeds", [])
    if not rows:
        return results.absent("classes.parquet") if not results.labelled else []
    points = [name for name in results.points if name in ("native", "calibrated")]
    extremes = [
        (name, max(own, key=_share), min(own, key=_share))
        for name in results.detectors
        if (own := chosen(rows, detector=name, operating_point=results.point))
    ]
    sizes = {
        words: (min(of), max(of))
        for held_out, words in ((False, "if trained on"), (True, "if held out"))
        if (of := [row["n"] for row in rows if row["held_out"] == held_out])
    }
    return [
        Text(say.lead(POINTS[results.point], extremes)),
        say.figure(
            "false-alarms-by-class",
            lambda: false_alarms(rows, results.detectors, points),
            len(results.seeds),
            sizes,
        ),
        *(_table(results, chosen(rows, operating_point=name), name) for name in points),
    ]


def _share(row: Row) -> float:
    return float(row["mean"])


def _table(results: StudyResults, rows: Sequence[Row], point: str) -> Table:
    ordered = sorted(rows, key=lambda row: (not row["held_out"], row["class_name"]))

    def share_by(detector: str) -> Callable[[Sequence[Row]], str]:
        return lambda of: "".join(map(say.share, chosen(of, detector=detector))) or "–"

    return table(
        say.flagged(POINTS[point], results.many_seeds),
        grouped(ordered, "class_name").values(),
        {
            "Class": lambda of: of[0]["class_name"],
            "Seen in training": lambda of: "held out" if of[0]["held_out"] else "trained on",
            **{name: share_by(name) for name in results.detectors},
            "n": lambda of: count(of[0]["n"]),
        },
        text_columns=2,
    )


ANALYSIS = Analysis(
    "by_class",
    numbers.numbers,
    numbers.rows,
    [Chapter("What is behind it", "Real images flagged, by class", [by_class], say.finding, "classes")],
)
