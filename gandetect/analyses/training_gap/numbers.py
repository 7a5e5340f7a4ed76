"""Training reals beside unseen reals of the same classes: what a detector has learnt by heart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics import decisions
from gandetect.statistics.ranking import auroc
from gandetect.statistics.rows import Row
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import IN_DISTRIBUTION, TRAINING, Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``training_gap`` of every run that was scored on both."""
    return {"training_gap": [row for one in study.subjects for row in _gap(one)]}


def rows(metrics: Metrics) -> Iterator[Row]:
    """The differences, training minus unseen."""
    for row in metrics["training_gap"]:
        name = "correct on training minus on in-distribution"
        yield tidy_row("training gap", row, name, row["difference"], row["difference_ci95"])


def _gap(subject: ScoredDetector) -> list[dict[str, Any]]:
    if TRAINING not in subject.sources or IN_DISTRIBUTION not in subject.sources:
        return []
    train, test = subject.sources[TRAINING], subject.sources[IN_DISTRIBUTION]
    own = subject.joined(subject.own or ())
    ranked: dict[str, Any] = {}
    if len(own):
        for name, reals in (("training", train), ("in-distribution", test)):
            area, interval = auroc(own, reals)
            ranked[name] = {"auroc": area, "ci95": interval}
    return [
        {
            **subject.name,
            "operating_point": point,
            "threshold": cut,
            **decisions.train_test_gap(
                subject.margins([TRAINING], point), subject.margins([IN_DISTRIBUTION], point), 0.0
            ),
            "auroc_own": ranked,
        }
        for point, cut in subject.thresholds.items()
    ]
