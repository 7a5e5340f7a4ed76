"""A minus B: one figure of two detectors, paired over runs and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gandetect.statistics.bootstrap import Statistic, mean_over_both, mean_over_images, p_value
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.ranking import placements


def tested(difference: Statistic) -> dict[str, Any]:
    """A difference in numbers: each run's, their mean, its 95 % interval and p-value."""
    return {
        "differences": list(difference),
        "difference": difference.mean,
        "ci95": difference.ci95(share=False),
        "covers": difference.covers,
        "p": p_value(difference),
    }


def difference_correct(
    first: DetectorRuns,
    second: DetectorRuns,
    seeds: Sequence[int],
    sources: tuple[str, str],
    point: str,
    *,
    paired: bool = True,
) -> Statistic:
    """Share correct, first minus second, in each run; each has its own of two ``sources``.

    Where both are the same images (``paired``) it is taken image by image: +1, 0 or -1.
    """
    source, of_second = sources
    shares = first.share_correct(seeds, source, point)
    unpaired = shares.minus(second.share_correct(seeds, of_second, point))
    if not paired:
        return unpaired
    generated = source.startswith("generated:")
    differences = []
    for seed in seeds:
        both = zip((first, second), _paired(first, second, seed, source), strict=True)
        right = [(of.margins(one.thresholds[seed], point) > 0) == generated for one, of in both]
        differences.append(right[0].astype(np.float64) - right[1])
    over_images = mean_over_images(differences, same_images=first.shared(source))
    return replace(over_images, calibration=unpaired.calibration)


def difference_auroc(
    first: DetectorRuns,
    second: DetectorRuns,
    seeds: Sequence[int],
    generated: tuple[str, str],
    real: str,
    *,
    paired: tuple[bool, bool] = (True, True),
) -> Statistic:
    """AUROC, first minus second (DeLong et al. 1988, for paired curves).

    Each has its own of two ``generated`` sources; ``paired`` says whether both answered the same
    fakes, and the same reals.
    """
    same, same_reals = paired
    if not same_reals:
        area = first.auroc(seeds, generated[0], real)
        return area.minus(second.auroc(seeds, generated[1], real))
    of_fakes, of_reals = [], []
    for seed in seeds:
        fakes = first.images[seed][generated[0]], second.images[seed][generated[1]]
        if same:
            fakes = _paired(first, second, seed, generated[0])
        reals = _paired(first, second, seed, real)
        above = [placements(f.scores, r.scores) for f, r in zip(fakes, reals, strict=True)]
        of_fakes.append((above[0][0], above[1][0]))
        of_reals.append(above[0][1] - above[1][1])
    if same:
        moved = [a - b for a, b in of_fakes]
        return mean_over_both(moved, of_reals, same_fakes=first.shared(generated[0]))
    sides = zip(*of_fakes, strict=True)
    means = (mean_over_images(side, same_images=False) for side in sides)
    over_fakes = next(means).minus(next(means))
    over_reals = mean_over_images(of_reals, same_images=True)
    return Statistic(over_fakes.values, over_fakes.image_covariance + over_reals.image_covariance)


def _paired(
    first: DetectorRuns, second: DetectorRuns, seed: int, source: str
) -> tuple[ScoredImages, ScoredImages]:
    """The images that both have scored: a detector may have seen more of its own fakes."""
    a, b = first.images[seed][source], second.images[seed][source]
    if np.array_equal(a.index, b.index):
        return a, b
    common = np.intersect1d(a.index, b.index)
    return a.only(common), b.only(common)
