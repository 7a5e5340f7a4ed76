"""All that is computed from scores beyond the cross-evaluation itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gandetect.evaluation.by_class import by_class, by_class_across
from gandetect.evaluation.calibration import calibration, low_fpr
from gandetect.evaluation.costs import Market, costs
from gandetect.evaluation.k_shot import k_shot
from gandetect.evaluation.robustness import robustness
from gandetect.evaluation.scores import Metrics, latest
from gandetect.evaluation.subjects import DetectorFacts, make_subjects
from gandetect.evaluation.trajectories import trajectories

# What a marketplace might see, where nobody says what it does: 2 fakes in 100, dear to miss.
EXAMPLE_MARKET = Market(prevalence=0.02, cost_miss=20.0, cost_delay=1.0)


def evaluate_further(
    scores: pd.DataFrame,
    *,
    calibrated_fpr: float,
    detectors: Mapping[str, DetectorFacts],
    same_fakes: bool = False,
    market: Market | None = None,
    classes: pd.DataFrame | None = None,
    trajectory: pd.DataFrame | None = None,
    perturbed: pd.DataFrame | None = None,
) -> Metrics:
    """Compute calibration, low false alarms, k-shot thresholds, costs, classes and what was asked.

    Args:
        scores: as `evaluate` takes them.
        calibrated_fpr: as `evaluate` takes it.
        detectors: as `evaluate` takes them.
        same_fakes: as `evaluate` takes it.
        market: what misses and delays cost; `EXAMPLE_MARKET` by default.
        classes: of real test images: source, index, class_name.
        trajectory: scores of every kept epoch, where they were made.
        perturbed: scores of processed images, where they were made.

    What cannot be computed is no row, and a sentence in ``gaps`` says why.
    """
    last = latest(scores)
    subjects = make_subjects(last, detectors, calibrated_fpr)
    thresholds = {(one.detector, one.seed): one.thresholds for one in subjects}
    own = {name: list(fact["own"]) for name, fact in detectors.items()}
    market = market or EXAMPLE_MARKET
    found: dict[str, Any] = {"market": market.as_dict()}
    gaps: dict[str, list[str]] = {}
    found["calibration"], found["reliability"], gaps["calibration"] = calibration(subjects)
    found["low_fpr"], gaps["low_fpr"] = low_fpr(subjects)
    found["k_shot"], gaps["k_shot"] = k_shot(subjects)
    found["costs"], gaps["costs"] = costs(
        subjects, market.prevalence, market.cost_miss, market.cost_delay
    )
    if classes is not None:
        found["by_class"] = by_class(last, classes, thresholds)
        found["by_class_across_seeds"] = by_class_across(last, classes, thresholds)
    if trajectory is not None:
        found["trajectories"] = trajectories(trajectory, own, calibrated_fpr)
    if perturbed is not None:
        found["robustness"] = robustness(perturbed, own, thresholds, same_fakes=same_fakes)
    found["gaps"] = {name: sentences for name, sentences in gaps.items() if sentences}
    return found
