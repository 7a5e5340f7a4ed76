"""The reference study's tables, as it prints them, with its numbers beside ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.reference_study import numbers
from gandetect.analyses.reference_study.published import NETS, PUBLISHED
from gandetect.report.document import Block, Columns, Heading, Table, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number
from gandetect.statistics.rows import Row, chosen, grouped

LABELS = "generated", "real"
METRICS = ("precision", "recall", "f1-score")
say = Prose(__file__)


def reference_tables(results: StudyResults) -> list[Block]:
    """For each detector the general table and the single-label groups, at the native point."""
    if results.labelled:
        return []
    blocks: list[Block] = [*say.paragraphs("meaning")]
    native = chosen(results.metrics["overall"], operating_point="native")
    if sizes := _another_mix(native):
        blocks += say.paragraphs("mix", *sizes)
    for detector in results.detectors:
        if rows := chosen(native, detector=detector):
            blocks += _of_detector(results, detector, rows)
        elif results.own(detector):  # one that was never shown fakes has no such table
            blocks += say.paragraphs("unscored")
    return blocks


def finding(results: StudyResults) -> str:
    """The recalls of each detector that has a counterpart, beside that one's."""
    native = chosen(results.metrics["overall"], operating_point="native")
    both: dict[str, dict[str, tuple[float, float]]] = {}
    for (name,), of in grouped(native, "detector").items():
        for label in LABELS if name in PUBLISHED else ():
            ours = fmean(row["classification_report"][label]["recall"] for row in of)
            both.setdefault(name, {})[label] = ours, PUBLISHED[name][label]["recall"]
    return say.finding(both)


def _another_mix(rows: Sequence[Row]) -> tuple[int, int] | None:
    """Fakes and reals of a detector that has a counterpart, where they are not as many."""
    for row in rows:
        fakes, reals = (int(row["classification_report"][label]["support"]) for label in LABELS)
        if row["detector"] in PUBLISHED and fakes != reals:
            return fakes, reals
    return None


def _of_detector(results: StudyResults, detector: str, rows: Sequence[Row]) -> list[Block]:
    published = PUBLISHED.get(detector, {})
    beside = f" beside {NETS[detector]} of the study" if published else ""
    name = f"{detector}, mean of {len(rows)} seeds" if len(rows) > 1 else detector
    note = " (ours / published)" if published else ""
    native = chosen(results.metrics["groups"], detector=detector, operating_point="native")
    groups = list(grouped(native, "source", "role").values())
    caption = f"{name}: own generated images and all test reals{note}"
    body = _general([row["classification_report"] for row in rows], published)
    blocks: list[Block] = [
        Heading(f"{detector}{beside}"),
        Table(caption, ["", "Precision", "Recall", "F1", "Support"], body),
    ]
    if groups:
        caption = f"{name}: groups of one label{note}"
        blocks.append(_groups(results, caption, groups, published.get("groups", {})))
    return blocks


def _general(reports: Sequence[Mapping[str, Any]], published: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for key in ("generated", "real", "accuracy", "macro avg", "weighted avg"):
        ours, theirs = [report[key] for report in reports], published.get(key)
        if key == "accuracy":
            ns = [report["macro avg"]["support"] for report in reports]
            total = published["macro avg"]["support"] if published else None
            rows.append([key, "", "", _both(ours, theirs), _counts(ns, total)])
            continue
        shares = (_both([one[name] for one in ours], theirs and theirs[name]) for name in METRICS)
        n = _counts([one["support"] for one in ours], theirs and theirs["support"])
        rows.append([key, *shares, n])
    return rows


def _groups(
    results: StudyResults,
    caption: str,
    groups: Iterable[Sequence[Row]],
    published: Mapping[str, Row],
) -> Table:
    def cell(key: str, show: Callable[[Sequence[float], Any], str]) -> Callable[[Any], str]:
        return lambda of: show([row[key] for row in of], published.get(of[0]["role"], {}).get(key))

    columns: Columns = {
        "Group": lambda of: results.named(of[0]["source"]),
        "Recall": cell("recall", _both),
        "F1": cell("f1", _both),
        "n": cell("n", _counts),
    }
    return table(caption, groups, columns)


def _both(ours: Sequence[float], theirs: float | None) -> str:
    mean = number(fmean(ours), 2)
    return mean if theirs is None else f"{mean} / {theirs:.2f}"


def _counts(ours: Sequence[float], theirs: int | None) -> str:
    mean = count(round(fmean(ours)))
    return mean if theirs is None else f"{mean} / {count(theirs)}"


CHAPTER = Chapter(
    "Beside published figures", "The reference study's tables", [reference_tables], finding
)
ANALYSIS = Analysis("reference_study", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True)
