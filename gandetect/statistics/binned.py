"""Scores as counts between edges: small enough to travel in a page, and exact at every edge.

Between two edges nothing is known but how many scores lie there, so a threshold may be put on an
edge and nowhere else. Every operating point is an edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.scored_detectors import ScoredDetector, calibration_source, fitted_on
from gandetect.statistics.scores import Scores

STEPS = 400
TAIL = 0.001  # of a source, at either end, that need not be told apart finely
# Shares of false alarms that people ask for: their thresholds are edges, as `calibrate` has them.
ASKED_RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """One detector's scores, counted between edges that all its sources share.

    ``edges``: possible thresholds, `(K,)` float64, ascending; no score lies above the last, and
    all lie above the first. ``axis``: the range worth drawing. ``counts``: for each source
    `(K - 1,)`, how many scores s have ``edges[i] < s <= edges[i + 1]``.
    """

    edges: Scores
    axis: tuple[float, float]
    counts: Mapping[str, Counts]

    def position(self, threshold: float) -> int:
        """Which edge a threshold is; `ValueError` when it is none."""
        place = int(np.searchsorted(self.edges, threshold))
        if place == len(self.edges) or self.edges[place] != threshold:
            raise ValueError(f"{threshold!r} is not an edge; it was not among the marks")
        return place


def binned(subject: ScoredDetector, marks: Iterable[float] = ()) -> Binned:
    """Count a detector's scores in the tables' sources and in those that its cuts are chosen on.

    Its operating points, ``marks`` and the thresholds of `ASKED_RATES` are edges.
    """
    names = [*subject.reported(), *choosing_sources(subject)]
    alarms = calibration_source(subject.sources)
    cuts = [] if alarms is None else [calibrate(subject.sources[alarms], r) for r in ASKED_RATES]
    return bin_scores(
        {name: subject.sources[name] for name in names},
        [*subject.thresholds.values(), *marks],
        finely=[cut for cut in cuts if cut is not None],
    )


def choosing_sources(subject: ScoredDetector) -> list[str]:
    """Sources that a threshold may be chosen on, by false alarms or by costs; none is a test."""
    names = [calibration_source(subject.sources), *(fitted_on(subject) or ())]
    return [name for name in dict.fromkeys(names) if name is not None]


def bin_scores(
    sources: Mapping[str, Scores], marks: Iterable[float], finely: Iterable[float] = ()
) -> Binned:
    """Count scores `(N,)` by source between about `STEPS` even edges and the given thresholds.

    The even edges span all but the extreme `TAIL` of any source, and have few digits, so that they
    are short when written out; they are then read back as the very same numbers. ``marks`` are
    shown, so the axis holds them; ``finely`` are edges alone.
    """
    marked = [float(mark) for mark in marks]
    tails = [np.quantile(scores, (TAIL, 1 - TAIL)) for scores in sources.values()]
    low = min([*marked, *(float(low) for low, _ in tails)])
    high = max([*marked, *(float(high) for _, high in tails)])
    everything = np.concatenate(list(sources.values()))
    under, top = np.nextafter(everything.min(), -np.inf), everything.max()
    even = _short(np.linspace(low, high, STEPS + 1), (high - low) / STEPS)
    inside = even[(even > under) & (even < top)]
    # 0.0 is added so that no edge is -0.0, which would be written differently.
    edges = np.unique(np.concatenate([inside, marked, list(finely), [under, top]])) + 0.0
    counts = {name: _between(scores, edges) for name, scores in sources.items()}
    return Binned(edges, (low, high), counts)


def _short(values: Scores, step: float) -> Scores:
    """Rounded to a hundredth of the step or so: still even to the eye, and a few digits long."""
    if step == 0.0:
        return values
    return np.asarray(np.round(values, 1 - math.floor(math.log10(step))), np.float64)


def _between(scores: Scores, edges: Scores) -> Counts:
    """How many scores lie between an edge (exclusive) and the next (inclusive), `(K - 1,)`."""
    not_above = np.searchsorted(np.sort(scores), edges, side="right")
    return np.diff(not_above).astype(np.int64)
