"""What a detector can do whatever the threshold: AUROC and its relatives, on raw log-odds.

The positive class is `generated`. Log-odds are never squashed to probabilities first: a sigmoid
saturates, and ties that it makes would change every figure here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_curve, roc_curve

from gandetect.errors import DataError
from gandetect.statistics.intervals import Interval, wilson
from gandetect.statistics.scores import Scores

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Curves:
    """ROC and precision-recall curves; all arrays are shares, `(K,)` float64."""

    fpr: Scores
    tpr: Scores
    recall: Scores
    precision: Scores


def pair_metrics(generated: Scores, real: Scores) -> dict[str, Any]:
    """Threshold-free figures of one generated source against one real source, `(N,)` and `(M,)`.

    `fpr_at_95_tpr` is the smallest share of reals flagged by a cut that catches at least 95 % of
    the generated, `tpr_at_5_fpr` the largest share caught by a cut that flags at most 5 % of the
    reals; neither interpolates. Average precision depends on the mix of the two groups.
    """
    area, interval = auroc(generated, real)
    cuts = np.unique(np.concatenate([generated, real]))
    # From the lowest cut, which flags everything, to one above all scores.
    caught, flagged = (
        np.append(len(scores) - np.searchsorted(np.sort(scores), cuts), 0)
        for scores in (generated, real)
    )
    tpr, fpr = caught / len(generated), flagged / len(real)
    precision = caught[:-1] / (caught[:-1] + flagged[:-1])
    return {
        "auroc": area,
        "average_precision": max(0.0, float(-np.sum(np.diff(tpr) * precision))),
        "fpr_at_95_tpr": float(fpr[tpr >= 0.95].min()),
        "tpr_at_5_fpr": float(tpr[fpr <= 0.05].max()),
        "n_generated": len(generated),
        "n_real": len(real),
        "ci95": {"auroc": interval},
    }


def auroc(generated: Scores, real: Scores) -> tuple[float, Interval]:
    """Area under the ROC curve and its 95 % interval, from scores `(N,)` and `(M,)`.

    The area is the chance that a generated image outscores a real one, ties counting half. Its
    variance is DeLong's (DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988) with midranks (Sun
    and Xu, IEEE Signal Processing Letters 21, 2014); the interval is taken on the logit scale, so
    that it stays in [0, 1]. Where that variance is zero the areas of single images say nothing
    of chance; a Wilson interval on the smaller group stands in for it.
    """
    above_reals, below_fakes = placements(generated, real)
    area = float(np.clip(above_reals.mean(), 0.0, 1.0))
    variance = _variance_of_mean(above_reals) + _variance_of_mean(below_fakes)
    if variance == 0.0 or not 0.0 < area < 1.0:
        smaller = min(len(generated), len(real))
        return area, wilson(round(area * smaller), smaller)
    centre = math.log(area / (1.0 - area))
    spread = Z95 * math.sqrt(variance) / (area * (1.0 - area))
    return area, [_sigmoid(centre - spread), _sigmoid(centre + spread)]


def placements(generated: Scores, real: Scores) -> tuple[Scores, Scores]:
    """Return the share of reals below each fake `(N,)`, and of fakes above each real `(M,)`.

    Ties count half. The mean of either is the AUROC, and their variances are DeLong's.
    """
    _joined(generated, real)
    return _share_below(generated, real), 1.0 - _share_below(real, generated)


def _share_below(scores: Scores, others: Scores) -> Scores:
    """The share of other scores below each score `(N,)`, ties counting half."""
    ascending = np.sort(others)
    left, right = (np.searchsorted(ascending, scores, side) for side in ("left", "right"))
    return np.asarray((left + right) / 2 / len(others), np.float64)


def curves(generated: Scores, real: Scores) -> Curves:
    """ROC and precision-recall curves of one generated against one real source, for drawing."""
    labels, scores = _joined(generated, real)
    fpr, tpr, _ = roc_curve(labels, scores)
    precision, recall, _ = precision_recall_curve(labels, scores, drop_intermediate=True)
    return Curves(fpr=fpr, tpr=tpr, recall=recall, precision=precision)


def _joined(generated: Scores, real: Scores) -> tuple[npt.NDArray[np.int64], Scores]:
    if len(generated) == 0 or len(real) == 0:
        raise DataError(
            f"{len(generated)} generated and {len(real)} real scores were given; "
            "a pair needs at least one of each"
        )
    labels = np.repeat(np.array([1, 0]), [len(generated), len(real)])
    return labels, np.concatenate([generated, real])


def _variance_of_mean(values: Scores) -> float:
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0


def _sigmoid(x: float) -> float:
    # exp never overflows in this form, however far the logit lies.
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))
