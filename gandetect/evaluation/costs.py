"""What a detector saves or costs a marketplace: missed fakes against honest uploads delayed.

The cut is chosen on calibration images and judged on test images, beside the two policies that
need no detector: let everything through, or delay everything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gandetect.errors import UsageError
from gandetect.evaluation.calibration import Rows, called, fitted_on, judged_pairs, unfit
from gandetect.evaluation.intervals import Interval, wilson
from gandetect.evaluation.operating_points import best_cuts
from gandetect.evaluation.scores import Scores
from gandetect.evaluation.subjects import Subject

UPLOADS = 1000
ROLES = ("own", "own-other-seed", "other")
MOST_COST = 1e12  # of one upload; sums of thousands then stay numbers


@dataclass(frozen=True)
class Market:
    """The share of fakes among uploads, and what a miss and a delay cost, in one unit."""

    prevalence: float
    cost_miss: float
    cost_delay: float

    def __post_init__(self) -> None:
        if not 0.0 < self.prevalence < 1.0:
            raise UsageError(
                f"prevalence is {self.prevalence}; expected the share of fakes among uploads, "
                "above 0 and below 1 (2 % is 0.02)"
            )
        for name in ("cost_miss", "cost_delay"):
            cost = getattr(self, name)
            if not 0.0 < cost <= MOST_COST:
                raise UsageError(
                    f"{name} is {cost}; expected a finite cost above 0 and at most {MOST_COST:g}"
                )

    def as_dict(self) -> dict[str, float]:
        """The fields, as JSON wants them."""
        return asdict(self)

    @property
    def weights(self) -> tuple[float, float]:
        """What 1,000 uploads cost when every fake is missed, and when every real is delayed."""
        fakes = UPLOADS * self.prevalence
        return fakes * self.cost_miss, (UPLOADS - fakes) * self.cost_delay


def costs(
    subjects: Sequence[Subject], prevalence: float, cost_miss: float, cost_delay: float
) -> tuple[Rows, list[str]]:
    """Expected cost of 1,000 uploads for each detector, generated source and group of reals.

    The cut is the one that costs least on calibration images; no test group is looked at.

    Args:
        subjects: detectors with their scores.
        prevalence: share of fakes among uploads, 0 < prevalence < 1.
        cost_miss: cost of a fake that is let through, above 0.
        cost_delay: cost of an honest upload that is delayed, above 0, in the same unit.

    Returns rows and a sentence for everything that could not be judged. Intervals are of 95 %
    and over the test images only. Raises `UsageError` for numbers out of range.
    """
    market = Market(prevalence, cost_miss, cost_delay)
    rows: Rows = []
    gaps: list[str] = []
    for subject in subjects:
        why = unfit(subject)
        if why:
            gaps.append(f"{called(subject)}: {why}, so no cut could be chosen by its cost")
            continue
        names = fitted_on(subject)
        assert names is not None  # else there were a reason why not
        cut = _best(subject.sources[names[0]], subject.sources[names[1]], market)
        pairs, left_out = judged_pairs(subject, held_out_for=ROLES)
        gaps += left_out
        rows += [
            {
                **subject.name,
                "generated": generated,
                "real": real,
                "role": subject.role(generated),
                "fitted_on": list(names),
                **expected(subject.sources[generated], subject.sources[real], cut, market),
            }
            for generated, real in pairs
        ]
    return rows, gaps


def expected(generated: Scores, real: Scores, cut: float, market: Market) -> dict[str, Any]:
    """What a cut costs on test scores `(N,)` and `(M,)`, beside the policies without a detector.

    `cost` is for 1,000 uploads, and `oracle_cost` that of the best cut on these test images, which
    nobody can attain. `precision` is the share of fakes among what is stopped, at the market's
    prevalence; None where nothing was stopped. The interval of the cost combines two Wilson
    intervals (Zou and Donner, Statistics in Medicine 27, 2008).
    """
    caught, delayed = _Share.above(generated, cut), _Share.above(real, cut)
    missing, delaying = market.weights
    cost = missing * (1 - caught.share) + delaying * delayed.share
    below = math.hypot(missing * (caught.high - caught.share), delaying * delayed.below)
    above = math.hypot(missing * caught.below, delaying * (delayed.high - delayed.share))
    best = _best(generated, real, market)
    oracle = missing * float(np.mean(generated <= best)) + delaying * float(np.mean(real > best))
    precision, interval = _precision(caught, delayed, market.prevalence)
    return {
        "prevalence": market.prevalence,
        "cost_miss": market.cost_miss,
        "cost_delay": market.cost_delay,
        "threshold": cut,
        "cost": cost,
        "let_through": missing,
        "delay_all": delaying,
        "oracle_threshold": best,
        "oracle_cost": oracle,
        "caught": caught.share,
        "delayed": delayed.share,
        "precision": precision,
        "n_generated": len(generated),
        "n_real": len(real),
        "ci95": {
            "cost": [max(cost - below, 0.0), cost + above],
            "caught": [caught.low, caught.high],
            "delayed": [delayed.low, delayed.high],
            "precision": interval,
        },
    }


def bayes_threshold(prevalence: float, cost_miss: float, cost_delay: float) -> float:
    """The cheapest cut on *calibrated* log-odds, by Elkan (IJCAI 2001), equation 2.

    Log-odds that are calibrated for as many fakes as reals, as those of `calibration.fit` are,
    must exceed log((1 - prevalence) * cost_delay / (prevalence * cost_miss)). Scores that are not
    calibrated have no such cut that is known beforehand; `costs` looks for it instead.

    >>> bayes_threshold(0.5, cost_miss=1.0, cost_delay=1.0)
    0.0
    >>> round(bayes_threshold(0.02, cost_miss=20.0, cost_delay=1.0), 2)
    0.9
    """
    missing, delaying = Market(prevalence, cost_miss, cost_delay).weights
    return math.log(delaying / missing)


@dataclass(frozen=True)
class _Share:
    """A share of images above a cut, with Wilson's interval."""

    share: float
    low: float
    high: float

    @classmethod
    def above(cls, scores: Scores, cut: float) -> _Share:
        n_above = int(np.count_nonzero(scores > cut))
        return cls(n_above / len(scores), *wilson(n_above, len(scores)))

    @property
    def below(self) -> float:
        """How far the interval reaches below the share."""
        return self.share - self.low


def _best(generated: Scores, real: Scores, market: Market) -> float:
    return float(best_cuts(generated[None], real, market.weights)[0])


def _precision(
    caught: _Share, delayed: _Share, prevalence: float
) -> tuple[float | None, Interval | None]:
    """Share of fakes among what is stopped, and its interval.

    The interval is that of the ratio delayed / caught (Donner and Zou, Statistical Methods in
    Medical Research 21, 2012), which is closed at shares of 0; precision falls with that ratio.
    """
    if caught.share == delayed.share == 0.0:
        return None, None
    honest = (1 - prevalence) / prevalence
    if caught.share == 0.0:
        return 0.0, [0.0, caught.high / (caught.high + honest * delayed.low)]
    product = caught.share * delayed.share
    few = delayed.low * (2 * delayed.share - delayed.low)
    many = delayed.high * (2 * delayed.share - delayed.high)
    widest = caught.high * (2 * caught.share - caught.high)
    narrowest = caught.low * (2 * caught.share - caught.low)
    high = (product + math.sqrt(product**2 - many * narrowest)) / narrowest
    low = few / (product + math.sqrt(product**2 - few * widest)) if product else 0.0
    ratio = delayed.share / caught.share
    return 1 / (1 + honest * ratio), [1 / (1 + honest * high), 1 / (1 + honest * low)]
