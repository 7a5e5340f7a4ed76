"""Where to cut: the native threshold, and one chosen on reals that no test group contains."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gandetect.errors import DataError, UsageError

NATIVE_THRESHOLD = 0.0
OPERATING_POINTS = ("native", "calibrated")


def calibrate(calibration_scores: npt.ArrayLike, fpr: float) -> float:
    """Return the smallest threshold that at most a share `fpr` of calibration reals exceed.

    An image is called generated if and only if its score is greater than the threshold, so ties at
    the threshold count as real and the share is never above `fpr`, only below it.

    Args:
        calibration_scores: log-odds of real images, `(N,)`, none of them in a test group.
        fpr: allowed share of reals called generated, 0 <= fpr < 1.

    Raises `DataError` for no scores or scores that are not finite, `UsageError` for `fpr`.

    >>> calibrate([-3.0, -2.0, -1.0, 0.5], fpr=0.25)
    -1.0
    """
    if not 0.0 <= fpr < 1.0:
        raise UsageError(f"fpr is {fpr}; expected a share of reals, 0 <= fpr < 1")
    scores = np.asarray(calibration_scores, dtype=np.float64).ravel()
    if scores.size == 0:
        raise DataError("there are no calibration scores; the calibration reals must be scored")
    if not np.isfinite(scores).all():
        raise DataError("some calibration scores are not finite; score that detector again")
    above = _most_allowed_above(scores.size, fpr)
    # The (above + 1)-th largest: any lower cut would let one more real through.
    position = scores.size - 1 - above
    return float(np.partition(scores, position)[position])


def _most_allowed_above(n: int, fpr: float) -> int:
    """Largest k with k / n <= fpr, as floats compare (0.29 * 100 is 28.999… in binary)."""
    k = math.floor(fpr * n)
    if (k + 1) / n <= fpr:
        k += 1
    elif k / n > fpr:
        k -= 1
    return min(k, n - 1)
