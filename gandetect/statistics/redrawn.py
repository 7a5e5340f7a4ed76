"""What other calibration images would change: thresholds as they would be, drawn many times.

A calibrated threshold is an order statistic of calibration reals, so the share of new reals that it
flags follows a beta distribution whatever the detector (David and Nagaraja, Order Statistics, 2003,
section 2.5). An ordinary bootstrap knows nothing above the largest score that it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.special import betaincinv
from scipy.stats import rankdata

from gandetect.statistics.scores import Scores

DRAWS = 200
BINS = 2000  # that scores are smoothed in
Indices = npt.NDArray[np.int64]
Counts = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageSet:
    """Which images were drawn, `(N,)`: equal ones share their chance, whoever scored them.

    ``run`` is None where all runs have them in common. Of a pool fewer are drawn than it holds.
    """

    source: str
    index: bytes
    run: int | None = None
    drawn: int | None = None

    def stream(self, purpose: str) -> np.random.Generator:
        """The stream of chance of these images, however they are numbered."""
        words, n = (purpose.encode(), self.source.encode()), len(self.index) // 8
        own = 0 if self.run is None else self.run + 1
        return np.random.default_rng([*map(crc32, words), n, own])


@lru_cache(maxsize=64)
def counts(images: ImageSet) -> Counts:
    """How often each image is drawn when as many are drawn again, `(DRAWS, N)`."""
    n = len(images.index) // 8
    rng, size = images.stream("counts"), images.drawn or n
    drawn = (np.bincount(rng.integers(0, n, size), minlength=n) for _ in range(DRAWS))
    return np.stack([one.astype(np.uint8) for one in drawn])


@lru_cache(maxsize=32)
def _multipliers(images: ImageSet) -> npt.NDArray[np.float32]:
    shape = DRAWS, len(images.index) // 8
    return images.stream("multipliers").standard_normal(shape, dtype=np.float32)


def order_statistics(
    calibration: Scores, cut: float, pool: Sequence[tuple[ImageSet, Scores]]
) -> Scores:
    """Draw the cut that other calibration reals would give by the same rule, `(DRAWS,)`.

    Args:
        calibration: the scores that chose the cut, `(N,)`.
        cut: one of them; the rule is its rank.
        pool: scores of real images of the same kind, the calibration reals among them: their
            quantiles are taken for those of all reals, and what runs have in common there makes
            their cuts move together (Bahadur, Annals of Mathematical Statistics 37, 1966).
    """
    above, n = int(np.count_nonzero(calibration > cut)), len(calibration)
    everything = np.sort(np.concatenate([scores for _, scores in pool]))
    usual = _exceeded_by(everything, np.array([(above + 1) / (n + 1)]))
    moved = np.zeros(DRAWS)
    share = float(np.mean(everything > usual))
    for images, scores in pool:
        moved += _multipliers(images) @ ((scores > usual) - share).astype(np.float32)
    # Even normal scores: each cut is spread as the beta distribution says, without chance.
    even = (rankdata(moved, method="ordinal") - 0.5) / DRAWS
    return _exceeded_by(everything, betaincinv(above + 1, n - above, even))


def _smooth(scores: Scores, weights: Scores) -> Scores:
    """The sum of weights up to each score, `(N,)`, under a normal kernel of Silverman's width."""
    quartiles = np.quantile(scores, [0.25, 0.75])
    width = 0.9 * min(scores.std(), np.ptp(quartiles) / 1.34) * len(scores) ** -0.2
    edges = np.linspace(scores.min(), scores.max(), BINS + 1)
    mass, _ = np.histogram(scores, edges, weights=weights)
    wide = max(float(width / max(edges[1] - edges[0], 1e-300)), 0.5)
    sums = np.append(0, np.cumsum(gaussian_filter1d(mass, wide, mode="constant")))
    return np.asarray(np.interp(scores, edges, sums), np.float64)


def share_above(cuts: Scores, scores: Scores) -> Scores:
    """The share of scores `(N,)` above each cut, `(DRAWS,)`."""
    below = np.searchsorted(np.sort(scores), cuts, side="right")
    return np.asarray(1 - below / len(scores), np.float64)


def _exceeded_by(ascending: Scores, shares: Scores) -> Scores:
    """The scores that these shares of images exceed; beyond the largest an exponential tail."""
    n = len(ascending)
    inside = np.interp(1 - shares, np.arange(1, n + 1) / (n + 1), ascending)
    top = ascending[-max(n // 10, 2) :]
    beyond = np.maximum(-np.log((n + 1) * shares), 0.0) * float(np.mean(top - top[0]))
    return np.asarray(inside + beyond, np.float64)


def best_cuts(
    fakes: tuple[ImageSet, Scores],
    reals: tuple[ImageSet, Scores],
    weights: tuple[float, float] = (1.0, 1.0),
) -> Scores:
    """Draw the cut that `operating_points.best_cuts` finds on other images of both kinds.

    Those that chose it are drawn again, `(DRAWS,)`. A bootstrap of the gain alone is wrong about
    where its largest value lies; what it does to a smooth gain is right (Cattaneo, Jansson and
    Nagasawa, Econometrica 88, 2020).
    """
    scores = np.concatenate([fakes[1], reals[1]])
    of_fakes, of_reals = (
        counts(images) * np.float32(weight / len(of))
        for weight, (images, of) in zip(weights, (fakes, reals), strict=True)
    )
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    single = np.repeat(
        [-weights[0] / len(fakes[1]), weights[1] / len(reals[1])], [len(fakes[1]), len(reals[1])]
    )
    sign, usual, smooth = np.sign(single), np.abs(single, dtype=np.float32), _smooth(scores, single)
    last = np.append(ascending[1:] > ascending[:-1], True)  # a cut lies between two scores
    best = np.empty(DRAWS, np.int64)
    for draw in range(DRAWS):  # one at a time, which the processor's cache can hold
        steps = sign * (np.concatenate([of_fakes[draw], of_reals[draw]]) - usual)
        gain = np.cumsum(steps[order]) + smooth[order]
        best[draw] = np.argmax(np.where(last, gain, -np.inf))
    above = np.append(ascending, np.nextafter(ascending[-1], np.inf))[best + 1]
    return np.asarray((ascending[best] + above) / 2, np.float64)
