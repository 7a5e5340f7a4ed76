"""Can something trivial tell real from generated? Then a detector may have learnt only that.

Each probe is a small model on a few numbers of each image, judged on images that it was not
fitted to. The positive class is `generated`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist, fmean
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from gandetect.analyses.audit.probes import BETWEEN, Features, as_levels, probe_features
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.errors import DataError, UsageError
from gandetect.statistics.intervals import Interval, wilson
from gandetect.statistics.ranking import placements
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scores import Metrics, Scores

ALARM = 0.6  # a probe must reach this AUROC to be worth a warning
SURELY = 0.55  # and be above this one beyond chance
LEAST_IMAGES = 25  # of each kind


def numbers(study: ScoredStudy) -> Metrics:
    """``audit``: its rows, which its stage computed from the images."""
    return {"audit": list(study.audit)}


def tidy_rows(metrics: Metrics) -> Iterator[Row]:
    """The AUROC of each probe."""
    for row in metrics["audit"]:
        counted = {"source": row["source"], "n": row["n_real"] + row["n_generated"]}
        yield tidy_row("audit", counted, row["probe"], row["auroc"], row["ci95"],
                       source_seed=row.get("seed"))  # fmt: skip


@dataclass(frozen=True)
class ProbeResult:
    """How well one probe tells generated from real images that it was not fitted to."""

    probe: str
    auroc: float
    ci95: Interval
    n_real: int
    n_generated: int
    warning: bool


def audit_arrays(
    real: npt.NDArray[Any], generated: npt.NDArray[Any], *, folds: int = 5, seed: int = 0
) -> list[ProbeResult]:
    """Audit two arrays of images, `(N, C, H, W)` and `(M, C, H, W)`, uint8 or floats.

    With floats on either side there is one more probe, "values between grey levels"; for all
    others floats are rounded to grey levels first. Raises `DataError` for arrays that hold no
    such images, for unlike channels, and for fewer than 25 images on a side.
    """
    sides = []
    for images in (real, generated):
        levels, between = as_levels(images)
        features = probe_features(levels)
        if real.dtype != np.uint8 or generated.dtype != np.uint8:
            features[BETWEEN] = between
        sides.append(features)
    return audit(*sides, folds=folds, seed=seed)


def audit(
    real: Features, generated: Features, *, folds: int = 5, seed: int = 0
) -> list[ProbeResult]:
    """Measure how well each probe tells generated from real.

    Stratified folds; each fold is scored by a model fitted to the others. The AUROC is the mean of
    the folds' AUROCs, since scores of two models have no common scale. Its interval is taken on
    the logit scale, from DeLong's variance of each fold (LeDell, Petersen and van der Laan,
    Electronic Journal of Statistics 9, 2015), enlarged for what the fitted models share (Nadeau
    and Bengio, Machine Learning 52, 2003): without that, 15 % of intervals miss 0.5 on clean
    splits of Fashion-MNIST.

    A probe is a warning when its AUROC is above 0.6 and the lower bound of its interval above
    0.55, where that interval is made so wide that of all probes of one audit of equal images
    none is a warning with a probability of at least 95 % (Bonferroni).

    Args:
        real, generated: by probe, `(N, K)` and `(M, K)` finite numbers.
        folds: at least 2.
        seed: chooses the folds and nothing else.

    Raises `DataError` for unlike probes, numbers that are not finite and fewer than 25 images on a
    side, `UsageError` for ``folds``.
    """
    _validate(real, generated, folds)
    with threadpool_limits(1):  # beside other work, boosted trees on many threads only wait
        return [_audit(name, real[name], generated[name], folds, seed, len(real)) for name in real]


def rows(
    results: Iterable[ProbeResult], source: str, seed: int | None = None
) -> list[dict[str, Any]]:
    """Results as rows of `metrics["audit"]`: with the generated source, and the GAN's seed."""
    of = {"source": source} if seed is None else {"source": source, "seed": seed}
    return [{**asdict(result), **of} for result in results]


def warnings_of(audited: Sequence[Row]) -> list[str]:
    """One sentence for each source and probe that is a warning; its seeds are counted in it."""
    return [
        _sentence(source, probe, rows)
        for (source, probe), rows in grouped(audited, "source", "probe").items()
        if any(row["warning"] for row in rows)
    ]


def _sentence(source: str, probe: str, group: Sequence[Mapping[str, Any]]) -> str:
    area = fmean(row["auroc"] for row in group)
    hits = sum(row["warning"] for row in group)
    runs = f" (mean of {len(group)} runs; a warning in {hits})" if len(group) > 1 else ""
    maker = source.removeprefix("generated:")
    return (
        f"The probe “{probe}” alone tells fakes of {maker} from real images with an AUROC of "
        f"{area:.3f}{runs}: a detector may have learnt that instead of the pictures."
    )


def _validate(real: Features, generated: Features, folds: int) -> None:
    if folds < 2:
        raise UsageError(f"folds is {folds}; expected at least 2")
    if set(real) != set(generated) or not real:
        raise DataError(
            f"the real images have the probes {', '.join(real) or 'none'}, the generated "
            f"{', '.join(generated) or 'none'}; expected the same ones"
        )
    for name, values in real.items():
        n, m = len(values), len(generated[name])
        if min(n, m) < max(LEAST_IMAGES, 5 * folds):
            raise DataError(
                f"{n} real and {m} generated images were given; an audit in {folds} folds needs "
                f"at least {max(LEAST_IMAGES, 5 * folds)} of each"
            )
        if values.shape[1] != generated[name].shape[1]:
            raise DataError(
                f"of the real images the probe {name!r} has {values.shape[1]} numbers, of the "
                f"generated {generated[name].shape[1]}; give images with equally many channels"
            )
        if not (np.isfinite(values).all() and np.isfinite(generated[name]).all()):
            raise DataError(f"the probe {name!r} has numbers that are not finite; give finite ones")


def _audit(
    name: str, real: Scores, generated: Scores, folds: int, seed: int, probes: int
) -> ProbeResult:
    labels = np.repeat(np.array([1, 0]), [len(generated), len(real)])
    smaller = min(len(real), len(generated))
    areas, variances = [], []
    for above, below in _placements(np.concatenate([generated, real]), labels, folds, seed):
        areas.append(above.mean())
        variances.append(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)
    area = float(np.clip(np.mean(areas), 0.0, 1.0))
    # Any two folds' models share most of the images that they were fitted to.
    shared = 1 + folds / (folds - 1)
    error = math.sqrt(shared * np.mean(variances) / folds)
    # One side of the interval alone can make a warning; all of it is left to that side.
    low = _interval(area, error, smaller, level=0.05 / probes)[0]
    return ProbeResult(
        probe=name,
        auroc=area,
        ci95=_interval(area, error, smaller, level=0.025),
        n_real=len(real),
        n_generated=len(generated),
        warning=bool(area > ALARM and low > SURELY),
    )


def _placements(
    features: Scores, labels: npt.NDArray[np.int64], folds: int, seed: int
) -> Iterable[tuple[Scores, Scores]]:
    """Yield of each fold the share of reals below each fake, and of fakes above each real."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in split.split(features, labels):
        # Boosted shallow trees: a single missing grey level among 256 is one cut to them, and
        # neither scales nor outliers matter. Without a part set aside, nothing is left to chance.
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=6, learning_rate=0.15, early_stopping=False
        )
        model.fit(features[train], labels[train])
        scores = model.decision_function(features[test])
        fakes, reals = scores[labels[test] == 1], scores[labels[test] == 0]
        yield placements(fakes, reals)


def _interval(area: float, error: float, smaller: int, level: float) -> Interval:
    """Interval with a share ``level`` beyond either bound; Wilson's where there is no variance."""
    if error == 0.0 or not 0.0 < area < 1.0:
        return wilson(round(area * smaller), smaller)
    centre = math.log(area / (1 - area))
    spread = NormalDist().inv_cdf(1 - level) * error / (area * (1 - area))
    return [1 / (1 + math.exp(-bound)) for bound in (centre - spread, centre + spread)]
