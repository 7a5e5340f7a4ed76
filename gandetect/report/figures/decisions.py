"""What detectors answer: the cross-evaluation matrix and the confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gandetect.evaluation import Metrics
from gandetect.evaluation.subjects import KINDS
from gandetect.report.style import (
    COLOURS,
    ON_DARK,
    ON_LIGHT,
    new_figure,
    share_palette,
    without_grid,
)
from gandetect.report.words import POINTS, wrapped

WHITE_FROM = 0.65  # from this share on the palette is so dark that white reads better on it


def detector_names(metrics: Metrics) -> list[str]:
    """All detectors as rows: discriminators, classifiers, post-hoc ones, each by name."""
    rows = metrics["detectors"]
    ordered = sorted(rows, key=lambda row: (KINDS.index(row["kind"]), row["detector"]))
    return [str(row["detector"]) for row in ordered]


def matrix_sources(metrics: Metrics) -> list[str]:
    """Sources as columns: generators by name, then reals from familiar to new."""
    reals = ["real:training", "real:in-distribution", "real:held-out"]
    found = {cell["source"] for cell in metrics["cells"]}
    return [*sorted(found - set(reals)), *(real for real in reals if real in found)]


def cross_evaluation(
    metrics: Metrics, points: Sequence[str], named: Callable[[str], str]
) -> Figure:
    """Heatmap of detector x source: share answered correctly, with its 95 % interval.

    With several seeds a cell shows their mean, and the interval is over runs and images.
    ``named`` says a source in words.
    """
    sources = matrix_sources(metrics)
    rows = {point: _detectors_at(metrics, point) for point in points}
    heights = [0.9 + 0.75 * len(detectors) for detectors in rows.values()]
    figure = new_figure(2.6 + 1.45 * len(sources), sum(heights))
    panels = figure.subplots(len(points), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (point, detectors) in zip(panels, rows.items(), strict=True):
        values, notes = _matrix(metrics, detectors, sources, point)
        share_heatmap(axes, values, notes)
        axes.set_xticklabels([_column_name(named(source)) for source in sources], rotation=0)
        axes.set_yticklabels([wrapped(name, 26) for name in detectors], rotation=0)
        axes.set_title(f"Operating point: {POINTS[point]}")
        for cell in metrics["cells"]:
            if cell["role"] == "own" and cell["detector"] in detectors:
                place = sources.index(cell["source"]), detectors.index(cell["detector"])
                axes.add_patch(_frame(*place))
    return figure


def confusion_matrices(rows: Sequence[Mapping[str, Any]], points: Sequence[str]) -> Figure:
    """Truth by answer for every detector and operating point; counts and shares of the truth."""
    names = list(dict.fromkeys(row["detector"] for row in rows))
    figure = new_figure(3.4 * len(points) + 0.6, 2.6 * len(names))
    panels = figure.subplots(len(names), len(points), squeeze=False)
    labels = ("real", "generated")
    for row in rows:
        name, point = row["detector"], row["operating_point"]
        axes = panels[names.index(name), points.index(point)]
        counts = np.array(row["confusion"])
        totals = counts.sum(axis=1)
        shares = counts / totals[:, None]
        notes = [[f"{n:,}\n{100 * s:.1f} %" for n, s in zip(*pair, strict=True)]
                 for pair in zip(counts, shares, strict=True)]  # fmt: skip
        share_heatmap(axes, shares, notes)
        axes.set(title=f"{wrapped(name, 27)}\n{point}", xlabel="answer", ylabel="truth")
        axes.set_xticklabels(labels)
        with_n = [f"{label}\nn = {n:,}" for label, n in zip(labels, totals, strict=True)]
        axes.set_yticklabels(with_n, rotation=0)
    for axes in panels.ravel():
        axes.set_visible(axes.has_data())
    return figure


def _detectors_at(metrics: Metrics, point: str) -> list[str]:
    found = {cell["detector"] for cell in metrics["cells"] if cell["operating_point"] == point}
    return [name for name in detector_names(metrics) if name in found]


def share_heatmap(axes: Axes, values: Any, notes: Any) -> None:
    """Draw shares (rows, columns) from light to dark, each with its note.

    seaborn's heatmap draws the whole figure anew for each panel, half of a report's time.
    """
    shares, words = np.ma.masked_invalid(values), np.array(notes)
    axes.pcolormesh(shares, cmap=share_palette(), vmin=0, vmax=1, edgecolors="white", linewidth=2)
    rows, columns = shares.shape
    axes.set_xticks(np.arange(columns) + 0.5)
    axes.set_yticks(np.arange(rows) + 0.5)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    for row, column in zip(*np.nonzero(~np.ma.getmaskarray(shares)), strict=True):
        colour = ON_DARK if shares[row, column] >= WHITE_FROM else ON_LIGHT
        axes.text(column + 0.5, row + 0.5, words[row, column], color=colour, fontsize=9,
                  ha="center", va="center")  # fmt: skip
    for spine in axes.spines.values():
        spine.set_visible(False)
    without_grid(axes)


def _matrix(
    metrics: Metrics, detectors: list[str], sources: list[str], point: str
) -> tuple[Any, Any]:
    values = np.full((len(detectors), len(sources)), np.nan)
    notes = np.full(values.shape, "", dtype=object)
    for row in metrics["across_seeds"]:
        if row["operating_point"] == point:
            place = detectors.index(row["detector"]), sources.index(row["source"])
            values[place] = row["mean"]
            notes[place] = _cell_note(row)
    return values, notes


def _cell_note(row: Mapping[str, Any]) -> str:
    low, high = row["ci95"]
    runs = len(row["seeds"])
    many = f"{runs} runs" if runs > 1 else f"n = {row['n'][0]:,}"
    return f"{100 * row['mean']:.1f} %\n({100 * low:.1f}–{100 * high:.1f})\n{many}"


def _column_name(words: str) -> str:
    for narrow, broken in ((", ", "\n"), (" (", "\n("), (" by ", " by\n"), (" class ", " class\n")):
        words = words.replace(narrow, broken)
    return words


def _frame(column: int, row: int) -> Rectangle:
    return Rectangle(
        (column + 0.03, row + 0.03), 0.94, 0.94, fill=False, edgecolor=COLOURS["own"], linewidth=2
    )
