"""How many labelled images of a new source does a threshold need? Nothing is trained again.

Only the cut moves: it is chosen anew between a few labelled fakes of the new source and the
calibration reals. What no cut can mend, this cannot mend either; the oracle says what that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.detector_runs import alone
from gandetect.statistics.operating_points import best_cuts, youden
from gandetect.statistics.rows import Row, Rows
from gandetect.statistics.scored_detectors import (
    FEWEST,
    ScoredDetector,
    calibration_source,
    called,
    fitted_on,
    judged_pairs,
    unfit,
)
from gandetect.statistics.scores import Metrics, Scores

SHOTS = (0, 10, 100, 1000)
DRAWS = 200
SETS = 20  # of calibration images that draws are judged with
NEW = ("own-other-seed", "other")


def numbers(study: ScoredStudy) -> Metrics:
    """``k_shot`` of every run."""
    rows, gaps = k_shot(study.subjects)
    return {"k_shot": rows, "not_measured": {"k_shot": gaps}}


def rows(metrics: Metrics) -> Iterator[Row]:
    """Balanced accuracy for each number of labels."""
    for row in metrics["k_shot"]:
        bounds = None if row["low"] is None else (row["low"], row["high"])
        yield tidy_row("k-shot", row, f"balanced accuracy, k = {row['k']}",
                       row["balanced_accuracy"], bounds, real_source=row["real"],
                       n=row["n_generated"] + row["n_real"])  # fmt: skip


@dataclass(frozen=True)
class _New:
    """Sorted scores of a source that is new to a detector, and of what its cut is chosen on."""

    fakes: Scores
    reals: Scores
    calibration: Scores
    familiar_cut: float | None  # before any image is labelled: between own fakes and reals
    familiar_cuts: Scores | None  # that other calibration images would give


def k_shot(
    subjects: Sequence[ScoredDetector],
    shots: Sequence[int] = SHOTS,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Rows, list[str]]:
    """Balanced accuracy on new sources with a cut chosen on k labelled fakes of each.

    Every cut is the one with the best balanced accuracy. For k = 0 it lies between calibration
    fakes of the detector's own generators and calibration reals; for k > 0 between k fakes drawn
    from the new source and calibration reals. It is judged on the fakes that were not drawn and
    on in-distribution reals; `low` and `high` hold 95 % of what it is with other labelled fakes,
    calibration images and test images.
    `oracle` is the best cut on the test images themselves, which nobody can attain.
    """
    rows: Rows = []
    gaps: list[str] = []
    for subject in subjects:
        calibration = subject.joined([calibration_source(subject.sources) or ""])
        if why_not := _unusable(subject, calibration):
            gaps.append(f"{called(subject)}: {why_not}")
            continue
        familiar_cut, familiar_cuts = None, None
        names = fitted_on(subject)
        if why := unfit(subject):
            gaps.append(f"{called(subject)}: {why}, so there is no cut before the first new label")
        elif names:
            familiar_cut = youden(*(subject.sources[name] for name in names))
            familiar_cuts = alone(subject).best_cuts(subject.seed, names)
        pairs, left_out = judged_pairs(subject, held_out_for=())
        gaps += left_out
        for source, real in pairs:
            if subject.role(source) not in NEW:
                continue
            test = subject.sources[source], subject.sources[real]
            new = _New(*test, calibration, familiar_cut, familiar_cuts)
            about = {**subject.name, "source": source, "role": subject.role(source), "real": real}
            rng = np.random.default_rng([seed, subject.seed])
            n = len(new.fakes)
            rows += [{**about, **_judged(new, k, draws, rng)} for k in shots
                     if n - k >= FEWEST and (k > 0 or familiar_cut is not None)]  # fmt: skip
            if over := [f"{k:,}" for k in shots if n - k < FEWEST]:
                gaps.append(
                    f"{called(subject)}: {source} has {n:,} images, too few to draw "
                    f"{' or '.join(over)} and to judge by {FEWEST} others"
                )
    return rows, gaps


def _unusable(subject: ScoredDetector, calibration: Scores) -> str:
    """Why no cut can be placed with any number of labels; empty when one can."""
    if len(calibration) < FEWEST:
        return f"fewer than {FEWEST} calibration reals were scored"
    everything = np.concatenate(list(subject.sources.values()))
    return "all its scores are equal" if np.ptp(everything) == 0.0 else ""


def _judged(new: _New, k: int, draws: int, rng: np.random.Generator) -> dict[str, Any]:
    """One row: how well k labelled fakes place the cut."""
    (again,) = rng.spawn(1)
    if new.familiar_cut is not None and new.familiar_cuts is not None and k == 0:
        accuracy = np.array([_balanced(new.fakes, new.reals, new.familiar_cut)])
        shares = _right(new, np.empty((1, 0)), new.familiar_cuts)
    else:
        n = len(new.fakes)
        picked = [rng.choice(n, k, replace=False, shuffle=False) for _ in range(draws)]
        drawn = new.fakes[np.stack(picked)]  # what each draw labels, (R, K)
        accuracy = np.mean(_right(new, drawn, best_cuts(drawn, new.calibration)), axis=0)
        parts = np.array_split(drawn, SETS)
        cuts = [best_cuts(one, again.choice(new.calibration, len(new.calibration)))
                for one in parts if len(one)]  # fmt: skip
        shares = _right(new, drawn, np.concatenate(cuts))
    of_test = np.array([len(new.fakes) - k, len(new.reals)])[:, None]
    redrawn = np.mean(again.binomial(of_test, shares) / of_test, axis=0)
    reach = np.percentile(redrawn, [2.5, 97.5]) - redrawn.mean()
    low, high = (float(bound) for bound in np.clip(accuracy.mean() + reach, 0, 1))
    return {
        "k": k,
        "draws": draws if k else 0,
        "balanced_accuracy": float(accuracy.mean()),
        "low": low,
        "high": high,
        "oracle": _balanced(new.fakes, new.reals, youden(new.fakes, new.reals)),
        "n_generated": len(new.fakes) - k,
        "n_real": len(new.reals),
        "n_calibration": len(new.calibration),
    }


def _right(new: _New, drawn: Scores, cuts: Scores) -> Scores:
    """Shares of the fakes that a draw left and of the reals, answered correctly, `(2, R)`."""
    n, k = len(new.fakes), drawn.shape[1]
    above = n - np.searchsorted(new.fakes, cuts, side="right")
    caught = (above - np.count_nonzero(drawn > cuts[:, None], axis=1)) / (n - k)
    passed = np.searchsorted(new.reals, cuts, side="right") / len(new.reals)
    return np.stack([caught, passed])


def _balanced(fakes: Scores, reals: Scores, cut: float) -> float:
    return float((np.mean(fakes > cut) + np.mean(reals <= cut)) / 2)
