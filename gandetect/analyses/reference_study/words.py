"""The reference study's tables, as it prints them, with its numbers beside ours."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.reference_study import numbers
from gandetect.analyses.reference_study.published import (
    CAVEAT,
    PUBLISHED,
    ClassRow,
    GroupRow,
    PublishedTables,
)
from gandetect.report.document import Block, Heading, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import count, number

UNSCORED = (
    "Not shown: a detector's own generated images or the test reals are not among the scores; "
    "score them first."
)
GENERAL = ("generated", "real", "macro avg", "weighted avg")


def reference_tables(material: Material) -> list[Block]:
    """For each detector the general table and the single-label groups, at the native point."""
    if material.labelled:
        return []
    blocks: list[Block] = [
        Text(
            "The tables of the study that this project follows, at the same decision (D = 0.5, our "
            "native point). Its Net 1 corresponds to dcgan-bn and its Net 2 to dcgan-plain, two "
            f"DCGANs from two public Keras notebooks. {CAVEAT}"
        ),
        Text(
            "How to read them: recall on generated is how many fakes are caught, precision on "
            "generated how many alarms are true, recall on real how many honest photos pass.",
            "note",
        ),
    ]
    for detector in material.detectors:
        rows = [
            row
            for row in material.metrics["overall"]
            if (row["detector"], row["operating_point"]) == (detector, "native")
        ]
        if rows:
            blocks += _of_detector(material, detector, rows)
        elif material.own(detector):  # one that was never shown fakes has no such table
            blocks.append(Text(UNSCORED, "missing"))
    return blocks


def _of_detector(material: Material, detector: str, rows: list[dict[str, Any]]) -> list[Block]:
    published = PUBLISHED.get(detector)
    beside = f" beside {published.net} of the study" if published else ""
    name = f"{detector}, mean of {len(rows)} seeds" if len(rows) > 1 else detector
    reports = [row["classification_report"] for row in rows]
    blocks: list[Block] = [
        Heading(f"{detector}{beside}"),
        _general(_mean_report(reports), published, name),
    ]
    groups = _groups(material, detector, published, name)
    if groups.rows:
        blocks.append(groups)
    if len(rows) > 1:
        blocks.append(_each_seed(rows, detector))
    return blocks


def _mean_report(reports: list[dict[str, Any]]) -> dict[str, Any]:
    mean: dict[str, Any] = {"accuracy": fmean(report["accuracy"] for report in reports)}
    for key in GENERAL:
        values = reports[0][key]
        mean[key] = {name: fmean(report[key][name] for report in reports) for name in values}
    return mean


def _each_seed(rows: list[dict[str, Any]], detector: str) -> Table:
    columns = [(key, name) for key in ("generated", "real") for name in ("precision", "recall")]
    header = ["Seed", *(f"{key}: {name}" for key, name in columns), "accuracy"]
    body = []
    for row in rows:
        report = row["classification_report"]
        numbers = [report[key][name] for key, name in columns] + [report["accuracy"]]
        body.append([f"seed {row['detector_seed']}", *(number(value, 2) for value in numbers)])
    return Table(f"{detector}: every seed", header, body)


def _general(report: dict[str, Any], published: PublishedTables | None, name: str) -> Table:
    theirs = _published_rows(published)
    rows = [_class_row(key, report[key], theirs.get(key)) for key in GENERAL]
    total = count(round(report["macro avg"]["support"]))
    accuracy = [
        "accuracy",
        "",
        "",
        _both(report["accuracy"], published.accuracy if published else None),
    ]
    rows.insert(2, [*accuracy, f"{total} / 44,400" if published else total])
    header = ["", "Precision", "Recall", "F1", "Support"]
    note = " (ours / published)" if published else ""
    return Table(f"{name}: own generated images and all test reals{note}", header, rows)


def _class_row(key: str, ours: dict[str, float], theirs: ClassRow | None) -> list[str]:
    support = count(round(ours["support"]))
    return [
        key,
        _both(ours["precision"], theirs.precision if theirs else None),
        _both(ours["recall"], theirs.recall if theirs else None),
        _both(ours["f1-score"], theirs.f1 if theirs else None),
        f"{support} / {count(theirs.n)}" if theirs else support,
    ]


def _groups(
    material: Material, detector: str, published: PublishedTables | None, name: str
) -> Table:
    of_source: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for group in material.metrics["groups"]:
        if (group["detector"], group["operating_point"]) == (detector, "native"):
            of_source[group["source"], group["role"]].append(group)
    rows = []
    for (source, role), found in of_source.items():
        theirs: GroupRow | None = published.groups.get(role) if published else None
        n = count(round(fmean(group["n"] for group in found)))
        recall, f1 = (fmean(group[key] for group in found) for key in ("recall", "f1"))
        rows.append(
            [
                material.named(source),
                _both(recall, theirs.recall if theirs else None),
                _both(f1, theirs.f1 if theirs else None),
                f"{n} / {count(theirs.n)}" if theirs else n,
            ]
        )
    note = " (ours / published)" if published else ""
    return Table(f"{name}: groups of one label{note}", ["Group", "Recall", "F1", "n"], rows)


def _published_rows(published: PublishedTables | None) -> dict[str, ClassRow]:
    if published is None:
        return {}
    return {
        "generated": published.generated,
        "real": published.real,
        "macro avg": published.macro,
        "weighted avg": published.weighted,
    }


def _both(ours: float, theirs: float | None) -> str:
    return number(ours, 2) if theirs is None else f"{number(ours, 2)} / {theirs:.2f}"


ANALYSIS = Analysis(
    "reference_study",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("Beside published figures", "The reference study's tables", [reference_tables])
    ],
)
