"""Shares as heatmaps, and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import (
    ON_DARK,
    ON_LIGHT,
    hide_empty,
    new_panels,
    share_palette,
    without_grid,
)
from gandetect.report.words import wrapped
from gandetect.statistics.rows import Row

LABELS = ("real", "generated")
WHITE_FROM = 0.65  # from this share on the palette is so dark that white reads better on it


def confusion_matrices(rows: Sequence[Row], across: str, down: str) -> Figure:
    """Truth by answer: counts, and shares of the truth.

    A column of panels for each value of the key ``across``, a row for each of ``down``.
    """
    columns, lines = (list(dict.fromkeys(row[key] for row in rows)) for key in (across, down))
    figure, panels = new_panels(
        3.4 * len(columns) + 0.6, 2.6 * len(lines), len(lines), len(columns)
    )
    for row in rows:
        axes = panels[lines.index(row[down]), columns.index(row[across])]
        counts = np.array(row["confusion"])
        totals = counts.sum(axis=1)
        shares = counts / totals[:, None]
        notes = [[f"{n:,}\n{100 * share:.1f} %" for n, share in zip(*pair, strict=True)]
                 for pair in zip(counts, shares, strict=True)]  # fmt: skip
        share_heatmap(axes, shares, notes)
        title = f"{wrapped(row[down], 27)}\n{row[across]}"
        axes.set(title=title, xlabel="answer", ylabel="truth", xticklabels=LABELS)
        with_n = [f"{label}\nn = {n:,}" for label, n in zip(LABELS, totals, strict=True)]
        axes.set_yticklabels(with_n, rotation=0)
    hide_empty(figure)
    return figure


def share_heatmap(axes: Axes, values: Any, notes: Any, top: float = 1.0) -> None:
    """Draw shares (rows, columns) from light to dark, ``top`` the darkest, each with its note.

    seaborn's heatmap draws the whole figure anew for each panel, half of a report's time.
    """
    shares, words = np.ma.masked_invalid(values), np.array(notes)
    axes.pcolormesh(shares, cmap=share_palette(), vmin=0, vmax=top, edgecolors="white", linewidth=2)
    rows, columns = shares.shape
    axes.set(xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    for row, column in zip(*np.nonzero(~np.ma.getmaskarray(shares)), strict=True):
        colour = ON_DARK if shares[row, column] >= WHITE_FROM * top else ON_LIGHT
        axes.text(column + 0.5, row + 0.5, words[row, column], color=colour, fontsize=9,
                  ha="center", va="center")  # fmt: skip
    axes.spines[:].set_visible(False)
    without_grid(axes)
