"""How many labelled images of a new source a threshold needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.k_shot import numbers
from gandetect.analyses.k_shot.figure import k_shot_curves
from gandetect.report.document import Block, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import percent_interval, spread
from gandetect.statistics.rows import Row, chosen, grouped

USEFUL = 0.6  # balanced accuracy; below it even the best cut is little better than a coin toss
CLOSE = 0.01  # a cut this near to the best one, in balanced accuracy, is called as good
say = Prose(__file__)


def k_shot(results: StudyResults) -> list[Block]:
    """How many labelled images of a new source a cut needs."""
    rows = results.rows("k_shot")
    if not rows:
        return results.not_measured("k_shot")
    shots = sorted({row["k"] for row in rows})
    groups = _groups(results)
    detectors, many = results.present(rows), results.many_seeds
    return [
        *say.paragraphs("lead", [_needed(group) for group in groups if _useful(group)]),
        Text(say.meaning(max(row["draws"] for row in rows))),
        say.figure("k-shot", lambda: k_shot_curves(rows, detectors, results.labelled), many),
        table(
            say.caption(many),
            groups,
            {
                "Detector": lambda group: group[0]["detector"],
                "New source": lambda of: results.named(of[0]["source"], of[0]["detector"]),
                **{say.labels(k): partial(_with_labels, k=k) for k in shots},
                "Best threshold possible": lambda group: spread(
                    list({row["detector_seed"]: row["oracle"] for row in group}.values()),
                    percent_interval,
                ),
            },
            text_columns=2,
        ),
        *results.not_measured("k_shot"),
    ]


def _with_labels(group: Sequence[Row], k: int) -> str:
    rows = chosen(group, k=k)
    if len(rows) == 1 and rows[0]["low"] is not None:
        (row,) = rows
        return percent_interval(row["balanced_accuracy"], [row["low"], row["high"]])
    values = [row["balanced_accuracy"] for row in rows]
    return spread(values, percent_interval) if values else "–"


def finding(results: StudyResults) -> str:
    """How many pairs of a detector and a new source are beyond any threshold."""
    groups = _groups(results)
    return say.finding(len(groups), sum(not _useful(group) for group in groups), USEFUL)


def _groups(results: StudyResults) -> list[list[Row]]:
    return list(grouped(results.rows("k_shot"), "detector", "source").values())


def _useful(group: Sequence[Row]) -> bool:
    return fmean(row["oracle"] for row in group) >= USEFUL


def _needed(group: Sequence[Row]) -> int | None:
    """Fewest labels with which the mean cut is as good as the best one; None when none is."""
    best = fmean(row["oracle"] for row in group)
    for k in sorted({row["k"] for row in group}):
        if fmean(row["balanced_accuracy"] for row in chosen(group, k=k)) >= best - CLOSE:
            return int(k)
    return None


ANALYSIS = Analysis(
    "k_shot",
    numbers.numbers,
    numbers.rows,
    [
        Chapter(
            "What is behind it",
            "Labels for a new source",
            [k_shot],
            finding,
        )
    ],
)
