"""The usual figures of a classifier, for each split that both labels were scored of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics import decisions
from gandetect.statistics.intervals import wilson
from gandetect.statistics.operating_points import oracle
from gandetect.statistics.ranking import auroc
from gandetect.statistics.rows import Row
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import (
    GENERATED_TRAINING,
    GENERATED_VALIDATION,
    IN_DISTRIBUTION,
    TRAINING,
    VALIDATION,
    Metrics,
)

METRICS = ("accuracy", "auroc", "precision", "recall", "specificity", "f1")


def numbers(study: ScoredStudy) -> Metrics:
    """``splits`` and ``upper_bound`` of every run."""
    return {
        "splits": [row for one in study.subjects for row in _splits(one)],
        "upper_bound": [row for one in study.subjects for row in _upper_bound(one)],
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each figure of each split, and the upper bounds."""
    for row in metrics["splits"]:
        for metric in METRICS:
            name = f"{row['split']}: {metric}"
            yield tidy_row("split", row, name, row[metric], row["ci95"].get(metric))
    for row in metrics["upper_bound"]:
        name = "accuracy at the best cut on test images"
        yield tidy_row("upper bound", row, name, row["accuracy"])


def _splits(subject: ScoredDetector) -> list[dict[str, Any]]:
    """A classifier's usual figures, for each split that both kinds of image were scored of."""
    rows = []
    for split, generated, real in (
        ("training", (GENERATED_TRAINING,), (TRAINING,)),
        ("validation", (GENERATED_VALIDATION,), (VALIDATION,)),
        ("test", subject.own_fakes, (IN_DISTRIBUTION,)),
    ):
        fakes, reals = subject.joined(generated), subject.joined(real)
        if not len(fakes) or not len(reals):
            continue
        (area, interval), n = auroc(fakes, reals), len(fakes) + len(reals)
        for point, cut in subject.thresholds.items():
            sides = [subject.margins(names, point) for names in (generated, real)]
            matrix = decisions.confusion(sides[0], sides[1], 0.0)
            rows.append(
                {
                    **subject.name,
                    "split": split,
                    "operating_point": point,
                    "threshold": cut,
                    "n": n,
                    "confusion": matrix,
                    "auroc": area,
                    **decisions.binary_figures(matrix),
                    "ci95": {"auroc": interval, "accuracy": wilson(matrix[0][0] + matrix[1][1], n)},
                }
            )
    return rows


def _upper_bound(subject: ScoredDetector) -> list[dict[str, Any]]:
    """What the best cut on the test images themselves would give; nobody can know it before."""
    fakes, reals = subject.joined(subject.own_fakes), subject.joined((IN_DISTRIBUTION,))
    if not len(fakes) or not len(reals):
        return []
    cut, accuracy = oracle(fakes, reals)
    return [{**subject.name, "threshold": cut, "accuracy": accuracy}]
