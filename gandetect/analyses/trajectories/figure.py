"""Detectors over the epochs of their training: against every epoch of G, and by group of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gandetect.report.style import (
    COLOURS,
    INK,
    ON_DARK,
    ON_LIGHT,
    QUIET,
    legend_below,
    new_figure,
    without_grid,
)
from gandetect.report.words import GROUPS, images, wrapped

Row = Mapping[str, Any]
Histories = Mapping[tuple[str, int], pd.DataFrame]

ANNOTATED = 10  # up to so many epochs a cell has room for its number
DARK = 0.3  # from this distance to 0.5 on white reads better
# Ochre: fakes pass for more real than the reals. Violet: they are told apart.
DIVERGING = ("#7a4a00", "#f5f2ee", "#4b3b8f")
STYLES = {"own-other-seed": ("#cc79a7", ":"), "other": (COLOURS["other"], "--")}
QUALITY = {"fid": "FID", "kid": "KID"}
TITLE = 24  # characters a line of a detector's name


def generations(matrix: Sequence[Row], named: Callable[[str], str]) -> Figure:
    """AUROC of discriminator D_i (rows) on its generator's G_j (columns), mean over seeds.

    A panel for each detector and group of test reals; the diagonal, where both are of the same
    epoch, is framed. ``named`` says a source in words.
    """
    detectors = list(dict.fromkeys(str(row["detector"]) for row in matrix))
    reals = list(dict.fromkeys(str(row["real"]) for row in matrix))
    side = 0.8 + 0.42 * min(max(len({row["j"] for row in matrix}), 4), ANNOTATED)
    figure = new_figure(side * len(detectors) + 1.5, (side + 0.75) * len(reals) + 0.3)
    panels = figure.subplots(len(reals), len(detectors), squeeze=False)
    table = pd.DataFrame(matrix)
    for axes, (real, detector) in zip(
        panels.ravel(), ((r, d) for r in reals for d in detectors), strict=True
    ):
        rows = table[(table["detector"] == detector) & (table["real"] == real)]
        if rows.empty:
            axes.set_visible(False)
            continue
        _panel(axes, rows)
        against = named(real).replace(", ", ",\n")
        axes.set_title(f"{wrapped(detector, TITLE)}\nagainst {against}", fontsize=9)
    # One bar for all panels, as they share their colours.
    shown = next(axes for axes in panels.ravel() if axes.get_visible())
    bar = figure.colorbar(shown.collections[0], ax=panels, shrink=0.7, aspect=28)
    bar.set_label("AUROC (0.5: a coin toss)")
    bar.outline.set_visible(False)
    return figure


def answers_by_epoch(cells: Sequence[Row], histories: Histories) -> Figure:
    """Share answered correctly by epoch, at both operating points; below, FID and KID.

    A column for each detector. With several seeds thin lines are seeds and the thick one is their
    mean; with one, the band is the 95 % interval over images.
    """
    detectors = list(dict.fromkeys(str(row["detector"]) for row in cells))
    points = list(dict.fromkeys(str(row["operating_point"]) for row in cells))
    own = {name: _histories(histories, name) for name in detectors}
    measured = [key for key in QUALITY if any(_has(h, key) for of in own.values() for h in of)]
    heights = [1.5] * len(points) + [1.0] * len(measured)
    figure = new_figure(max(3.0 * len(detectors) + 0.7, 5.6), 1.45 * sum(heights) + 1.2)
    panels = figure.subplots(len(heights), len(detectors), squeeze=False, height_ratios=heights,
                             sharex="col", sharey="row")  # fmt: skip
    table = pd.DataFrame(cells)
    for column, detector in enumerate(detectors):
        for axes, point in zip(panels[:, column], points, strict=False):
            chosen = (table["detector"] == detector) & (table["operating_point"] == point)
            _shares(axes, table[chosen])
        for axes, key in zip(panels[len(points) :, column], measured, strict=True):
            _quality(axes, own[detector], key)
        panels[0, column].set_title(wrapped(detector, TITLE))
        panels[-1, column].set_xlabel("epoch")
        panels[-1, column].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    for axes in panels[len(points) :, 0]:  # once all are drawn, as the row shares its axis
        axes.set_ylim(bottom=0)
    for axes, name in zip(panels[:, 0], [*points, *measured], strict=True):
        axes.set_ylabel(f"{QUALITY[name]}\n(lower is better)" if name in QUALITY
                        else f"correct, {name}\noperating point")  # fmt: skip
    legend_below(figure, columns=2 if len(detectors) < 3 else 4)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    means = rows.pivot_table(index="i", columns="j", values="auroc").sort_index(ascending=False)
    few = max(means.shape) <= ANNOTATED
    sns.heatmap(means, cmap=LinearSegmentedColormap.from_list("auroc", DIVERGING), vmin=0, vmax=1,
                annot=few, fmt=".2f", annot_kws={"fontsize": 8}, cbar=False, square=True,
                linewidths=1 if few else 0, linecolor="white", ax=axes)  # fmt: skip
    values = means.to_numpy().ravel()
    for text, value in zip(axes.texts, values[np.isfinite(values)], strict=False):
        text.set_color(ON_DARK if abs(value - 0.5) >= DARK else ON_LIGHT)
    shown = means.index.to_list()
    for column, j in enumerate(means.columns):
        if j in shown:
            place = (column + 0.04, shown.index(j) + 0.04)
            axes.add_patch(Rectangle(place, 0.92, 0.92, fill=False, edgecolor=INK, linewidth=1.2))
    axes.set(xlabel="epoch j of the generator", ylabel="epoch i of the discriminator")
    axes.tick_params(axis="y", rotation=0)
    without_grid(axes)


def _shares(axes: Axes, rows: pd.DataFrame) -> None:
    for role in GROUPS:
        of_role = rows[rows["role"] == role]
        colour, style = STYLES.get(role, (COLOURS.get(role, INK), "-"))
        for _, of_source in of_role.groupby("source"):
            runs = of_source.pivot_table(index="epoch", columns="seed", values="correct")
            mean = runs.mean(axis=1)
            marker = "o" if len(mean) < 15 else ""
            axes.plot(mean.index, mean, color=colour, linestyle=style, marker=marker,
                      markersize=3.5, label=images(role), zorder=3)  # fmt: skip
            if runs.shape[1] > 1:
                axes.plot(runs.index, runs, color=colour, linewidth=0.8, alpha=0.45)
            else:
                _band(axes, of_source, colour)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))


def _band(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    ordered = rows.sort_values("epoch")
    low, high = np.array(ordered["ci95"].to_list()).T
    axes.fill_between(ordered["epoch"], low, high, color=colour, alpha=0.2, linewidth=0)


def _quality(axes: Axes, histories: Sequence[pd.DataFrame], key: str) -> None:
    found = [history for history in histories if _has(history, key)]
    for history in found:
        kept = history[history[key].notna()]
        width = 0.8 if len(found) > 1 else 1.8
        axes.plot(kept["epoch"], kept[key], color=QUIET, linewidth=width)
    if len(found) > 1:
        mean = pd.concat(found).groupby("epoch")[key].mean().dropna()
        axes.plot(mean.index, mean, color=INK)


def _histories(histories: Histories, detector: str) -> list[pd.DataFrame]:
    """Training of the GAN whose discriminator this detector is, a table for each seed."""
    return [history for (name, _), history in sorted(histories.items(), key=lambda one: one[0])
            if name == detector]  # fmt: skip


def _has(history: pd.DataFrame, column: str) -> bool:
    return column in history and bool(history[column].notna().any())
