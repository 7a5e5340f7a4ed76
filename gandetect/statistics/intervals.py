"""Intervals for shares. They cover the chance of drawing these images, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from scipy.special import ndtri

from gandetect.errors import DataError

Interval: TypeAlias = list[float]
Z = float(ndtri(0.975))


def wilson(successes: int, n: int) -> Interval:
    """95 % score interval of a share, `[low, high]` (Wilson 1927, without continuity correction).

    Raises `DataError` when n is 0.

    >>> [round(bound, 3) for bound in wilson(81, 100)]
    [0.722, 0.875]
    """
    if n < 1:
        raise DataError("the share of an empty group is not defined; the group has no images")
    # Written out: SciPy's `binomtest` also works out a p-value, and a report asks thousands of
    # times.
    centre = (successes + Z**2 / 2) / (n + Z**2)
    reach = Z / (n + Z**2) * math.sqrt(successes * (n - successes) / n + Z**2 / 4)
    # At 0 or n successes rounding may leave the bound a hair off the share itself.
    low = 0.0 if successes == 0 else centre - reach
    high = 1.0 if successes == n else centre + reach
    return [low, high]


def difference(first: int, n_first: int, second: int, n_second: int) -> Interval:
    """95 % interval of a difference of two independent shares, first minus second.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10): it combines
    the two Wilson intervals, so it stays within [-1, 1] and is no point at shares of 0 or 1.
    """
    a, b = first / n_first, second / n_second
    return square_and_add(b, wilson(second, n_second), a, wilson(first, n_first))


def square_and_add(
    baseline: float, baseline_ci95: Sequence[float], other: float, other_ci95: Sequence[float]
) -> Interval:
    """95 % interval of a difference, other minus baseline, from the 95 % intervals of the two.

    The distances from each figure to its own bounds are squared and added. For shares with Wilson
    intervals this is Newcombe's method 10 (Statistics in Medicine 17, 1998); for any two
    independent estimates it is MOVER (Zou and Donner, Statistics in Medicine 27, 2008). Estimates
    that chance moves together, such as answers to the same images, differ less than it allows for.

    >>> [round(bound, 3) for bound in square_and_add(0.6, [0.49, 0.70], 0.8, [0.69, 0.88])]
    [0.051, 0.336]
    """
    (low, high), (other_low, other_high) = baseline_ci95, other_ci95
    difference = other - baseline
    below = math.hypot(other - other_low, high - baseline)
    above = math.hypot(other_high - other, baseline - low)
    return [difference - below, difference + above]
