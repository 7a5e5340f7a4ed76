"""How many labelled images of a new source a threshold needs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.k_shot import numbers
from gandetect.report.document import Block, Cell, Heat, Text
from gandetect.report.heatmaps import share_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import percent, percent_range
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
    header = ["Detector · new source", *map(say.labels, shots), "Best threshold possible"]
    body = []
    for of in groups:
        detector, source = of[0]["detector"], of[0]["source"]
        best = list({row["detector_seed"]: row["oracle"] for row in of}.values())
        cells = [*(_with_labels(of, k) for k in shots), _cell(best)]
        body.append((f"{detector} · {results.named(source, detector)}", cells))
    return [
        *say.paragraphs("lead", [_needed(group) for group in groups if _useful(group)]),
        Text(say.meaning(max(row["draws"] for row in rows))),
        Heat(say.caption(results.many_seeds), header, body, scale="auroc"),
        *results.not_measured("k_shot"),
    ]


def _with_labels(group: Sequence[Row], k: int) -> Cell | None:
    rows = chosen(group, k=k)
    if len(rows) == 1 and rows[0]["low"] is not None:
        return share_cell(rows[0]["balanced_accuracy"], [rows[0]["low"], rows[0]["high"]])
    return _cell([row["balanced_accuracy"] for row in rows])


def _cell(values: Sequence[float]) -> Cell | None:
    """The mean, with the lowest and the highest where there are several."""
    if not values:
        return None
    ends = percent_range(fmean(values), [min(values), max(values)]) if len(values) > 1 else ""
    return Cell(percent(fmean(values)), ends, fmean(values))


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


CHAPTER = Chapter("What is behind it", "Labels for a new source", [k_shot], finding)
ANALYSIS = Analysis("k_shot", numbers.numbers, numbers.rows, [CHAPTER])
