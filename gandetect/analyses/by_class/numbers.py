"""Which real images are flagged: false positives by class of the real test images.

Classes that no detector was trained on stand beside those that were. Reals are the same in every
run, so an interval over runs counts their chance once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.errors import DataError
from gandetect.statistics.bootstrap import with_interval
from gandetect.statistics.calibrated import labels_of
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.intervals import wilson
from gandetect.statistics.operating_points import least_images
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import (
    HELD_OUT,
    IN_DISTRIBUTION,
    NOT_REPORTED,
    TEST_REALS,
    Metrics,
    Scores,
)

Thresholds: TypeAlias = Mapping[tuple[str, int], Mapping[str, float]]
KEYS = ("detector", "detector_seed", "class_name", "source")


def numbers(study: ScoredStudy) -> Metrics:
    """``by_class`` of every run and over runs, and ``class_thresholds``; none without classes."""
    if study.classes is None:
        return {}
    cuts = {
        (name, seed): {point: of[point] for point in study.runs[name].whole_points(seed)}
        for (name, seed), of in study.thresholds.items()
    }
    return {
        "by_class": by_class(study.last, study.classes, cuts),
        "by_class_across_seeds": by_class_across(study.last, study.classes, study.runs),
        "class_thresholds": [*class_thresholds(study, study.classes)],
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """The share of each class that is flagged."""
    for row in metrics.get("by_class", []):
        yield tidy_row("class", row, f"flagged: {row['class_name']}", row["flagged"], row["ci95"])
    for row in metrics.get("by_class_across_seeds", []):
        name = f"flagged: {row['class_name']}"
        yield tidy_row("runs: class", row, name, row["mean"], row["ci95"])
    for row in metrics.get("class_thresholds", []):
        for key in ("threshold", "caught"):
            if row[key] is not None:
                yield tidy_row("class threshold", row, f"{key}: {row['class_name']}", row[key])


def by_class(
    scores: pd.DataFrame, classes: pd.DataFrame, thresholds: Thresholds
) -> list[dict[str, Any]]:
    """The share of every class's test reals that is called generated, for every run.

    Args:
        scores: rows of `scores.parquet`, of one epoch of each detector and seed.
        classes: the class of every real test image; columns source, index and class_name.
        thresholds: each detector's and seed's cuts by operating point.

    Returns rows with ``flagged`` (the share), its Wilson interval ``ci95`` over images, ``n`` and
    whether the class was ``held_out``. Raises `DataError` for a test image without a class.
    """
    return [
        {
            "detector": detector,
            "detector_seed": seed,
            **_of_class(name, source),
            "operating_point": point,
            "flagged": float(np.mean(values > cut)),
            "ci95": wilson(int(np.count_nonzero(values > cut)), len(values)),
            "n": len(values),
        }
        for detector, name, source, runs in _groups(scores, classes)
        for seed, values in runs.items()
        for point, cut in thresholds[detector, seed].items()
    ]


def by_class_across(
    scores: pd.DataFrame, classes: pd.DataFrame, detectors: Mapping[str, DetectorRuns]
) -> list[dict[str, Any]]:
    """The same over all runs: ``mean``, its 95 % interval, and each run's share in ``flagged``.

    ``covers`` says what the interval covers. Errors are those of `by_class`.
    """
    rows = []
    for detector, name, source, runs in _groups(scores, classes):
        seeds = list(runs)
        for point in detectors[detector].whole_points(seeds[0]):
            statistic = detectors[detector].answered(runs, point, generated=True, same_images=True)
            flagged, n = list(statistic), len(runs[seeds[0]])
            of_images = wilson(round(flagged[0] * n), n)
            rows.append(
                {
                    "detector": detector,
                    "seeds": seeds,
                    **_of_class(name, source),
                    "operating_point": point,
                    "flagged": flagged,
                    "mean": statistic.mean,
                    **with_interval(statistic, of_images),
                    "n": n,
                }
            )
    return rows


def class_thresholds(study: ScoredStudy, classes: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The calibrated threshold that each class would have for itself, for every run.

    Rows hold ``n_calibration`` and how many reals are ``needed``, the class's ``threshold``, None
    with too few, the share of own fakes ``caught`` with it, and ``caught_in_common`` with that of
    all classes.
    """
    tested = set(classes.loc[classes["source"] == IN_DISTRIBUTION, "class_name"].unique())
    for one in study.subjects:
        of, last = one.calibration, study.last
        if of is None or of.source not in set(classes["source"]):
            continue
        mine = (last["detector"] == one.detector) & (last["detector_seed"] == one.seed)
        reals = last[mine & (last["source"] == of.source)]
        names = labels_of(reals, classes, "class_name")
        fakes = one.joined(name for name in one.reported() if one.role(name) == "own")
        values = reals["score"].to_numpy(np.float64)
        for name, cut in study.rule.of_classes(values, names, tested).items():
            yield {
                **one.name,
                "class_name": name,
                "n_calibration": cut.n,
                "needed": least_images(study.rule.fpr, study.rule.confidence),
                "threshold": cut.threshold,
                "caught": _share_above(fakes, cut.threshold),
                "caught_in_common": _share_above(fakes, one.thresholds.get("calibrated")),
            }


def _share_above(fakes: Scores, cut: float | None) -> float | None:
    return None if cut is None or not len(fakes) else float(np.mean(fakes > cut))


def _of_class(name: str, source: str) -> dict[str, Any]:
    return {"class_name": name, "source": source, "held_out": source == HELD_OUT}


def _groups(
    scores: pd.DataFrame, classes: pd.DataFrame
) -> Iterator[tuple[str, str, str, dict[int, Any]]]:
    """Detector, class, source, and by seed the scores `(N,)` in the order of the images."""
    told = {*TEST_REALS, *classes["source"]} - {*NOT_REPORTED}
    reals = scores[scores["source"].isin(told)]
    named = reals.astype({"source": str, "detector": str}).merge(
        classes.astype({"source": str, "class_name": str}),
        on=["source", "index"],
        how="left",
        validate="many_to_one",
    )
    nameless = named[named["class_name"].isna()]
    if len(nameless):
        row = nameless.iloc[0]
        raise DataError(
            f"{len(nameless)} scores are of real test images without a class; the first is image "
            f"{row['index']} of {row['source']!r}; run the study again to write classes.parquet"
        )
    ordered = named.sort_values([*KEYS, "index"], kind="stable")
    for identity, rows in ordered.groupby(["detector", "class_name", "source"]):
        detector, name, source = (str(part) for part in identity)
        runs = {
            int(rows.loc[group.index[0], "detector_seed"]): group.to_numpy(np.float64)
            for _, group in rows.groupby("detector_seed")["score"]
        }
        yield detector, name, source, runs
