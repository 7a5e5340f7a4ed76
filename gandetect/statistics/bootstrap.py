"""Intervals of the procedure: other training runs, other calibration images, other test images.

A statistic (a share, an AUROC, a difference of two) is known once for every run. Runs are few, so
they are resampled as they are; the chance of the many test images is drawn from the normal
distribution of a mean of many; what other calibration images change is drawn in `redrawn`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from gandetect.errors import DataError
from gandetect.statistics.intervals import Interval

Array = npt.NDArray[np.float64]
DRAWS = 10_000
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Statistic:
    """One statistic of every run `(S,)`, and its covariance `(S, S)` from drawing test images.

    Off the diagonal stands what runs have in common because they answered the same images.
    ``calibration`` holds what it would be with other calibration images, `(S, draws)`; None where
    none were needed.
    """

    values: Array
    image_covariance: Array
    calibration: Array | None = None

    @property
    def mean(self) -> float:
        """The mean over runs."""
        return float(self.values.mean())

    def __iter__(self) -> Iterator[float]:
        return map(float, self.values)

    @property
    def covers(self) -> str:
        """What its interval covers: "runs, calibration and test images", or fewer of them."""
        return what_varies(len(self.values), self.calibration is not None)

    def ci95(self, *, share: bool = True) -> Interval:
        """The 95 % interval of its mean, as `over_runs` has it."""
        return over_runs(self.values, self.image_covariance, self.calibration, share=share)

    def minus(self, other: Statistic) -> Statistic:
        """The difference of two that answered different test images."""
        signed = ((1, self.calibration), (-1, other.calibration))
        moved = [sign * draws for sign, draws in signed if draws is not None]
        return Statistic(
            self.values - other.values,
            self.image_covariance + other.image_covariance,
            np.sum(moved, axis=0) if moved else None,
        )


def what_varies(runs: int, calibrated: bool) -> str:
    """What an interval covers, in words."""
    if calibrated:
        return f"{'runs, ' if runs > 1 else ''}calibration and test images"
    return f"{'runs and ' if runs > 1 else ''}test images"


def mean_over_images(runs: Sequence[Array], *, same_images: bool) -> Statistic:
    """The mean over images of every run's values, `S` arrays of `(N,)`.

    ``same_images``: position i is the same image in every run, so the runs share its chance.
    """
    values = np.array([run.mean() for run in runs])
    sizes = np.array([len(run) for run in runs])
    if same_images and np.ptp(sizes) == 0 and sizes[0] > 1:
        covariance = np.atleast_2d(np.cov(np.stack(runs))) / sizes[0]
    else:
        covariance = np.diag([run.var(ddof=1) / len(run) if len(run) > 1 else 0.0 for run in runs])
    # Equal answers to all images seen do not prove the same of all others: two are imagined to
    # differ, as Agresti and Coull do (The American Statistician 52, 1998).
    short = np.maximum(2.0 / (sizes + 4.0) ** 2 - np.diag(covariance), 0.0)
    return Statistic(values, covariance + np.diag(short))


def mean_over_both(
    of_fakes: Sequence[Array], of_reals: Sequence[Array], *, same_fakes: bool
) -> Statistic:
    """A statistic that is the mean over the fakes as well as over the reals, such as the AUROC.

    DeLong's covariance (Biometrics 44, 1988); all runs answer the same reals.
    """
    fakes = mean_over_images(of_fakes, same_images=same_fakes)
    reals = mean_over_images(of_reals, same_images=True)
    # Either mean is the statistic; only their chances add up.
    return Statistic(fakes.values, fakes.image_covariance + reals.image_covariance)


def over_runs(
    values: npt.ArrayLike,
    image_covariance: npt.ArrayLike,
    calibration: Array | None = None,
    *,
    share: bool = True,
) -> Interval:
    """Return the 95 % interval `[low, high]` of a statistic's mean, over runs and images.

    Args:
        values: the statistic of each run, `(S,)`.
        image_covariance: its covariance from drawing test images alone, `(S, S)`.
        calibration: what it would be with other calibration images, `(S, draws)`.
        share: whether the statistic lies in [0, 1]; the interval is then taken on the logit
            scale, and for calibration images on the arcsine scale, as they may move it from one end
            to the other. Otherwise it is a difference, and lies in [-1, 1].

    A hierarchical bootstrap (Davison and Hinkley 1997, section 3.8), runs first, then images.
    Runs are few, so the spread of resampled means is widened by sqrt(S / (S - 1)) and by the
    chance of a variance estimated from S runs, as Student's t does. Images that only one run
    answers need no second draw, as runs differ by them already; images that all runs share do.

    Raises `DataError` when shapes do not fit or something is not finite.

    >>> low, high = over_runs([0.70, 0.75, 0.80], np.diag([1e-4] * 3))
    >>> 0.5 < low < 0.7 and 0.8 < high < 0.9
    True
    """
    statistic = _checked(values, image_covariance, calibration)
    moved, recalibrated = _drawn(statistic)
    centre = statistic.mean
    if not share:
        low, high = np.quantile(moved + recalibrated, TAILS)
        return [float(max(centre - high, -1.0)), float(min(centre - low, 1.0))]
    # Near 0 and 1 the slope is taken as far inside as the mean may lie off: at the edge itself
    # the interval would be everything.
    ends = np.quantile(moved, TAILS)
    reach = float(np.clip(np.abs(ends).max(), 1e-6, 0.5))
    inside = float(np.clip(centre, reach, 1 - reach))
    near = expit(logit(inside) - (ends if calibration is None else moved) / (inside * (1 - inside)))
    below = near * min(centre / inside, 1.0)
    above = 1 - (1 - near) * min((1 - centre) / (1 - inside), 1.0)
    shares = np.where(near < inside, below, above)
    if calibration is not None:
        usual = calibration.mean()
        turned = _turned(shares) - _turned(usual + recalibrated) + _turned(usual)
        shares = np.sin(np.clip(np.quantile(turned, TAILS), 0.0, np.pi / 2)) ** 2
    return [float(min(shares.min(), centre)), float(max(shares.max(), centre))]


def with_interval(statistic: Statistic, of_images: Interval) -> dict[str, Any]:
    """``ci95`` of a share or AUROC, and what it ``covers``.

    ``of_images`` is the interval of one run over test images, where that is all there is to cover.
    """
    alone = len(statistic.values) == 1 and statistic.calibration is None
    return {"ci95": of_images if alone else statistic.ci95(), "covers": statistic.covers}


def p_value(statistic: Statistic) -> float:
    """Two-sided p-value of the hypothesis that a difference is 0, from the same draws."""
    far = np.abs(deviations(statistic)) >= abs(statistic.mean)
    return float((1 + np.count_nonzero(far)) / (1 + len(far)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm, Scandinavian Journal of Statistics 6, 1979).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    ascending = np.asarray(p_values, float)[order]
    steps = np.maximum.accumulate(ascending * np.arange(len(order), 0, -1))
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(steps, 1.0)
    return [float(value) for value in corrected]


def deviations(statistic: Statistic) -> Array:
    """Draw how far the mean of as many other runs, on other images, would lie off, `(DRAWS,)`.

    The stream is fixed, so equal numbers give equal intervals.
    """
    moved, recalibrated = _drawn(statistic)
    return moved + recalibrated


def _drawn(statistic: Statistic) -> tuple[Array, Array]:
    """The same in two parts: what runs and test images move, and what calibration images do."""
    values, of_test = statistic.values, statistic.image_covariance
    covariance, runs = of_test, len(values)
    chance = _chance(runs)
    recalibrated: Array = np.zeros(DRAWS)
    if statistic.calibration is not None:
        covariance = covariance + np.atleast_2d(np.cov(statistic.calibration))
        recalibrated = _shared_draws(statistic.calibration)
    if runs == 1:
        return chance.images * np.sqrt(of_test[0, 0]), recalibrated
    # Resample runs, and widen for their small number.
    chosen: Array = chance.chosen @ (values - values.mean())
    if np.ptp(values) < 1e-12:  # equal runs: what is left is the chance of their own images
        chosen = chance.own * np.sqrt(np.trace(covariance)) / runs
    chosen = chosen * chance.widened
    # Draw what the runs share because they answered the same images, or were calibrated on them.
    return chosen + chance.images * np.sqrt(_shared(of_test)), recalibrated


def _turned(shares: npt.ArrayLike) -> Array:
    return np.asarray(np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))), np.float64)


class _Chance(NamedTuple):
    """The same draws for every statistic of as many runs."""

    chosen: Array  # how much each run counts, (DRAWS, S)
    widened: Array  # as Student's t is wider than the normal distribution, (DRAWS,)
    own: Array  # of normal chance, (DRAWS,)
    images: Array


@lru_cache
def _chance(runs: int) -> _Chance:
    rng = np.random.default_rng([runs, DRAWS])
    own, images = rng.standard_normal((2, DRAWS))
    if runs == 1:
        return _Chance(np.ones((DRAWS, 1)), np.ones(DRAWS), own, images)
    chosen = rng.multinomial(runs, np.full(runs, 1 / runs), DRAWS) / runs
    widened = np.sqrt(runs / rng.chisquare(runs - 1, DRAWS))
    return _Chance(chosen, widened, own, images)


def _shared(covariance: Array) -> float:
    """The mean off the diagonal: what does not average out, however many the runs."""
    runs = len(covariance)
    return max(float(covariance.sum() - np.trace(covariance)) / (runs * (runs - 1)), 0.0)


def _shared_draws(calibration: Array) -> Array:
    """How far what runs share of their calibration images moves the mean, around 0, `(DRAWS,)`."""
    mean = np.resize(calibration.mean(axis=0) - calibration.mean(), DRAWS)
    if len(calibration) == 1:
        return mean
    whole = float(mean.var())
    return mean * np.sqrt(_shared(np.cov(calibration)) / whole) if whole > 0 else mean


def _checked(
    values: npt.ArrayLike, image_covariance: npt.ArrayLike, calibration: Array | None
) -> Statistic:
    of_runs = np.atleast_1d(np.asarray(values, float))
    covariance = np.atleast_2d(np.asarray(image_covariance, float))
    runs = len(of_runs)
    if not runs or covariance.shape != (runs, runs):
        raise DataError(
            f"{runs} value(s) and a covariance of shape {covariance.shape} were "
            "given; expected one value for each run, at least one, and a covariance (S, S)"
        )
    if not (np.isfinite(of_runs).all() and np.isfinite(covariance).all()):
        raise DataError("a statistic of some run is not finite; score that detector again")
    return Statistic(of_runs, covariance, calibration)
