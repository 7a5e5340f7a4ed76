"""Where each detector's operating points lie, and what chose them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.rows import Row
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    called,
    why_not_calibrated,
)
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``operating_points`` of every run, and why a calibrated one is not there."""
    fpr, subjects = study.calibrated_fpr, study.subjects
    why = {called(one): why_not_calibrated(one.sources, fpr) for one in subjects}
    gaps = [f"{name}: {reason}" for name, reason in why.items() if reason]
    return {
        "operating_points": [_operating_points(one, fpr) for one in subjects],
        "not_measured": {"operating_points": gaps},
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each threshold."""
    for row in metrics["operating_points"]:
        for point in OPERATING_POINTS:
            if point in row:
                yield tidy_row("threshold", row, "threshold", row[point], operating_point=point)


def _operating_points(subject: ScoredDetector, calibrated_fpr: float) -> dict[str, Any]:
    row: dict[str, Any] = {**subject.name, "epoch": subject.epoch, **subject.thresholds}
    chosen_on = calibration_source(subject.sources)
    if chosen_on is not None:
        reals = subject.sources[chosen_on]
        row["calibrated_on"] = chosen_on
        row["calibrated_fpr"] = calibrated_fpr
        row["n_calibration"] = len(reals)
        row["calibration_delayed"] = {
            point: float(np.mean(reals > cut)) for point, cut in subject.thresholds.items()
        }
    return row
