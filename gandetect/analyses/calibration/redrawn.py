"""The interval of an ECE: maps fitted on other calibration images, judged on other test images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit

from gandetect.statistics.bootstrap import Array
from gandetect.statistics.intervals import Interval
from gandetect.statistics.resampling import Tail, from_draws
from gandetect.statistics.scores import Scores

STEPS = 10  # of Newton's method, from the map of the images as they are


class Grouped:
    """Fakes and reals of one run, grouped by score, with redrawn weights `(DRAWS, K)`.

    Both labels weigh 1/2 in each draw; ``targets`` are Platt's, `(K,)`.
    """

    def __init__(self, tails: Sequence[Tail]) -> None:
        sizes = [len(one.points) for one in tails]
        self.scores = np.concatenate([one.points for one in tails])
        self.weights = np.concatenate([one.between for one in tails], axis=1) / 2
        self.labels = np.repeat([1.0, 0.0], sizes)
        self.targets = np.repeat([(tails[0].n + 1) / (tails[0].n + 2), 1 / (tails[1].n + 2)], sizes)
        self.fewest = min(one.n for one in tails)


def maps(
    method: str, fitted: Callable[[Scores], Scores], images: Grouped
) -> Callable[[Scores], Array]:
    """What a method makes of scores `(K,)` when it is fitted on redrawn images: `(DRAWS, K)`."""
    if method == "isotonic":
        order, edge = np.argsort(images.scores, kind="stable"), 1 / (images.fewest + 2)
        known, labels = images.scores[order], images.labels[order]
        steps = [(known[there], isotonic_regression(labels[there], weights=weights[there]).x)
                 for weights in images.weights[:, order] for there in [weights > 0]]  # fmt: skip
        return lambda scores: np.clip([np.interp(scores, *one) for one in steps], edge, 1 - edge)
    shift = float(fitted(np.zeros(1))[0])
    line = np.tile([float(fitted(np.ones(1))[0]) - shift, shift], (len(images.weights), 1))
    free = {"none": 0, "temperature": 1, "platt": 2}[method]
    design = np.stack([images.scores, np.ones(len(images.scores))])[:free]
    for _ in range(STEPS if free else 0):
        p = expit(line[:, :1] * images.scores + line[:, 1:])
        slope = (images.weights * (p - images.targets)) @ design.T
        bend = np.einsum("bk,ik,jk->bij", images.weights * p * (1 - p), design, design)
        line[:, :free] -= np.linalg.solve(bend + 1e-12 * np.eye(free), slope[..., None])[..., 0]
    return lambda scores: expit(line[:, :1] * scores + line[:, 1:])


def ece_interval(
    value: float,
    fitted: Callable[[Scores], Scores],
    again: Callable[[Scores], Array],
    test: Grouped,
    bins: int,
) -> Interval:
    """The 95 % interval of an ECE ``value`` over test images, and over maps fitted ``again``."""
    p = again(test.scores)
    _, position = np.unique(p.mean(axis=0).round(9), return_inverse=True)
    mass = np.bincount(position, test.weights.mean(axis=0))
    place = np.minimum(((np.cumsum(mass) - mass / 2) * bins).astype(int), bins - 1)[position]

    def of(p: Array, weights: Array) -> Array:
        gaps = (weights * (p - test.labels)) @ np.eye(bins)[place]
        return np.asarray(np.abs(gaps).sum(axis=1), np.float64)

    of_test = of(expit(fitted(test.scores)), test.weights)
    return from_draws([value], [of_test], test.fewest, [of(p, test.weights.mean(axis=0))]).ci95()
