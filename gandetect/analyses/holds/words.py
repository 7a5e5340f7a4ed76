"""Which detector holds on every group: the answer, the worst of each group, and all shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.holds import numbers
from gandetect.analyses.holds.numbers import AS_THEY_ARE, GROUPS, NONE, PROCESSED
from gandetect.analyses.robustness.figure import processing
from gandetect.report.document import Block, Cell, Columns, Heat, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults, not_asked
from gandetect.report.words import GROUPS as GROUP_NAMES
from gandetect.report.words import percent, percent_interval
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def holds(results: StudyResults) -> list[Block]:
    """A table of the worst of each group, and a picture of all."""
    verdicts = _verdicts(results)
    if not verdicts:
        return not_asked(results, "perturbations", '["jpeg 75", "blur 1", "noise 5"]')
    travelled = bool(results.facts.evaluation["calibration_processing"])
    return [
        Text(say.meaning(AS_THEY_ARE, PROCESSED, travelled)),
        _worst_of_each(results, verdicts),
        _every_processing(results, verdicts, results.metrics["holds"]["shares"]),
    ]


def finding(results: StudyResults) -> str:
    """Which detectors hold, or which comes closest."""
    return say.finding(_verdicts(results), AS_THEY_ARE, PROCESSED)


def _verdicts(results: StudyResults) -> list[Row]:
    """The detectors, the one that holds best first."""
    stored = results.metrics.get("holds") or {"detectors": []}
    return sorted(stored["detectors"], key=_weakest, reverse=True)


def _weakest(verdict: Row) -> float:
    """How far the weakest lower end is above what is asked for; below, it is negative."""
    processed = verdict["processed"]
    plain = float(verdict["as_they_are"]) - AS_THEY_ARE
    return plain if processed is None else min(plain, float(processed) - PROCESSED)


def _worst_of_each(results: StudyResults, verdicts: Sequence[Row]) -> Block:
    """A row a detector: the worst source of each group, as it is and under processing."""

    def of(role: str, key: str) -> Callable[[Row], str]:
        def cell(verdict: Row) -> str:
            for group in chosen(verdict["groups"], role=role):
                if group[key]:
                    return percent_interval(group[key]["mean"], group[key]["ci95"])
            return "–"

        return cell

    columns: Columns = {
        "Detector": lambda row: results.short(row["detector"]),
        "Holds": lambda row: "yes" if row["holds"] else "no",
    }
    for role in GROUPS:
        columns[GROUP_NAMES[role].capitalize()] = of(role, "as_they_are")
        columns[f"{GROUP_NAMES[role].capitalize()}, processed"] = of(role, "processed")
    caption = "Answered correctly at the calibrated threshold: the worst source of each group"
    return table(caption, verdicts, columns, text_columns=2)


def _every_processing(
    results: StudyResults, verdicts: Sequence[Row], shares: Sequence[Row]
) -> Block:
    """A row a detector, a column a processing: the group that is answered worst."""
    conditions = list(grouped(shares, "perturbation", "level"))
    groups = grouped(
        (row for row in shares if row["role"] in GROUPS), "detector", "perturbation", "level"
    )

    def cell(detector: str, *condition: Any) -> Cell | None:
        if (detector, *condition) not in groups:
            return None
        worst = min(groups[detector, *condition], key=lambda row: float(row["mean"]))
        share, hint = float(worst["mean"]), results.named(worst["source"], detector)
        return Cell(percent(share, 0), worst["role"], share, hint=hint)

    header = ["Detector", *("as they are" if kind == NONE else processing(kind, level)
                            for kind, level in conditions)]  # fmt: skip
    names = [str(verdict["detector"]) for verdict in verdicts]
    body = [(results.short(name), [cell(name, *one) for one in conditions]) for name in names]
    return Heat(say.every_processing(), header, body)


CHAPTER = Chapter("What is behind it", "Which detector holds", [holds], finding)
ANALYSIS = Analysis("holds", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True)
