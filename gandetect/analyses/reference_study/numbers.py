"""The reference study's tables from our scores: own fakes and all reals, and single labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics import decisions
from gandetect.statistics.bootstrap import over_runs_alone
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import TEST_REALS, Metrics

OVERALL = ("detector", "operating_point")


def numbers(study: ScoredStudy) -> Metrics:
    """``overall``, the same over runs, and ``groups``."""
    overall = [row for one in study.subjects for row in _overall(one)]
    return {
        "overall": overall,
        "groups": [row for one in study.subjects for row in _groups(one)],
        "overall_across_seeds": overall_across(overall),
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Counts of confusion, the classification reports, and recall and F1 of the groups."""
    yield from _overall_rows(metrics)
    for group in metrics["groups"]:
        for metric in ("recall", "f1"):
            yield tidy_row("group", group, metric, group[metric])
    for row in metrics["overall_across_seeds"]:
        yield tidy_row("runs: overall", row, row["metric"], row["mean"], row.get("ci95"))


def _overall_rows(metrics: Metrics) -> Iterator[Row]:
    names = ("real", "generated")
    for row in metrics["overall"]:
        total = sum(map(sum, row["confusion"]))
        for truth, counts in zip(names, row["confusion"], strict=True):
            for answer, count in zip(names, counts, strict=True):
                yield tidy_row("confusion", row, f"{truth} answered {answer}", count, n=sum(counts))
        for name, values in row["classification_report"].items():
            if not isinstance(values, dict):
                yield tidy_row("overall", row, name, values, n=total)
                continue
            for metric in ("precision", "recall", "f1-score"):
                n = values["support"]
                yield tidy_row("overall", row, f"{name}: {metric}", values[metric], n=n)


def overall_across(overall: Sequence[Row]) -> list[dict[str, Any]]:
    """The reference study's general table over runs: each figure's mean, interval and runs."""
    rows = []
    for key, group in grouped(overall, *OVERALL).items():
        identity = dict(zip(OVERALL, key, strict=True))
        seeds = [table["detector_seed"] for table in group]
        figures = [_figures(table["classification_report"]) for table in group]
        for name in figures[0]:
            values = [one[name] for one in figures]
            row = {
                **identity,
                "metric": name,
                "seeds": seeds,
                "values": values,
                "mean": float(np.mean(values)),
            }
            if interval := over_runs_alone(values):
                row |= {"ci95": interval, "covers": "runs"}
            rows.append(row)
    return rows


def _figures(report: Mapping[str, Any]) -> dict[str, float]:
    """``{"accuracy": …, "generated: precision": …}`` of a classification report."""
    figures: dict[str, float] = {}
    for name, values in report.items():
        if not isinstance(values, Mapping):
            figures[name] = float(values)
            continue
        figures |= {f"{name}: {k}": float(v) for k, v in values.items() if k != "support"}
    return figures


def _overall(subject: ScoredDetector) -> list[dict[str, Any]]:
    """The reference study's general table: own generated images and all test reals."""
    rows = []
    for point in subject.thresholds:
        fakes, reals = (subject.margins(names, point) for names in (subject.own_fakes, TEST_REALS))
        if not len(fakes) or not len(reals):
            return []
        matrix = decisions.confusion(fakes, reals, 0.0)
        rows.append(
            {
                **subject.name,
                "operating_point": point,
                "confusion": matrix,
                "classification_report": decisions.general_table(matrix),
            }
        )
    return rows


def _groups(subject: ScoredDetector) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": role,
            "operating_point": point,
            **decisions.single_label_table(
                subject.margins([source], point), source.partition(":")[0], 0.0
            ),
        }
        for source in subject.reported()
        if (role := subject.role(source)) in ("held-out", "in-distribution", "other")
        for point in subject.thresholds
    ]
