"""What lies behind the answers: ROC and precision-recall curves, and the scores themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.material import detector_names
from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.words import source_name, wrapped
from gandetect.statistics.ranking import curves
from gandetect.statistics.scores import (
    NOT_REPORTED,
    TEST_REALS,
    Metrics,
    by_source,
    latest,
    ordered,
    role_of,
)

FEWEST_CAUGHT = 0.005
STROKES = {"real:in-distribution": "solid", "real:held-out": (0, (4, 1.5))}


def roc_and_precision_recall(scores: pd.DataFrame, metrics: Metrics) -> Figure:
    """A row for each detector: ROC at the left, precision-recall at the right; a line a seed."""
    detectors = detector_names(metrics)
    figure = new_figure(9.6, 3.9 * len(detectors))
    panels = figure.subplots(len(detectors), 2, squeeze=False)
    for (left, right), detector in zip(panels, detectors, strict=True):
        rows = latest(scores[scores["detector"] == detector])
        seeds = [of_seed for _, of_seed in rows.groupby("detector_seed")]
        for of_seed in seeds:
            width = 1.8 if len(seeds) == 1 else 0.9
            _draw_curves(left, right, _own(metrics, detector), by_source(of_seed), width)
        _name_axes(left, wrapped(f"{detector}: ROC", 44), "reals flagged", "generated caught")
        _name_axes(right, wrapped(f"{detector}: precision-recall", 44), "generated caught (recall)",
                   "alarms that are true (precision)")  # fmt: skip
        left.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
    legend_below(figure, columns=2)
    return figure


def score_distributions(
    scores: pd.DataFrame, metrics: Metrics, named: Callable[[str], str]
) -> Figure:
    """One ridge for each source, detectors side by side; the first seed of each.

    ``named`` says a source in words. The axis ends where fewer than 1 in 200 scores of a source
    lie; the outermost bins hold those.
    """
    subjects = []
    for detector in detector_names(metrics):
        rows = latest(scores[scores["detector"] == detector])
        first = rows[rows["detector_seed"] == rows["detector_seed"].min()]
        sources = {s: v for s, v in by_source(first).items() if s not in NOT_REPORTED}
        subjects.append((detector, int(first["detector_seed"].iloc[0]), sources))
    tallest = max(len(sources) for *_, sources in subjects)
    down, across = -(-len(subjects) // 2), min(2, len(subjects))
    figure = new_figure(9.6, 0.6 + (0.7 + 0.72 * tallest) * down)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, (detector, seed, sources) in zip(panels, subjects, strict=False):
        cuts = next(
            row
            for row in metrics["operating_points"]
            if (row["detector"], row["detector_seed"]) == (detector, seed)
        )
        _ridges(axes, detector, _own(metrics, detector), sources, cuts, named)
    for axes in panels[len(subjects) :]:
        axes.set_visible(False)
    legend_below(figure, columns=3)
    return figure


def _own(metrics: Metrics, detector: str) -> list[str]:
    return next(row["own"] for row in metrics["detectors"] if row["detector"] == detector)


def _draw_curves(
    left: Axes,
    right: Axes,
    own: list[str],
    sources: dict[str, npt.NDArray[np.float64]],
    width: float,
) -> None:
    fakes = [s for s in sources if s.startswith("generated:") and s not in NOT_REPORTED]
    for fake in ordered(fakes, own):
        for real in TEST_REALS:
            if real not in sources:
                continue
            drawn = curves(sources[fake], sources[real])
            look: dict[str, Any] = {
                "color": COLOURS[role_of(fake, own)],
                "linestyle": STROKES[real],
                "linewidth": width,
            }
            label = f"{role_of(fake, own)} fakes vs {source_name(real)}"
            left.plot(drawn.fpr, drawn.tpr, label=label, **look)
            # Left of that a handful of images decides, and the line only jumps.
            enough = drawn.recall >= FEWEST_CAUGHT
            right.plot(drawn.recall[enough], drawn.precision[enough], **look)


def _name_axes(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def _ridges(
    axes: Axes,
    detector: str,
    own: list[str],
    sources: dict[str, npt.NDArray[np.float64]],
    cuts: dict[str, Any],
    named: Callable[[str], str],
) -> None:
    order = ordered(sources, own)[::-1]
    low = min(0.0, *(float(np.quantile(sources[source], 0.005)) for source in order)) - 0.5
    high = max(0.0, *(float(np.quantile(sources[source], 0.995)) for source in order)) + 0.5
    bins = np.linspace(low, high, 81)
    for height, source in enumerate(order):
        inside = np.clip(sources[source], low, high)
        share = np.histogram(inside, bins)[0] / len(inside)
        ridge = np.repeat(0.85 * share / share.max(), 2)
        colour = COLOURS[role_of(source, own)]
        edges = np.repeat(bins, 2)[1:-1]
        axes.fill_between(edges, height, height + ridge, color=colour, alpha=0.75, linewidth=0)
        axes.plot(edges, height + ridge, color=colour, linewidth=1)
        median = float(np.median(inside))
        axes.plot([median, median], [height, height + 0.3], color="white", linewidth=2)
    axes.set_yticks(range(len(order)))
    rows = [(named(source), role_of(source, own), len(sources[source])) for source in order]
    axes.set_yticklabels([_ridge_name(*row) for row in rows], va="bottom")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set(title=wrapped(detector, 34), xlabel="score (log-odds of generated)",
             xlim=(low, high), ylim=(0, len(order)))  # fmt: skip
    _mark_cuts(axes, cuts)


def _ridge_name(words: str, role: str, n: int) -> str:
    prefix = f"{role}, " if role in ("own", "other") else ""
    return f"{words}\n{prefix}n = {n:,}"


def _mark_cuts(axes: Axes, cuts: dict[str, Any]) -> None:
    strokes: tuple[tuple[str, Any], ...] = (
        ("native", "solid"),
        ("calibrated", (0, (3, 2))),
        ("youden", (0, (1, 1.5))),
    )
    for point, stroke in strokes:
        if point in cuts:
            axes.axvline(
                cuts[point], color=INK, linewidth=1.1, linestyle=stroke, label=f"{point} threshold"
            )
