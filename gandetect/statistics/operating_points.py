"""Where to cut: at the native threshold, or at one chosen on images that no test group contains."""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv

from gandetect.errors import DataError, UsageError
from gandetect.statistics.scores import Scores

NATIVE_THRESHOLD = 0.0
OPERATING_POINTS = ("native", "calibrated", "youden")
# False positive rates whose cuts are kept with a detector.
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8)


def calibrate(
    calibration_scores: npt.ArrayLike, fpr: float, confidence: float | None = None
) -> float | None:
    """Return the lowest threshold that a new real exceeds with probability at most `fpr`.

    Split-conformal: of n calibration scores the `conformal_rank`-th smallest (Vovk, Gammerman and
    Shafer, 2005; Angelopoulos and Bates, arXiv 2107.07511). It holds for any detector as long
    as the new real is drawn like the calibration reals. None where n is below `least_images`.
    An image is called generated if and only if its score is greater than the threshold, so ties at
    the threshold count as real.

    Args:
        calibration_scores: log-odds of real images, `(N,)`, none of them in a test group.
        fpr: allowed share of reals called generated, 0 < fpr < 1.
        confidence: how sure it has to be that no more than `fpr` of all new reals are flagged,
            0 < confidence < 1; by default that is so on average over calibration reals.

    Raises `DataError` for no scores or scores that are not finite, `UsageError` for `fpr` and
    `confidence`.

    >>> calibrate([-3.0, -2.0, -1.0, 0.5], fpr=0.4), calibrate([-3.0, -2.0, -1.0, 0.5], fpr=0.1)
    (-1.0, None)
    """
    scores = np.asarray(calibration_scores, dtype=np.float64).ravel()
    if scores.size == 0:
        raise DataError("there are no calibration scores; the calibration reals must be scored")
    if not np.isfinite(scores).all():
        raise DataError("some calibration scores are not finite; score that detector again")
    rank = conformal_rank(scores.size, fpr, confidence)
    return None if rank is None else float(np.partition(scores, rank - 1)[rank - 1])


def cuts_by_rate(calibration_scores: npt.ArrayLike) -> dict[str, float]:
    """The cut of `calibrate` at each of `RATES` that the calibration reals allow, by the rate.

    >>> cuts_by_rate([-3.0, -2.0, -1.0, 0.5])
    {'0.2': 0.5, '0.25': 0.5, '0.3': 0.5, '0.4': -1.0, '0.5': -1.0, '0.6': -2.0, '0.8': -3.0}
    """
    cuts = {f"{rate:g}": calibrate(calibration_scores, rate) for rate in RATES}
    return {rate: cut for rate, cut in cuts.items() if cut is not None}


def conformal_rank(n: int, fpr: float, confidence: float | None = None) -> int | None:
    """Which of n calibration scores, smallest first, is the cut; None where n is too small.

    That is ceil((1 - fpr)(n + 1)), with (n + 1 - rank) / (n + 1) <= fpr as floats compare: 0.29 is
    29 of 100, while 0.29 * 100 is 28.999… in binary. With `confidence` it is the smallest rank at
    which the share above the cut, Beta(n + 1 - rank, rank) over draws of calibration reals, is at
    most `fpr` with that probability: a tolerance bound (Wilks, Annals of Mathematical Statistics
    12, 1941; Vovk, ACML 2012).

    >>> conformal_rank(99, 0.05), conformal_rank(99, 0.29), conformal_rank(18, 0.05)
    (95, 71, None)
    >>> conformal_rank(58, 0.05, 0.95), conformal_rank(59, 0.05, 0.95)
    (None, 59)
    """
    _check_share("fpr", fpr)
    if confidence is not None:
        _check_share("confidence", confidence)
        # P(Beta(above + 1, n - above) <= fpr) = 1 - P(Binomial(n, fpr) <= above)
        doubt = 1 - confidence
        enough = bisect_right(range(n), doubt, key=lambda above: float(bdtr(above, n, fpr)))
        return n + 1 - enough if enough else None
    above = math.floor(fpr * (n + 1))
    while (above + 1) / (n + 1) <= fpr:
        above += 1
    while above / (n + 1) > fpr:
        above -= 1
    return n + 1 - above if above > 0 else None


def least_images(fpr: float, confidence: float | None = None) -> int:
    """How many calibration reals `calibrate` needs, at least.

    1 / fpr - 1, or with a confidence log(1 - confidence) / log(1 - fpr), rounded up.

    >>> least_images(0.05), least_images(0.001), least_images(0.05, 0.95)
    (19, 999, 59)
    """
    _check_share("fpr", fpr)
    about = 1 / fpr - 1 if confidence is None else math.log1p(-confidence) / math.log1p(-fpr)
    n = max(math.ceil(about) - 1, 1)
    while conformal_rank(n, fpr, confidence) is None:
        n += 1
    return n


def flagged_at_most(n: int, rank: int, confidence: float = 0.95) -> float:
    """The share of all new reals above the rank-th smallest of n scores, at most, so surely.

    The quantile of Beta(n + 1 - rank, rank), which is Clopper and Pearson's upper bound (Biometrika
    26, 1934) for n - rank of n. Scores that tie only lower the share; above all n lies nothing.

    >>> round(flagged_at_most(100, 96), 4), round(flagged_at_most(7000, 6651), 4)
    (0.0892, 0.0543)
    """
    return float(betaincinv(n + 1 - rank, rank, confidence)) if rank <= n else 0.0


def youden(generated: npt.ArrayLike, real: npt.ArrayLike) -> float:
    """Return the threshold that makes (share of fakes caught - share of reals flagged) largest.

    Youden, Cancer 3, 1950. It lies midway between two scores; of several equally good cuts the
    highest is taken, which flags the fewest reals. Give it scores of *validation* images,
    `(N,)` and `(M,)`: on test images it would be an upper bound, not an operating point.

    Raises `DataError` when one side has no scores.

    >>> youden(generated=[0.5, 2.0, 3.0], real=[-1.0, 0.0, 1.0])
    1.5
    """
    fakes, reals = _both_kinds(generated, real)
    return float(best_cuts(fakes[None], reals)[0])


def oracle(generated: npt.ArrayLike, real: npt.ArrayLike) -> tuple[float, float]:
    """The threshold that answers most images correctly, and the share that it does.

    Chosen on the images that it is judged by, so it is an upper bound that nobody can attain.
    """
    fakes, reals = _both_kinds(generated, real)
    cut = float(best_cuts(fakes[None], reals, (fakes.size, reals.size))[0])
    right = np.count_nonzero(fakes > cut) + np.count_nonzero(reals <= cut)
    return cut, float(right / (fakes.size + reals.size))


def best_cuts(fakes: Scores, reals: Scores, weights: tuple[float, float] = (1.0, 1.0)) -> Scores:
    """The best cut of every row of fakes against the same reals, `(R, K)` and `(M,)` to `(R,)`.

    Best is the largest weighted sum of the share of fakes above and the share of reals not above;
    with equal weights that is `youden`, row by row. The highest of several equally good cuts is
    taken, midway between two scores. Between two fakes a higher cut is never worse, so only the
    cuts right below a fake and the one above everything need to be tried.
    """
    fakes, reals = np.sort(fakes, axis=1), np.sort(reals)
    rows, k = fakes.shape
    of_fakes, of_reals = weights
    below = np.searchsorted(reals, fakes, side="left")  # (R, K) reals that pass under each fake
    gain = of_fakes * (1 - np.arange(k) / k) + of_reals * below / len(reals)
    gain = np.concatenate([gain, np.full((rows, 1), of_reals)], axis=1)
    good = gain >= gain.max(axis=1, keepdims=True) - 1e-12 * max(of_fakes + of_reals, 1.0)
    best = k - np.argmax(good[:, ::-1], axis=1)
    inside = np.minimum(best, k - 1)
    every = np.arange(rows)
    top = fakes[every, inside]
    under_fake = np.where(inside > 0, fakes[every, inside - 1], -np.inf)
    n_below = below[every, inside]
    under_real = np.where(n_below > 0, reals[n_below - 1], -np.inf)
    under = np.maximum(under_fake, under_real)
    lowest = np.isneginf(under)
    middle = (top + np.where(lowest, top, under)) / 2
    cut = np.where(middle < top, middle, np.maximum(under, np.nextafter(top, -np.inf)))
    above = np.nextafter(np.maximum(fakes[:, -1], reals[-1]), np.inf)
    return np.asarray(np.where(best == k, above, cut), np.float64)


def _both_kinds(generated: npt.ArrayLike, real: npt.ArrayLike) -> tuple[Scores, Scores]:
    fakes, reals = np.asarray(generated, np.float64), np.asarray(real, np.float64)
    if not fakes.size or not reals.size:
        raise DataError(
            f"{fakes.size} generated and {reals.size} real scores were given; choosing a "
            "threshold needs at least one of each"
        )
    return fakes, reals


def _check_share(name: str, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise UsageError(f"{name} is {share}; expected a share, 0 < {name} < 1")
