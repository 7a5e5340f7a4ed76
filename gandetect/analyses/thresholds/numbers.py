"""Where each detector's operating points lie, and what chose them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.rows import Row
from gandetect.statistics.scored_detectors import ScoredDetector, called
from gandetect.statistics.scores import Metrics

PROMISES = {
    "rank": "rank among the calibration scores",
    "expected_flagged": "new reals flagged, expected share",
    "flagged_at_most": "new reals flagged, at most, with 95 % confidence",
}


def numbers(study: ScoredStudy) -> Metrics:
    """``operating_points`` of every run, and why a calibrated one is not there."""
    gaps = [f"{called(one)}: {why}" for one in study.subjects if (why := _why_not(one))]
    return {
        "operating_points": [_operating_points(one, study) for one in study.subjects],
        "not_measured": {"operating_points": gaps},
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each threshold, and what the calibrated one promises of new reals."""
    for row in metrics["operating_points"]:
        for point in OPERATING_POINTS:
            if point in row:
                yield tidy_row("threshold", row, "threshold", row[point], operating_point=point)
        for key, name in PROMISES.items():
            if key in row:
                yield tidy_row("threshold", row, name, row[key], operating_point="calibrated",
                               n=row["n_calibration"])  # fmt: skip


def _why_not(subject: ScoredDetector) -> str:
    of = subject.calibration
    return "no reals were scored to calibrate it on" if of is None else of.why_not


def _operating_points(subject: ScoredDetector, study: ScoredStudy) -> dict[str, Any]:
    rule, groups = study.rule, study.groups
    row: dict[str, Any] = {**subject.name, "epoch": subject.epoch, **subject.thresholds}
    if (of := subject.calibration) is not None:
        row |= {**of.facts, "calibrated_fpr": rule.fpr}
        if groups is not None and groups["group"][groups["source"] == of.source].duplicated().any():
            row.pop("flagged_at_most", None)  # it is for independent reals
        if rule.confidence is not None:
            row["calibrated_confidence"] = rule.confidence
        row["calibration_flagged"] = {
            point: float(np.mean(subject.margins([of.source], point) > 0))
            for point in subject.thresholds
        }
    return row
