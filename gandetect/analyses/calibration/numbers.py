"""Are the scores probabilities? Maps fitted on calibration images, judged on test images.

Nothing is fitted on a test group. Both labels count alike, in fitting and in judging, however many
images each has: a probability is that of an upload which is as likely generated as real.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from gandetect.analyses.calibration.redrawn import Grouped, ece_interval
from gandetect.analyses.calibration.redrawn import maps as redrawn_maps
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.errors import UsageError
from gandetect.statistics.bootstrap import mean_over_images
from gandetect.statistics.detector_runs import alone
from gandetect.statistics.intervals import Interval, wilson
from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.redrawn import share_above
from gandetect.statistics.rows import Row, Rows
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    called,
    fitted_on,
    judged_pairs,
    large_groups,
    unfit,
)
from gandetect.statistics.scores import Metrics, Scores

LogOddsMap: TypeAlias = Callable[[Scores], Scores]

METHODS = ("none", "temperature", "platt", "isotonic")
BINS = 15
LOW_FPRS = (0.01, 0.05)
FEWEST_ABOVE = 5  # calibration reals that must lie above a cut for it to mean anything


def numbers(study: ScoredStudy) -> Metrics:
    """``calibration``, ``reliability`` (for drawing) and ``low_fpr``."""
    measures, curves, gaps = calibration(study.subjects)
    few, few_gaps = low_fpr(study.subjects)
    return {
        "calibration": measures,
        "reliability": curves,
        "low_fpr": few,
        "not_measured": {"calibration": gaps, "low_fpr": few_gaps},
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each measure of each method, and the shares called generated at low false positive rates."""
    for row in metrics["calibration"]:
        n = row["n_generated"] + row["n_real"]
        for measure in ("ece", "brier", "log_loss"):
            yield tidy_row("calibration", row, f"{row['method']}: {measure}", row[measure],
                           row.get(f"{measure}_ci95"), source=row["generated"],
                           real_source=row["real"], n=n)  # fmt: skip
    for row in metrics["low_fpr"]:
        name = f"called generated at {100 * row['fpr']:g} % FPR"
        yield tidy_row("low FPR", row, name, row["called"], row["ci95"])


def calibration(subjects: Sequence[ScoredDetector]) -> tuple[Rows, Rows, list[str]]:
    """Judge each method for each detector and pair of test groups.

    Own and other fakes stand against in-distribution reals, own fakes also against held-out ones.
    Returns the measures (`ece` with its interval over calibration and test images, `brier`,
    `log_loss`), the reliability curves for drawing, and a sentence for everything that could not
    be judged.
    """
    rows: Rows = []
    curves: Rows = []
    gaps: list[str] = []
    for subject in subjects:
        names = fitted_on(subject)
        why = unfit(subject)
        if names is None or why:
            gaps.append(f"{called(subject)}: {why}, so its scores could not be calibrated")
            continue
        fakes, reals = (subject.sources[name] for name in names)
        maps = {method: fit(method, fakes, reals) for method in METHODS}
        of = alone(subject)
        redrawn = Grouped([of.pooled(subject.seed, name) for name in names])
        again = {method: redrawn_maps(method, one, redrawn) for method, one in maps.items()}
        pairs, left_out = judged_pairs(subject, held_out_for=("own", "generated"))
        gaps += left_out
        for generated, real in pairs:
            about = {
                **subject.name,
                "generated": generated,
                "real": real,
                "role": subject.role(generated),
            }
            test = Grouped([of.tail(subject.seed, name) for name in (generated, real)])
            for method, to_log_odds in maps.items():
                sides = tuple(to_log_odds(subject.sources[name]) for name in (generated, real))
                curve = reliability(sides[0], sides[1])
                ece = expected_error(curve)
                interval = ece_interval(ece, to_log_odds, again[method], test, BINS)
                found = {"ece": ece, "ece_ci95": interval, **proper_scores(sides[0], sides[1])}
                rows.append({**about, "method": method, "fitted_on": list(names), **found})
                curves.append({**about, "method": method, **curve})
    return rows, curves, gaps


def low_fpr(
    subjects: Sequence[ScoredDetector], fprs: Sequence[float] = LOW_FPRS
) -> tuple[Rows, list[str]]:
    """What is caught and what is flagged when few reals may be flagged.

    A new real lies above the cut with probability `fpr` at most. Rows hold the share `called` of a
    test group that lies above it (fakes caught, or reals flagged) with its interval over
    calibration and test images. Fewer than 5 calibration reals above a cut: a gap, no row.
    """
    rows: Rows = []
    gaps: list[str] = []
    for subject in subjects:
        chosen_on = calibration_source(subject.sources)
        if chosen_on is None:
            gaps.append(f"{called(subject)}: no calibration reals were scored")
            continue
        reals = subject.sources[chosen_on]
        sources, left_out = large_groups(subject)
        gaps += left_out
        for fpr in fprs:
            if len(reals) * fpr < FEWEST_ABOVE:
                gaps.append(
                    f"{called(subject)}: a threshold that flags {100 * fpr:g} % needs at least "
                    f"{math.ceil(FEWEST_ABOVE / fpr):,} calibration reals to mean anything, and "
                    f"there are {len(reals):,}"
                )
                continue
            cut = calibrate(reals, fpr)
            assert cut is not None  # so few reals are named above
            point = {
                "fpr": fpr,
                "threshold": cut,
                "fitted_on": [chosen_on],
                "n_calibration": len(reals),
            }
            cuts = alone(subject).cuts_like(subject.seed, cut)
            rows += [
                {**subject.name, **point, "source": source, "role": subject.role(source)}
                | _share_above(subject.sources[source], cut, cuts)
                for source in sources
            ]
    return rows, gaps


def fit(method: str, generated: Scores, real: Scores) -> LogOddsMap:
    """Fit a map from raw log-odds to calibrated ones, on `(N,)` and `(M,)` calibration scores.

    ``none`` leaves them alone. ``temperature`` finds one positive scale (Guo et al., ICML 2017),
    ``platt`` a scale and a shift; both towards Platt's smoothed targets (Platt, 1999), so that
    they stay finite where the groups do not overlap. ``isotonic`` finds any map that never falls
    (Zadrozny and Elkan, KDD 2002), kept as far from 0 and 1 as the rarer label's count allows.
    """
    if method == "none":
        return lambda scores: scores
    if method == "temperature":
        return _temperature(generated, real)
    if method == "platt":
        return _platt(generated, real)
    if method == "isotonic":
        return _isotonic(generated, real)
    raise UsageError(f"method {method!r} is not known; expected: {', '.join(METHODS)}")


def proper_scores(generated: Scores, real: Scores) -> dict[str, Any]:
    """Brier score and log loss (nats) of calibrated log-odds, `(N,)` and `(M,)`.

    Always saying 50 % has Brier score 0.25 and log loss 0.693.
    """
    brier = (np.mean((1 - expit(generated)) ** 2) + np.mean(expit(real) ** 2)) / 2
    loss = (np.mean(np.logaddexp(0, -generated)) + np.mean(np.logaddexp(0, real))) / 2
    return {
        "brier": float(brier),
        "log_loss": float(loss),
        "n_generated": len(generated),
        "n_real": len(real),
    }


def expected_error(curve: Mapping[str, Any]) -> float:
    """ECE of a reliability curve: how far, on average, a probability is from what was so.

    With bins of equal mass (Naeini et al., AAAI 2015; Nixon et al., CVPR workshops 2019). In a
    sample it is never 0, not even of perfect probabilities.
    """
    predicted, observed, mass = (np.array(curve[k]) for k in ("predicted", "observed", "mass"))
    return float(np.sum(mass * np.abs(predicted - observed)))


def reliability(generated: Scores, real: Scores, bins: int = BINS) -> dict[str, Any]:
    """What was predicted and what was so, in bins of equal mass; both labels have mass 1/2.

    Equal probabilities share a bin, so the order of the images changes nothing. Returns lists,
    one entry a bin: `predicted` (mean probability), `observed` (share generated), its Wilson
    interval `ci95`, `mass` and `n`.
    """
    probability = expit(np.concatenate([generated, real]))
    sizes = [len(generated), len(real)]
    labels = np.repeat([1.0, 0.0], sizes)
    weights = np.repeat([0.5 / sizes[0], 0.5 / sizes[1]], sizes)
    _, position = np.unique(probability, return_inverse=True)
    mass = np.bincount(position, weights)
    middle = np.cumsum(mass) - mass / 2
    place = np.minimum((middle * bins).astype(int), bins - 1)[position]
    filled = np.unique(place)
    total, fakes, n, n_fakes = (
        np.bincount(place, weight, bins)[filled]
        for weight in (weights, weights * labels, None, labels)
    )
    predicted = np.bincount(place, weights * probability, bins)[filled] / total
    return {
        "predicted": predicted.tolist(),
        "observed": (fakes / total).tolist(),
        "ci95": [_reweighted(int(f), int(k), sizes) for f, k in zip(n_fakes, n, strict=True)],
        "mass": total.tolist(),
        "n": n.astype(int).tolist(),
    }


def _share_above(scores: Scores, cut: float, cuts: Scores | None) -> dict[str, Any]:
    found = mean_over_images([(scores > cut).astype(float)], same_images=True)
    if cuts is not None:
        found = replace(found, calibration=share_above(cuts, scores)[None])
    return {"called": found.mean, "ci95": found.ci95(), "covers": found.covers, "n": len(scores)}


def _targets(generated: Scores, real: Scores) -> tuple[Scores, Scores, Scores]:
    """Scores, Platt's targets and weights that make both labels count alike, `(N + M,)` each."""
    n, m = len(generated), len(real)
    targets = np.repeat([(n + 1) / (n + 2), 1 / (m + 2)], [n, m])
    weights = np.repeat([0.5 / n, 0.5 / m], [n, m])
    return np.concatenate([generated, real]), targets, weights


def _temperature(generated: Scores, real: Scores) -> LogOddsMap:
    scores, targets, weights = _targets(generated, real)
    unit = float(np.abs(scores).mean())

    def loss(log_scale: float) -> float:
        odds = np.exp(log_scale) / unit * scores
        return float(np.sum(weights * (np.logaddexp(0, odds) - targets * odds)))

    best = minimize_scalar(loss, bounds=(-10.0, 10.0), method="bounded")
    scale = float(np.exp(best.x)) / unit
    return lambda raw: scale * raw


def _platt(generated: Scores, real: Scores) -> LogOddsMap:
    scores, targets, weights = _targets(generated, real)
    centre, unit = float(scores.mean()), float(scores.std())
    column = ((scores - centre) / unit)[:, None]
    # A soft target is the same image with either label, weighted by the target.
    n = len(scores)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    model.fit(
        np.concatenate([column, column]),
        np.repeat([1, 0], n),
        sample_weight=n * np.concatenate([weights * targets, weights * (1 - targets)]),
    )
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    return lambda raw: slope * (raw - centre) / unit + shift


def _isotonic(generated: Scores, real: Scores) -> LogOddsMap:
    scores, _, weights = _targets(generated, real)
    edge = 1 / (min(len(generated), len(real)) + 2)
    model = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
    model.fit(scores, np.repeat([1.0, 0.0], [len(generated), len(real)]), sample_weight=weights)
    return lambda raw: np.asarray(logit(model.predict(raw)), np.float64)


def _reweighted(fakes: int, n: int, sizes: Sequence[int]) -> Interval:
    """Wilson's interval of a bin's share of fakes, carried to labels that have equal mass."""
    return [
        share / sizes[0] / (share / sizes[0] + (1 - share) / sizes[1]) for share in wilson(fakes, n)
    ]
