"""Tables of plausible scores, and their numbers by every analysis."""

import pickle
from collections.abc import Collection, Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from gandetect.analyses import evaluate as package
from gandetect.analyses.analysis import Analysis
from gandetect.analyses.registry import analyses
from gandetect.analyses.study import ScoredStudy
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages

LEFT_OUT = ("calibration", "k_shot")
_EVALUATED: dict[bytes, dict[str, Any]] = {}
SIZES = {
    "generated:a": 120,
    "generated:b": 80,
    "real:in-distribution": 60,
    "real:held-out": 70,
    "real:training": 90,
    "real:calibration": 100,
}


def score_table(rng: np.random.Generator, *, seeds: tuple[int, ...] = (0,)) -> pd.DataFrame:
    """Two detectors, `a` and `b`, with plausible scores for every source."""
    frames = [
        pd.DataFrame(
            {
                "detector": detector,
                "detector_seed": seed,
                "epoch": 3,
                "source": source,
                "source_seed": seed,
                "label": source.partition(":")[0],
                "index": np.arange(n),
                "score": rng.normal(1.0 if source.startswith("generated") else -0.5, 1.5, n),
            }
        )
        for detector in ("a", "b")
        for seed in seeds
        for source, n in SIZES.items()
    ]
    return pd.concat(frames, ignore_index=True)


def runs_of(
    scores: pd.DataFrame, thresholds: Mapping[tuple[str, int], Mapping[str, float]]
) -> dict[str, DetectorRuns]:
    """Each detector's runs, with thresholds that are given by detector and seed."""
    images: dict[str, dict[int, dict[str, ScoredImages]]] = {}
    keys = ["detector", "detector_seed", "source"]
    for (name, seed, source), rows in scores.sort_values("index").groupby(keys, observed=True):
        one = ScoredImages(rows["index"].to_numpy(), rows["score"].to_numpy(float))
        images.setdefault(str(name), {}).setdefault(int(seed), {})[str(source)] = one
    return {
        name: DetectorRuns(name, (), {s: thresholds.get((name, s), {}) for s in of}, of, False)
        for name, of in images.items()
    }


def quick(*without: str) -> list[Analysis]:
    """All analyses but the slowest, and others by name."""
    return [one for one in analyses() if one.name not in {*LEFT_OUT, *without}]


def evaluate(
    scores: pd.DataFrame,
    *,
    calibrated_fpr: float = 0.05,
    calibrated_confidence: float | None = None,
    by_class: bool = False,
    detectors: Mapping[str, Any] | None = None,
    without: Collection[str] = LEFT_OUT,
    **more: Any,
) -> dict[str, Any]:
    """The numbers of a table of scores but the slowest; ``more`` are fields of `ScoredStudy`.

    Many tests look at the same ones, which are computed once.
    """
    rule = CalibrationRule(calibrated_fpr, calibrated_confidence, by_class)
    study = ScoredStudy(scores, rule, known=detectors, **more)
    asked = [one for one in analyses() if one.name not in without]
    key = sha256(pickle.dumps((study, [one.name for one in asked]))).digest()
    if key not in _EVALUATED:
        _EVALUATED[key] = package.evaluate(study, asked)
    return deepcopy(_EVALUATED[key])


def tidy(metrics: dict[str, Any]) -> pd.DataFrame:
    """Numbers as a tidy table, of the analyses that made them."""
    made = [one for one in analyses() if one.name not in LEFT_OUT or one.name in metrics]
    return package.tidy(metrics, made)
