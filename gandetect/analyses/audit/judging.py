"""How well a small model on a few numbers of each image tells generated from real images.

It is judged on images that it was not fitted to. The positive class is `generated`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from gandetect.analyses.audit.positions import CHOSEN, contrast
from gandetect.analyses.audit.probes import PIXELS, POSITION, Features
from gandetect.errors import DataError, UsageError
from gandetect.statistics.intervals import Interval, wilson
from gandetect.statistics.ranking import placements

Numbers = npt.NDArray[Any]
Parts = Sequence[tuple[Numbers, Numbers]]  # rows to fit to and to judge on, of every fold

ALARM = 0.6  # a probe must reach this AUROC to be worth a warning
SURELY = 0.55  # and be above this one beyond chance
LEAST_IMAGES = 25  # different ones, of each kind
RIDGE = 0.4  # the penalty on weights of standardised numbers, for each image fitted to
FALSE_ALARMS = 0.05  # share of audits of equal images that may have a warning


@dataclass(frozen=True)
class ProbeResult:
    """How well one probe tells generated from real images that it was not fitted to.

    ``where`` names what a probe of positions saw, if it is a warning.
    """

    probe: str
    auroc: float
    ci95: Interval
    n_real: int
    n_generated: int
    warning: bool
    where: str = ""


def audit(
    real: Features,
    generated: Features,
    *,
    groups: Numbers | None = None,
    others: int = 0,
    folds: int = 5,
    seed: int = 0,
) -> list[ProbeResult]:
    """Measure how well each probe tells generated from real.

    Stratified folds, which keep groups whole; each fold is scored by a model fitted to the others.
    The AUROC is the mean of the folds' AUROCs, since scores of two models have no common scale.
    Its interval is taken on the logit scale, from DeLong's variance of each fold (LeDell, Petersen
    and van der Laan, Electronic Journal of Statistics 9, 2015), enlarged for what the fitted models
    share (Nadeau and Bengio, Machine Learning 52, 2003): without that, 15 % of intervals miss 0.5
    on clean splits of Fashion-MNIST.

    A probe is a warning when its AUROC is above 0.6 and the lower bound of its interval above
    0.55, where that interval is made so wide that of all probes of one audit of equal images
    none is a warning with a probability of at least 95 % (Bonferroni).

    Args:
        real, generated: by probe, `(N, K)` and `(M, K)` finite numbers.
        groups: of the real images and then the generated ones, `(N + M,)`; equal numbers are
            copies. By default there are none.
        others: how many probes of the same audit are judged elsewhere.
        folds: at least 2.
        seed: chooses the folds and nothing else.

    Raises `DataError` for unlike probes, numbers that are not finite and fewer than 25 images on a
    side, `UsageError` for ``folds``.
    """
    _validate(real, generated, folds)
    labels = np.repeat([0, 1], [len(next(iter(side.values()))) for side in (real, generated)])
    parts = _folds(labels, groups, folds, seed)
    level = FALSE_ALARMS / (len(real) + others)
    with threadpool_limits(1):  # beside other work, boosted trees on many threads only wait
        return [
            _audit(name, np.concatenate([real[name], generated[name]]), labels, parts, level)
            for name in real
        ]


def _folds(labels: Numbers, groups: Numbers | None, folds: int, seed: int) -> Parts:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if groups is None or len(np.unique(groups)) == len(groups):  # much slower where it is no use
        return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(splitter.split(labels, labels, groups))


def _model(probe: str, rows: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import
    from sklearn.feature_selection import SelectKBest
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if probe == POSITION:
        return make_pipeline(StandardScaler(), RidgeClassifier(RIDGE * rows, solver="lsqr"))
    # Boosted shallow trees: a single missing grey level among 256 is one cut to them, and
    # neither scales nor outliers matter. Without a part set aside, nothing is left to chance.
    trees = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=6, learning_rate=0.15, early_stopping=False
    )
    return make_pipeline(SelectKBest(contrast, k=CHOSEN), trees) if probe == PIXELS else trees


def _validate(real: Features, generated: Features, folds: int) -> None:
    if folds < 2:
        raise UsageError(f"folds is {folds}; expected at least 2")
    if set(real) != set(generated) or not real:
        raise DataError(
            f"the real images have the probes {', '.join(real) or 'none'}, the generated "
            f"{', '.join(generated) or 'none'}; expected the same ones"
        )
    least = max(LEAST_IMAGES, 5 * folds)
    for name, values in real.items():
        (n, width), (m, other) = values.shape, generated[name].shape
        if min(n, m) < least:
            raise DataError(
                f"there are {n} different real and {m} different generated images; an audit in "
                f"{folds} folds needs at least {least} of each"
            )
        if width != other:
            raise DataError(
                f"of the real images the probe {name!r} has {width} numbers, of the "
                f"generated {other}; give images with equally many channels"
            )
        if not (np.isfinite(values).all() and np.isfinite(generated[name]).all()):
            raise DataError(f"the probe {name!r} has numbers that are not finite; give finite ones")


def _audit(
    name: str, features: Numbers, labels: Numbers, parts: Parts, level: float
) -> ProbeResult:
    counts = np.bincount(labels)
    smaller, folds = int(counts.min()), len(parts)
    areas, variances = [], []
    for above, below in _placements(name, features, labels, parts):
        areas.append(above.mean())
        variances.append(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)
    area = float(np.clip(np.mean(areas), 0.0, 1.0))
    # Any two folds' models share most of the images that they were fitted to.
    shared = 1 + folds / (folds - 1)
    error = math.sqrt(shared * np.mean(variances) / folds)
    # One side of the interval alone can make a warning; all of it is left to that side.
    low = _interval(area, error, smaller, level)[0]
    ci95, warning = _interval(area, error, smaller, level=0.025), area > ALARM and low > SURELY
    return ProbeResult(name, area, ci95, int(counts[0]), int(counts[1]), warning)


def _placements(
    probe: str, features: Numbers, labels: Numbers, parts: Parts
) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield of each fold the share of reals below each fake, and of fakes above each real."""
    for train, test in parts:
        model = _model(probe, len(train)).fit(features[train], labels[train])
        scores = model.decision_function(features[test])
        yield placements(scores[labels[test] == 1], scores[labels[test] == 0])


def _interval(area: float, error: float, smaller: int, level: float) -> Interval:
    """Interval with a share ``level`` beyond either bound; Wilson's where there is no variance."""
    if error == 0.0 or not 0.0 < area < 1.0:
        return wilson(round(area * smaller), smaller)
    centre = math.log(area / (1 - area))
    spread = NormalDist().inv_cdf(1 - level) * error / (area * (1 - area))
    return [1 / (1 + math.exp(-bound)) for bound in (centre - spread, centre + spread)]
