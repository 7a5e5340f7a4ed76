"""Which honest pictures look fake to a detector: false alarms by class, held out or trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gandetect.errors import DataError
from gandetect.evaluation.intervals import wilson
from gandetect.evaluation.scores import HELD_OUT, TEST_REALS
from gandetect.evaluation.uncertainty import Array, mean_over_images, over_runs

Row = dict[str, Any]
Thresholds = Mapping[tuple[str, int], Mapping[str, float]]
COLUMNS = ("source", "index", "class_name")


def by_class(scores: pd.DataFrame, classes: pd.DataFrame, thresholds: Thresholds) -> list[Row]:
    """Share of each class's test reals called generated, by detector and operating point.

    Args:
        scores: the last epoch's rows of `scores.parquet`.
        classes: the class of every real test image: source, index, class_name.
        thresholds: cuts by operating point for each (detector, seed).

    Each row holds every run (``delayed``, by ``seeds``), their ``mean`` and its 95 % interval;
    ``covers`` says whether that covers runs and images, or images only (Wilson).

    Raises `DataError` when a column of ``classes`` is missing.
    """
    missing = [name for name in COLUMNS if name not in classes]
    if missing:
        raise DataError(f"the classes have no column {', '.join(missing)}; run the study again")
    reals = scores[scores["source"].isin(TEST_REALS)]
    reals = reals.assign(source=reals["source"].astype(str))
    named = reals.merge(classes[list(COLUMNS)], on=["source", "index"], how="inner")
    named = named.sort_values("index", kind="stable")
    answers: dict[tuple[str, ...], dict[int, Array]] = defaultdict(dict)
    for _, rows in named.groupby(["detector", "class_name", "source", "detector_seed"],
                                 observed=True):  # fmt: skip
        detector, class_name, source, seed = rows[
            ["detector", "class_name", "source", "detector_seed"]
        ].iloc[0]
        values = rows["score"].to_numpy(np.float64)
        for point, cut in thresholds[str(detector), int(seed)].items():
            key = (str(detector), str(class_name), str(source), point)
            answers[key][int(seed)] = (values > cut).astype(np.float64)
    return [_row(key, runs) for key, runs in answers.items()]


def _row(key: Sequence[str], runs: Mapping[int, Array]) -> Row:
    detector, class_name, source, point = key
    seeds = sorted(runs)
    delayed = [float(runs[seed].mean()) for seed in seeds]
    first = runs[seeds[0]]
    if len(seeds) == 1:
        interval, covers = wilson(int(first.sum()), len(first)), "images"
    else:
        found = mean_over_images([runs[seed] for seed in seeds], same_images=True)
        interval = over_runs(found.values, found.image_covariance)
        covers = "runs and images"
    return {
        "detector": detector,
        "class_name": class_name,
        "source": source,
        "held_out": source == HELD_OUT,
        "operating_point": point,
        "n": len(first),
        "seeds": seeds,
        "delayed": delayed,
        "mean": float(np.mean(delayed)),
        "ci95": interval,
        "covers": covers,
    }
