"""Statistics that are no plain mean: images are drawn again and the statistic is worked out anew.

A bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993). Runs that share images
draw the same ones, so what they have in common is in the covariance. Scores are counted between
quantiles and interpolated there: deviations need no more, and the values themselves are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import ndtr

from gandetect.statistics.bootstrap import Array, Statistic
from gandetect.statistics.redrawn import ImageSet, counts
from gandetect.statistics.scores import Scores

Sample: TypeAlias = tuple[ImageSet, Scores]  # the images of one source in one run, and their scores
STEPS = 300  # quantiles of a source that its redrawn images are counted between


def from_draws(
    values: Sequence[float], draws: Sequence[Array], fewest: int, recalibrated: Sequence[Array] = ()
) -> Statistic:
    """A statistic of every run, `S` values and `(DRAWS,)` draws of each over test images.

    ``fewest`` is how many images the smallest of its groups has: it is doubted as much as a share
    of as many, as in `bootstrap.mean_over_images`. ``recalibrated`` are draws over calibration
    images, where it depends on any.
    """
    covariance = np.atleast_2d(np.cov(np.stack(draws)))
    short = np.maximum(2.0 / (fewest + 4.0) ** 2 - np.diag(covariance), 0.0)
    again = np.stack(recalibrated) if any(np.ndim(one) for one in recalibrated) else None
    return Statistic(np.array(values, float), covariance + np.diag(short), again)


def redrawn_share(samples: Sequence[Sample], cut: float) -> Array:
    """The share of all these images that exceeds a cut, drawn `(DRAWS,)`."""
    above = sum(counts(images)[:, scores > cut].sum(axis=1, dtype=np.int64)
                for images, scores in samples)  # fmt: skip
    return np.asarray(above / sum(len(scores) for _, scores in samples), np.float64)


@dataclass(frozen=True)
class Tail:
    """How many of a source's redrawn images lie above each of some edges, `(DRAWS, K)` shares.

    The edges `(K,)` are quantiles, denser at both ends; between them a share is interpolated.
    """

    n: int
    edges: Scores
    above: Array

    @property
    def points(self) -> Scores:
        """A score between every two edges, `(K - 1,)`."""
        return np.asarray((self.edges[1:] + self.edges[:-1]) / 2, np.float64)

    @property
    def between(self) -> Array:
        """The share of redrawn images between every two edges, `(DRAWS, K - 1)`."""
        return -np.diff(self.above, axis=1)

    def at(self, edges: Scores) -> Array:
        """The shares above other edges, `(DRAWS, L)`."""
        place = np.interp(edges, self.edges, np.arange(len(self.edges)))
        left = np.minimum(place.astype(int), len(self.edges) - 2)
        part = place - left
        found = self.above[:, left] * (1 - part) + self.above[:, left + 1] * part
        found[:, edges < self.edges[0]] = 1.0
        return np.asarray(found, np.float64)


def tail_of(sample: Sample) -> Tail:
    """Draw the images of a source again, and count them above its quantiles."""
    images, scores = sample
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    knots = np.quantile(ascending, ndtr(np.linspace(-4, 4, STEPS)), method="lower")
    edges = np.unique(np.append(knots, np.nextafter(ascending[[0, -1]], [-np.inf, np.inf])))
    # A group starts at the first score above an edge; the last is empty, as nothing lies above.
    starts = np.searchsorted(ascending, edges[:-1], side="right")
    groups, which = np.unique(np.minimum(starts, len(scores) - 1), return_inverse=True)
    drawn = np.take(counts(images), order, axis=1)
    between = np.add.reduceat(drawn, groups, axis=1, dtype=np.uint32)
    n = images.drawn or len(scores)
    above = np.cumsum(between[:, ::-1], axis=1, dtype=np.float64)[:, ::-1] / n
    above = np.where(starts < len(scores), above[:, which], 0.0)
    return Tail(n, edges, np.pad(above, ((0, 0), (0, 1))))


def ranking_draws(generated: Tail, real: Tail) -> dict[str, Array]:
    """The threshold-free figures of `ranking.pair_metrics` but for the AUROC, `(DRAWS,)` each."""
    edges = np.union1d(generated.edges, real.edges)[::-1]
    tpr, fpr = generated.at(edges), real.at(edges)
    caught, flagged = (tail.n * (curve[:, 1:] + curve[:, :-1])
                       for tail, curve in ((generated, tpr), (real, fpr)))  # fmt: skip
    precision = caught / np.maximum(caught + flagged, 1e-9)
    return {
        "average_precision": np.sum(np.diff(tpr, axis=1) * precision, axis=1),
        "fpr_at_95_tpr": _at(0.95, tpr, fpr),
        "tpr_at_5_fpr": _at(0.05, fpr, tpr),
    }


def _at(wanted: float, along: Array, curve: Array) -> Array:
    """Each draw's curve where the other reaches a value, `(DRAWS,)`."""
    # As `np.interp` does it row by row; the curves start at 0 and end at 1.
    rows = np.arange(len(along))
    left = np.minimum(np.sum(along <= wanted, axis=1), along.shape[1] - 1) - 1
    (x, x_next), (y, y_next) = ((of[rows, left], of[rows, left + 1]) for of in (along, curve))
    return np.asarray((y_next - y) / (x_next - x) * (wanted - x) + y, np.float64)
