"""Every detector against every source: one table of scores in, one `metrics.json` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gandetect.evaluation import decisions
from gandetect.evaluation.across_runs import cells_across, overall_across, pairs_across
from gandetect.evaluation.comparisons import compare_all
from gandetect.evaluation.intervals import wilson
from gandetect.evaluation.operating_points import oracle
from gandetect.evaluation.ranking import auroc, pair_metrics
from gandetect.evaluation.runs_of import collect_runs
from gandetect.evaluation.scores import (
    GENERATED_TRAINING,
    GENERATED_VALIDATION,
    IN_DISTRIBUTION,
    TEST_REALS,
    TRAINING,
    VALIDATION,
    Metrics,
    latest,
    validate_scores,
)
from gandetect.evaluation.subjects import (
    DetectorFacts,
    Subject,
    calibration_source,
    discriminator_facts,
    make_subjects,
)


def evaluate(
    scores: pd.DataFrame,
    *,
    calibrated_fpr: float,
    detectors: Mapping[str, DetectorFacts] | None = None,
    quality: Sequence[Mapping[str, Any]] | None = None,
    same_fakes: bool = False,
) -> Metrics:
    """Compute everything that `metrics.json` holds from the table of scores alone.

    Args:
        scores: one row an image and detector; columns as in `scores.COLUMNS`.
        calibrated_fpr: share of the calibration reals that the calibrated operating point may
            call generated.
        detectors: what each detector is, as `detectors_of` says; by default a discriminator
            whose own source bears its name.
        quality: how good each generator is (FID, KID, …), passed through as it is.
        same_fakes: whether all seeds answered the same fakes, as in a labelled study; otherwise
            each seed's generators made their own.

    Raises `DataError` when the table cannot be evaluated.
    """
    validate_scores(scores)
    known = detectors or {}
    names = sorted({str(name) for name in scores["detector"]})
    facts = {name: known.get(name, discriminator_facts(name)) for name in names}
    last = latest(scores)
    subjects = make_subjects(last, facts, calibrated_fpr)
    runs = {one.detector: one for one in collect_runs(last, subjects, facts, same_fakes)}
    cells = [cell for subject in subjects for cell in _cells(subject)]
    pairs = [pair for subject in subjects for pair in _pairs(subject)]
    overall = [row for subject in subjects for row in _overall(subject)]
    return {
        "schema": 2,
        "positive_class": "generated",
        "detectors": [{"detector": name, **fact} for name, fact in facts.items()],
        "operating_points": [_operating_points(s, calibrated_fpr) for s in subjects],
        "cells": cells,
        "pairs": pairs,
        "overall": overall,
        "groups": [row for subject in subjects for row in _groups(subject)],
        "splits": [row for subject in subjects for row in _splits(subject)],
        "upper_bound": [row for subject in subjects for row in _upper_bound(subject)],
        "gap": [row for subject in subjects for row in _gap(subject)],
        "across_seeds": cells_across(cells, runs),
        "pairs_across_seeds": pairs_across(pairs, runs),
        "overall_across_seeds": overall_across(overall),
        "comparisons": compare_all(runs),
        "quality": [dict(row) for row in quality or ()],
    }


def _operating_points(subject: Subject, calibrated_fpr: float) -> dict[str, Any]:
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


def _cells(subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": subject.role(source),
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
            "role": subject.role(fake),
            **pair_metrics(subject.sources[fake], subject.sources[real]),
        }
        for fake in generated
        for real in TEST_REALS
        if real in subject.sources
    ]


def _overall(subject: Subject) -> list[dict[str, Any]]:
    """The reference study's general table: own generated images and all test reals."""
    fakes, reals = subject.joined(subject.own), subject.joined(TEST_REALS)
    if not len(fakes) or not len(reals):
        return []
    rows = []
    for point, cut in subject.thresholds.items():
        matrix = decisions.confusion(fakes, reals, cut)
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
        if (role := subject.role(source)) in ("held-out", "in-distribution", "other")
        for point, cut in subject.thresholds.items()
    ]


def _splits(subject: Subject) -> list[dict[str, Any]]:
    """A classifier's usual figures, for each split that both kinds of image were scored of."""
    rows = []
    for split, generated, real in (
        ("training", (GENERATED_TRAINING,), (TRAINING,)),
        ("validation", (GENERATED_VALIDATION,), (VALIDATION,)),
        ("test", subject.own, (IN_DISTRIBUTION,)),
    ):
        fakes, reals = subject.joined(generated), subject.joined(real)
        if not len(fakes) or not len(reals):
            continue
        area, interval = auroc(fakes, reals)
        for point, cut in subject.thresholds.items():
            matrix = decisions.confusion(fakes, reals, cut)
            figures = {"auroc": area, **decisions.binary_figures(matrix)}
            right = matrix[0][0] + matrix[1][1]
            rows.append(
                {
                    **subject.name,
                    "split": split,
                    "operating_point": point,
                    "threshold": cut,
                    "n": len(fakes) + len(reals),
                    "confusion": matrix,
                    **figures,
                    "ci95": {
                        "auroc": interval,
                        "accuracy": wilson(right, len(fakes) + len(reals)),
                    },
                }
            )
    return rows


def _upper_bound(subject: Subject) -> list[dict[str, Any]]:
    """What the best cut on the test images themselves would give; nobody can know it before."""
    fakes, reals = subject.joined(subject.own), subject.joined((IN_DISTRIBUTION,))
    if not len(fakes) or not len(reals):
        return []
    cut, accuracy = oracle(fakes, reals)
    return [{**subject.name, "threshold": cut, "accuracy": accuracy}]


def _gap(subject: Subject) -> list[dict[str, Any]]:
    if TRAINING not in subject.sources or IN_DISTRIBUTION not in subject.sources:
        return []
    train, test = subject.sources[TRAINING], subject.sources[IN_DISTRIBUTION]
    own = subject.joined(subject.own)
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
            **decisions.train_test_gap(train, test, cut),
            "auroc_own": ranked,
        }
        for point, cut in subject.thresholds.items()
    ]
