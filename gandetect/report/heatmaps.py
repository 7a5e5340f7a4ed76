"""Shares as heatmaps, and confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import ON_DARK, ON_LIGHT, new_figure, share_palette, without_grid
from gandetect.report.words import wrapped

WHITE_FROM = 0.65  # from this share on the palette is so dark that white reads better on it


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
