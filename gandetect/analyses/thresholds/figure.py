"""What lies behind the answers: ROC and precision-recall curves, and the scores themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.results import detector_names
from gandetect.report.style import (
    COLOURS,
    DASHED,
    DOTTED,
    INK,
    QUIET,
    hide_empty,
    legend_below,
    new_panels,
    percent_axis,
)
from gandetect.report.words import source_name, wrapped
from gandetect.statistics.ranking import Curves, curves
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scores import (
    HELD_OUT,
    IN_DISTRIBUTION,
    NOT_REPORTED,
    Metrics,
    Scores,
    by_source,
    latest,
    ordered,
    reals_tested_on,
    role_of,
)

FEWEST_CAUGHT = 0.005
STROKES = {IN_DISTRIBUTION: "solid", HELD_OUT: DASHED}  # of reals; others are dotted
CUTS: dict[str, Any] = {"native": "solid", "calibrated": (0, (3, 2)), "youden": (0, (1, 1.5))}


def roc_and_precision_recall(scores: pd.DataFrame, metrics: Metrics) -> Figure:
    """A row for each detector: ROC at the left, precision-recall at the right; a line a seed."""
    detectors = detector_names(metrics)
    figure, panels = new_panels(9.6, 3.9 * len(detectors), len(detectors), 2)
    for (left, right), detector in zip(panels, detectors, strict=True):
        for axes, title in ((left, "ROC"), (right, "precision-recall")):
            axes.set_title(wrapped(f"{detector}: {title}", 44))
        draw_roc(left, lines := curves_of(scores, metrics, detector))
        draw_precision_recall(right, lines)
    legend_below(figure, columns=2)
    return figure


def score_distributions(
    scores: pd.DataFrame, metrics: Metrics, named: Callable[[str], str]
) -> Figure:
    """One ridge for each source, detectors side by side; the first seed of each.

    ``named`` says a source in words. The axis ends where fewer than 1 in 200 scores of a source
    lie; the outermost bins hold those.
    """
    subjects = [of_seed(scores, metrics, detector) for detector in detector_names(metrics)]
    tallest = max(len(sources) for _, sources in subjects)
    down, across = -(-len(subjects) // 2), min(2, len(subjects))
    figure, panels = new_panels(9.6, 0.6 + (0.7 + 0.72 * tallest) * down, down, across)
    for axes, (cuts, sources) in zip(panels.ravel(), subjects, strict=False):
        draw_ridges(axes, cuts, sources, _own(metrics, cuts["detector"]), named)
    hide_empty(figure)
    legend_below(figure, columns=3)
    return figure


def of_seed(
    scores: pd.DataFrame, metrics: Metrics, detector: str, seed: int | None = None
) -> tuple[Row, dict[str, Scores]]:
    """A detector's thresholds and its scores by source; of one seed, by default the first."""
    rows = latest(scores[scores["detector"] == detector])
    seed = int(rows["detector_seed"].min()) if seed is None else seed
    sources = by_source(rows[rows["detector_seed"] == seed])
    (cuts,) = chosen(metrics["operating_points"], detector=detector, detector_seed=seed)
    return cuts, {s: v for s, v in sources.items() if s not in NOT_REPORTED}


def _own(metrics: Metrics, detector: str) -> list[str] | None:
    own: list[str] | None = chosen(metrics["detectors"], detector=detector)[0]["own"]
    return own


def curves_of(
    scores: pd.DataFrame, metrics: Metrics, detector: str
) -> list[tuple[Curves, dict[str, Any]]]:
    """Curves of each seed, fakes and reals of a detector, with what a line of them looks like."""
    runs = latest(scores[scores["detector"] == detector]).groupby("detector_seed")
    own, lines = _own(metrics, detector), []
    for _, run in runs:
        sources = by_source(run)
        fakes = [s for s in sources if s.startswith("generated:") and s not in NOT_REPORTED]
        for fake, real in product(ordered(fakes, own), reals_tested_on(sources)):
            role = role_of(fake, own)
            fakes_of = role if role == "generated" else f"{role} fakes"
            look = {"color": COLOURS[role], "linewidth": 1.8 if len(runs) == 1 else 0.9,
                    "linestyle": STROKES.get(real, DOTTED),
                    "label": f"{fakes_of} vs {source_name(real)}"}  # fmt: skip
            lines.append((curves(sources[fake], sources[real]), look))
    return lines


def draw_roc(axes: Axes, lines: Sequence[tuple[Curves, dict[str, Any]]]) -> None:
    """Draw ROC curves, from `curves_of`."""
    for drawn, look in lines:
        axes.plot(drawn.fpr, drawn.tpr, **look)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=DOTTED)
    axes.set(xlabel="reals flagged", ylabel="generated caught")
    _shares(axes)


def draw_precision_recall(axes: Axes, lines: Sequence[tuple[Curves, dict[str, Any]]]) -> None:
    """Draw precision-recall curves, from `curves_of`."""
    for drawn, look in lines:
        # Left of that a handful of images decides, and the line only jumps.
        enough = drawn.recall >= FEWEST_CAUGHT
        axes.plot(drawn.recall[enough], drawn.precision[enough], **look)
    axes.set(xlabel="generated caught (recall)", ylabel="alarms that are true (precision)")
    _shares(axes)


def _shares(axes: Axes) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)


def draw_ridges(
    axes: Axes,
    cuts: Row,
    sources: Mapping[str, Scores],
    own: list[str] | None,
    named: Callable[[str], str],
) -> None:
    """Draw a ridge for each source, with the thresholds; what is given comes from `of_seed`."""
    order = ordered(sources, own)[::-1]
    low, high = (edge([0.0, *(float(np.quantile(sources[source], tail)) for source in order)])
                 for edge, tail in ((min, 0.005), (max, 0.995)))  # fmt: skip
    low, high = low - 0.5, high + 0.5
    bins = np.linspace(low, high, 81)
    edges, names = np.repeat(bins, 2)[1:-1], []
    for height, source in enumerate(order):
        role, inside = role_of(source, own), np.clip(sources[source], low, high)
        colour = COLOURS.get(role, COLOURS["held-out"])  # reals from elsewhere
        share = np.histogram(inside, bins)[0] / len(inside)
        ridge = height + np.repeat(0.85 * share / share.max(), 2)
        axes.fill_between(edges, height, ridge, color=colour, alpha=0.75, linewidth=0)
        axes.plot(edges, ridge, color=colour, linewidth=1)
        median = float(np.median(inside))
        axes.plot([median, median], [height, height + 0.3], color="white", linewidth=2)
        prefix = f"{role}, " if role in ("own", "other") else ""
        names.append(f"{named(source)}\n{prefix}n = {len(inside):,}")
    axes.set_yticks(range(len(order)))
    axes.set_yticklabels(names, va="bottom")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(title=wrapped(cuts["detector"], 34), xlabel="score (log-odds of generated)",
             xlim=(low, high), ylim=(0, len(order)))  # fmt: skip
    for point, stroke in CUTS.items():
        if point in cuts:
            axes.axvline(cuts[point], color=INK, linewidth=1.1, linestyle=stroke,
                         label=f"{point} threshold")  # fmt: skip
