"""Intervals for shares. They cover the chance of drawing these images, and nothing else."""

from __future__ import annotations

import math
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
    (a_low, a_high), (b_low, b_high) = wilson(first, n_first), wilson(second, n_second)
    below = math.hypot(a - a_low, b_high - b)
    above = math.hypot(a_high - a, b - b_low)
    return [a - b - below, a - b + above]
