"""Weighted sums of one measure over several detectors and sources, with their covariance.

A mean over detectors, or one mean minus another, is such a sum. Each image pulls at it with the sum
of its pulls, so that detectors which answered the same images are not taken for independent.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from gandetect.statistics.bootstrap import Array, Statistic
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.ranking import placements
from gandetect.statistics.scores import Scores

Pulls = Mapping[Any, "pd.Series[float]"]  # by source and, where runs share no images, run
Key = TypeVar("Key", bound=Hashable)  # of a detector
Terms: TypeAlias = Sequence[tuple[float, Key, str]]  # weight, detector, generated source


@dataclass(frozen=True)
class Measure:
    """What is measured of a generator's fakes: the share caught at a point, or the AUROC."""

    metric: str
    operating_point: str | None = None
    real: str | None = None


@dataclass(frozen=True)
class _Answer:
    """A measure in one run, each image's pull at it, and what its variance is at least.

    ``recalibrated`` is what it would be with other calibration images, `(DRAWS,)`, if they matter.
    """

    value: float
    pulls: Pulls
    short: float
    recalibrated: Array | None


class WeightedSums(Generic[Key]):
    """Sums over the detectors of ``runs``; what one source alone gives is computed once."""

    def __init__(self, runs: Mapping[Key, DetectorRuns]) -> None:
        self._runs = runs
        self._answer = cache(self._answered)

    def statistic(self, terms: Terms[Key], seeds: Sequence[int], measure: Measure) -> Statistic:
        """The sum of weight times measure in the runs of these seeds ``(S,)``.

        The covariance ``(S, S)`` is that of means over images, for AUROC DeLong's (Biometrics 44,
        1988). Of one term it is what `DetectorRuns` gives.
        """
        runs = [[(w, self._answer(name, source, seed, measure)) for w, name, source in terms]
                for seed in seeds]  # fmt: skip
        values = np.array([sum(weight * one.value for weight, one in run) for run in runs])
        pulls = [_summed(run) for run in runs]
        covariance = np.array([[_product(first, second) for second in pulls] for first in pulls])
        short = [sum(weight**2 * one.short for weight, one in run) for run in runs]
        recalibrated = [
            sum(w * (one.value if one.recalibrated is None else one.recalibrated) for w, one in run)
            for run in runs
        ]
        calibration = np.stack(recalibrated) if any(np.ndim(one) for one in recalibrated) else None
        return Statistic(values, covariance + np.diag(short), calibration)

    def _answered(self, detector: Key, source: str, seed: int, measure: Measure) -> _Answer:
        runs = self._runs[detector]
        images = runs.images[seed]
        answered = {source: images[source]}
        recalibrated = None
        if measure.real is None:
            point = str(measure.operating_point)
            values = {source: runs.correct(seed, source, point)}
            calibration = runs.share_correct([seed], source, point).calibration
            recalibrated = None if calibration is None else calibration[0]
        else:
            answered[measure.real] = images[measure.real]
            both = placements(*(one.scores for one in answered.values()))
            values = dict(zip(answered, both, strict=True))
        pulls = {
            (name, None if runs.shared(name) else seed): _pull(one, values[name])
            for name, one in answered.items()
        }
        # As in `mean_over_images`.
        short = [2.0 / (len(one) + 4.0) ** 2 - float((one**2).sum()) for one in pulls.values()]
        least = sum(max(one, 0.0) for one in short)
        return _Answer(float(values[source].mean()), pulls, least, recalibrated)


def _pull(images: ScoredImages, values: Scores) -> pd.Series[float]:
    """Each image's part in the mean's chance; the squares add up to the variance of the mean."""
    n = len(values)
    return pd.Series((values - values.mean()) / np.sqrt(n * max(n - 1, 1)), index=images.index)


def _summed(run: Sequence[tuple[float, _Answer]]) -> Pulls:
    total: dict[Any, pd.Series[float]] = {}
    for weight, one in run:
        for key, pull in one.pulls.items():
            pulled = weight * pull
            total[key] = total[key].add(pulled, fill_value=0.0) if key in total else pulled
    return total


def _product(first: Pulls, second: Pulls) -> float:
    return float(sum((first[key] * second[key]).sum() for key in first if key in second))
