"""Every detector against every source: one table of scores in, one `metrics.json` out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandetect.evaluation import decisions
from gandetect.evaluation.operating_points import NATIVE_THRESHOLD, calibrate
from gandetect.evaluation.ranking import auroc, pair_metrics
from gandetect.evaluation.scores import (
    CALIBRATION,
    IN_DISTRIBUTION,
    TEST_REALS,
    TRAINING,
    Metrics,
    Scores,
    by_source,
    latest,
    ordered,
    role_of,
    validate_scores,
)


@dataclass(frozen=True)
class Subject:
    """One trained detector with its scores: the last epoch of one seed."""

    detector: str
    seed: int
    epoch: int
    sources: dict[str, Scores]
    thresholds: dict[str, float]

    @property
    def name(self) -> dict[str, Any]:
        """The keys that every row of `metrics.json` opens with."""
        return {"detector": self.detector, "detector_seed": self.seed}

    @property
    def own(self) -> str:
        """The source that this detector was trained against."""
        return f"generated:{self.detector}"

    def reported(self) -> list[str]:
        """Sources in the order of the tables, without the reals that chose the threshold."""
        kept = {name: s for name, s in self.sources.items() if name != CALIBRATION}
        return ordered(kept, self.detector)


def evaluate(
    scores: pd.DataFrame,
    *,
    calibrated_fpr: float,
    quality: Sequence[Mapping[str, Any]] | None = None,
) -> Metrics:
    """Compute everything that `metrics.json` holds from the table of scores alone.

    Args:
        scores: one row an image and detector; columns as in `scores.COLUMNS`.
        calibrated_fpr: share of the calibration reals that the calibrated operating point may
            call generated.
        quality: how good each generator is (FID, KID, …), passed through as it is.

    Raises `DataError` when the table cannot be evaluated.
    """
    validate_scores(scores)
    subjects = _subjects(latest(scores), calibrated_fpr)
    cells = [cell for subject in subjects for cell in _cells(subject)]
    return {
        "schema": 1,
        "positive_class": "generated",
        "operating_points": [_operating_points(s, calibrated_fpr) for s in subjects],
        "cells": cells,
        "pairs": [pair for subject in subjects for pair in _pairs(subject)],
        "overall": [row for subject in subjects for row in _overall(subject)],
        "groups": [row for subject in subjects for row in _groups(subject)],
        "gap": [row for subject in subjects for row in _gap(subject)],
        "across_seeds": _across_seeds(cells),
        "quality": [dict(row) for row in quality or ()],
    }


def _subjects(scores: pd.DataFrame, calibrated_fpr: float) -> list[Subject]:
    subjects = []
    names = ["detector", "detector_seed"]
    for _, rows in scores.groupby(names, observed=True):
        sources = by_source(rows)
        thresholds = {"native": NATIVE_THRESHOLD}
        if CALIBRATION in sources:
            thresholds["calibrated"] = calibrate(sources[CALIBRATION], calibrated_fpr)
        detector, seed, epoch = rows[[*names, "epoch"]].iloc[0]
        subjects.append(Subject(str(detector), int(seed), int(epoch), sources, thresholds))
    return subjects


def _operating_points(subject: Subject, calibrated_fpr: float) -> dict[str, Any]:
    row: dict[str, Any] = {**subject.name, "epoch": subject.epoch, **subject.thresholds}
    if CALIBRATION in subject.sources:
        reals = subject.sources[CALIBRATION]
        row["calibrated_fpr"] = calibrated_fpr
        row["n_calibration"] = len(reals)
        row["calibration_delayed"] = {
            point: float(np.mean(reals > cut)) for point, cut in subject.thresholds.items()
        }
    return row


def _cells(subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": role_of(source, subject.detector),
            "label": (label := source.partition(":")[0]),
            "operating_point": point,
            "threshold": cut,
            **decisions.share_correct(subject.sources[source], label, cut),
        }
        for source in subject.reported()
        for point, cut in subject.thresholds.items()
    ]


def _pairs(subject: Subject) -> list[dict[str, Any]]:
    generated = [source for source in subject.reported() if source.startswith("generated:")]
    return [
        {
            **subject.name,
            "generated": fake,
            "real": real,
            "role": role_of(fake, subject.detector),
            **pair_metrics(subject.sources[fake], subject.sources[real]),
        }
        for fake in generated
        for real in TEST_REALS
        if real in subject.sources
    ]


def _overall(subject: Subject) -> list[dict[str, Any]]:
    """The reference study's general table: own generated images and all test reals."""
    real_sources = [source for source in TEST_REALS if source in subject.sources]
    if subject.own not in subject.sources or not real_sources:
        return []
    reals = np.concatenate([subject.sources[source] for source in real_sources])
    rows = []
    for point, cut in subject.thresholds.items():
        matrix = decisions.confusion(subject.sources[subject.own], reals, cut)
        rows.append(
            {
                **subject.name,
                "operating_point": point,
                "confusion": matrix,
                "classification_report": decisions.general_table(matrix),
            }
        )
    return rows


def _groups(subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": role,
            "operating_point": point,
            **decisions.single_label_table(subject.sources[source], source.partition(":")[0], cut),
        }
        for source in subject.reported()
        if (role := role_of(source, subject.detector)) in ("held-out", "in-distribution", "other")
        for point, cut in subject.thresholds.items()
    ]


def _gap(subject: Subject) -> list[dict[str, Any]]:
    if TRAINING not in subject.sources or IN_DISTRIBUTION not in subject.sources:
        return []
    train, test = subject.sources[TRAINING], subject.sources[IN_DISTRIBUTION]
    own = subject.sources.get(subject.own)
    ranked: dict[str, Any] = {}
    if own is not None:
        for name, reals in (("training", train), ("in-distribution", test)):
            area, interval = auroc(own, reals)
            ranked[name] = {"auroc": area, "ci95": interval}
    return [
        {
            **subject.name,
            "operating_point": point,
            "threshold": cut,
            **decisions.train_test_gap(train, test, cut),
            "auroc_own": ranked,
        }
        for point, cut in subject.thresholds.items()
    ]


def _across_seeds(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Mean share correct over the trained seeds of a detector, beside every seed's own value."""
    identity = ("detector", "source", "role", "label", "operating_point")
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for cell in cells:
        groups[tuple(cell[key] for key in identity)].append(cell)
    return [
        {
            **dict(zip(identity, key, strict=True)),
            "seeds": [cell["detector_seed"] for cell in group],
            "correct": [cell["correct"] for cell in group],
            "mean": float(np.mean([cell["correct"] for cell in group])),
        }
        for key, group in groups.items()
    ]
