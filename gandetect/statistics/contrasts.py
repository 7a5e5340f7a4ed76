"""A minus B: one figure of two detectors, paired over runs and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gandetect.statistics.bootstrap import (
    Statistic,
    mean_over_both,
    mean_over_images,
    over_runs,
    p_value,
)
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.ranking import placements


def tested(found: Statistic) -> dict[str, Any]:
    """A difference in numbers: each run's, their mean, its 95 % interval and p-value."""
    return {
        "differences": [float(value) for value in found.values],
        "difference": found.mean,
        "ci95": over_runs(found.values, found.image_covariance, share=False),
        "covers": "runs and images" if len(found.values) > 1 else "images",
        "p": p_value(found),
    }


def difference_correct(
    first: DetectorRuns,
    second: DetectorRuns,
    seeds: Sequence[int],
    sources: tuple[str, str],
    point: str,
) -> Statistic:
    """Share correct, first minus second, in each run; each has its own of two ``sources``.

    Where both are the same source it is taken image by image: +1, 0 or -1.
    """
    if sources[0] != sources[1]:
        shares = (one.share_correct(seeds, source, point)
                  for one, source in zip((first, second), sources, strict=True))  # fmt: skip
        return _independent(*shares)
    source = sources[0]
    differences = []
    for seed in seeds:
        a, b = _paired(first, second, seed, source)
        generated = source.startswith("generated:")
        right_a = (a.scores > first.thresholds[seed][point]) == generated
        right_b = (b.scores > second.thresholds[seed][point]) == generated
        differences.append(right_a.astype(np.float64) - right_b)
    return mean_over_images(differences, same_images=first.shared(source))


def difference_auroc(
    first: DetectorRuns,
    second: DetectorRuns,
    seeds: Sequence[int],
    generated: tuple[str, str],
    real: str,
) -> Statistic:
    """AUROC, first minus second, on the same reals (DeLong et al. 1988, for paired curves).

    Each has its own of two ``generated`` sources; where they are the same, so are the fakes.
    """
    same = generated[0] == generated[1]
    of_fakes, of_reals = [], []
    for seed in seeds:
        fakes = (
            _paired(first, second, seed, generated[0])
            if same
            else (first.images[seed][generated[0]], second.images[seed][generated[1]])
        )
        reals = _paired(first, second, seed, real)
        above = [placements(f.scores, r.scores) for f, r in zip(fakes, reals, strict=True)]
        of_fakes.append((above[0][0], above[1][0]))
        of_reals.append(above[0][1] - above[1][1])
    if same:
        paired = [a - b for a, b in of_fakes]
        return mean_over_both(paired, of_reals, same_fakes=first.same_fakes)
    sides = zip(*of_fakes, strict=True)
    over_fakes = _independent(*(mean_over_images(side, same_images=False) for side in sides))
    over_reals = mean_over_images(of_reals, same_images=True)
    return Statistic(over_fakes.values, over_fakes.image_covariance + over_reals.image_covariance)


def _independent(first: Statistic, second: Statistic) -> Statistic:
    """First minus second, of different images."""
    covariance = first.image_covariance + second.image_covariance
    return Statistic(first.values - second.values, covariance)


def _paired(
    first: DetectorRuns, second: DetectorRuns, seed: int, source: str
) -> tuple[ScoredImages, ScoredImages]:
    """The images that both have scored: a detector may have seen more of its own fakes."""
    a, b = first.images[seed][source], second.images[seed][source]
    common = np.intersect1d(a.index, b.index)
    return a.only(common), b.only(common)
