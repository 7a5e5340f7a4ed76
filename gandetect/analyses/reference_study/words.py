"""The reference study's tables, as it prints them, with its numbers beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.reference_study import numbers
from gandetect.analyses.reference_study.published import NETS, PUBLISHED
from gandetect.report.document import Block, Heading, Table
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.words import count, number
from gandetect.statistics.rows import Row, chosen, grouped

METRICS = ("precision", "recall", "f1-score")
say = Prose(__file__)


def reference_tables(material: Material) -> list[Block]:
    """For each detector the general table and the single-label groups, at the native point."""
    if material.labelled:
        return []
    blocks: list[Block] = [*say.paragraphs("meaning")]
    native = chosen(material.metrics["overall"], operating_point="native")
    for detector in material.detectors:
        if rows := chosen(native, detector=detector):
            blocks += _of_detector(material, detector, rows)
        elif material.own(detector):  # one that was never shown fakes has no such table
            blocks += say.paragraphs("unscored")
    return blocks


def _of_detector(material: Material, detector: str, rows: Sequence[Row]) -> list[Block]:
    published = PUBLISHED.get(detector, {})
    beside = f" beside {NETS[detector]} of the study" if published else ""
    name = f"{detector}, mean of {len(rows)} seeds" if len(rows) > 1 else detector
    note = " (ours / published)" if published else ""
    groups = _groups(material, detector, published.get("groups", {}))
    return [
        Heading(f"{detector}{beside}"),
        Table(
            f"{name}: own generated images and all test reals{note}",
            ["", "Precision", "Recall", "F1", "Support"],
            _general([row["classification_report"] for row in rows], published),
        ),
        *([Table(f"{name}: groups of one label{note}", ["Group", "Recall", "F1", "n"], groups)]
          if groups else []),
        *([_each_seed(rows, detector)] if len(rows) > 1 else []),
    ]  # fmt: skip


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


def _groups(material: Material, detector: str, published: Mapping[str, Row]) -> list[list[str]]:
    native = chosen(material.metrics["groups"], detector=detector, operating_point="native")
    rows = []
    for (source, role), of in grouped(native, "source", "role").items():
        theirs = published.get(role, {})
        shares = (_both([one[key] for one in of], theirs.get(key)) for key in ("recall", "f1"))
        n = _counts([one["n"] for one in of], theirs.get("n"))
        rows.append([material.named(source), *shares, n])
    return rows


def _each_seed(rows: Sequence[Row], detector: str) -> Table:
    columns = [(key, name) for key in ("generated", "real") for name in ("precision", "recall")]
    header = ["Seed", *(f"{key}: {name}" for key, name in columns), "accuracy"]
    body = []
    for row in rows:
        report = row["classification_report"]
        numbers = [report[key][name] for key, name in columns] + [report["accuracy"]]
        body.append([f"seed {row['detector_seed']}", *(number(value, 2) for value in numbers)])
    return Table(f"{detector}: every seed", header, body)


def _both(ours: Sequence[float], theirs: float | None) -> str:
    mean = number(fmean(ours), 2)
    return mean if theirs is None else f"{mean} / {theirs:.2f}"


def _counts(ours: Sequence[float], theirs: int | None) -> str:
    mean = count(round(fmean(ours)))
    return mean if theirs is None else f"{mean} / {count(theirs)}"


ANALYSIS = Analysis(
    "reference_study",
    numbers.numbers,
    numbers.rows,
    [Chapter("Beside published figures", "The reference study's tables", [reference_tables])],
)
