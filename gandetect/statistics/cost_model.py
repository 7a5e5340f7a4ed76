"""What missed fakes and flagged real images cost, and the threshold that costs least."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gandetect.errors import UsageError
from gandetect.statistics.intervals import Interval, wilson
from gandetect.statistics.operating_points import best_cuts
from gandetect.statistics.redrawn import share_above
from gandetect.statistics.scores import Scores

UPLOADS = 1000
MOST_COST = 1e12  # of one upload; sums of thousands then stay numbers


@dataclass(frozen=True)
class CostModel:
    """The share of fakes among uploads, and the costs of a miss and of a flagged real image."""

    prevalence: float
    cost_miss: float
    cost_flag: float

    def __post_init__(self) -> None:
        if not 0.0 < self.prevalence < 1.0:
            raise UsageError(
                f"prevalence is {self.prevalence}; expected the share of fakes among uploads, "
                "above 0 and below 1 (2 % is 0.02)"
            )
        for name in ("cost_miss", "cost_flag"):
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
        """What 1,000 uploads cost when every fake is missed, and when every real is flagged."""
        fakes = UPLOADS * self.prevalence
        return fakes * self.cost_miss, (UPLOADS - fakes) * self.cost_flag


def expected(
    generated: Scores, real: Scores, cut: float, costs: CostModel, cuts: Scores | None = None
) -> dict[str, Any]:
    """What a cut costs on test scores `(N,)` and `(M,)`, beside the policies without a detector.

    `cost` is for 1,000 uploads, and `oracle_cost` that of the best cut on these test images, which
    nobody can attain. `precision` is the share of fakes among what is stopped, at the market's
    prevalence; None where nothing was stopped. The interval of the cost combines two Wilson
    intervals (Zou and Donner, Statistics in Medicine 27, 2008), and what ``cuts`` add: those that
    other calibration images would give, `(DRAWS,)`.
    """
    caught, flagged = _Share.above(generated, cut), _Share.above(real, cut)
    missing, flagging = costs.weights
    cost = missing * (1 - caught.share) + flagging * flagged.share
    of_fakes, of_reals = _recalibrated(cuts, generated), _recalibrated(cuts, real)
    less, more = _reach(flagging * of_reals - missing * of_fakes)
    below = math.hypot(missing * caught.beyond, flagging * flagged.below, less)
    above = math.hypot(missing * caught.below, flagging * flagged.beyond, more)
    caught, flagged = caught.widened(of_fakes), flagged.widened(of_reals)
    best = cheapest_cut(generated, real, costs)
    oracle = missing * float(np.mean(generated <= best)) + flagging * float(np.mean(real > best))
    precision, interval = _precision(caught, flagged, costs.prevalence)
    return {
        **costs.as_dict(),
        "threshold": cut,
        "cost": cost,
        "let_through": missing,
        "flag_all": flagging,
        "oracle_threshold": best,
        "oracle_cost": oracle,
        "caught": caught.share,
        "flagged": flagged.share,
        "precision": precision,
        "n_generated": len(generated),
        "n_real": len(real),
        "ci95": {
            "cost": [max(cost - below, 0.0), cost + above],
            "caught": [caught.low, caught.high],
            "flagged": [flagged.low, flagged.high],
            "precision": interval,
        },
    }


def bayes_threshold(prevalence: float, cost_miss: float, cost_flag: float) -> float:
    """The cheapest cut on *calibrated* log-odds, by Elkan (IJCAI 2001), equation 2.

    Log-odds that are calibrated for as many fakes as reals, as those of `calibration.fit` are,
    must exceed log((1 - prevalence) * cost_flag / (prevalence * cost_miss)). Scores that are not
    calibrated have no such cut that is known beforehand; `costs` looks for it instead.

    >>> bayes_threshold(0.5, cost_miss=1.0, cost_flag=1.0)
    0.0
    >>> round(bayes_threshold(0.02, cost_miss=20.0, cost_flag=1.0), 2)
    0.9
    """
    missing, flagging = CostModel(prevalence, cost_miss, cost_flag).weights
    return math.log(flagging / missing)


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

    def widened(self, draws: Scores) -> _Share:
        """The same with an interval that also holds what other cuts do."""
        less, more = _reach(draws)
        low, high = self.share - math.hypot(self.below, less), math.hypot(self.beyond, more)
        return _Share(self.share, max(low, 0.0), min(self.share + high, 1.0))

    @property
    def below(self) -> float:
        """How far the interval reaches below the share."""
        return self.share - self.low

    @property
    def beyond(self) -> float:
        """How far it reaches above it."""
        return self.high - self.share


def _recalibrated(cuts: Scores | None, scores: Scores) -> Scores:
    return np.zeros(1) if cuts is None else share_above(cuts, scores)


def _reach(draws: Scores) -> tuple[float, float]:
    """How far an interval reaches below and above for what is drawn."""
    low, high = np.quantile(draws, (0.025, 0.975)) - draws.mean()
    return float(max(high, 0.0)), float(max(-low, 0.0))


def cheapest_cut(generated: Scores, real: Scores, costs: CostModel) -> float:
    """The threshold that costs least on these images, `(N,)` and `(M,)`."""
    return float(best_cuts(generated[None], real, costs.weights)[0])


def _precision(
    caught: _Share, flagged: _Share, prevalence: float
) -> tuple[float | None, Interval | None]:
    """Share of fakes among what is stopped, and its interval.

    The interval is that of the ratio flagged / caught (Donner and Zou, Statistical Methods in
    Medical Research 21, 2012), which is closed at shares of 0; precision falls with that ratio.
    """
    if caught.share == flagged.share == 0.0:
        return None, None
    real_odds = (1 - prevalence) / prevalence
    if caught.share == 0.0:
        return 0.0, [0.0, caught.high / (caught.high + real_odds * flagged.low)]
    product = caught.share * flagged.share
    few = flagged.low * (2 * flagged.share - flagged.low)
    many = flagged.high * (2 * flagged.share - flagged.high)
    widest = caught.high * (2 * caught.share - caught.high)
    narrowest = caught.low * (2 * caught.share - caught.low)
    high = math.inf
    if narrowest > 0.0:
        high = (product + math.sqrt(product**2 - many * narrowest)) / narrowest
    low = few / (product + math.sqrt(product**2 - few * widest)) if product else 0.0
    ratio = flagged.share / caught.share
    return 1 / (1 + real_odds * ratio), [1 / (1 + real_odds * high), 1 / (1 + real_odds * low)]


# What a marketplace might see, where nobody says what it does: 2 fakes in 100, dear to miss.
EXAMPLE_COSTS = CostModel(prevalence=0.02, cost_miss=20.0, cost_flag=1.0)
