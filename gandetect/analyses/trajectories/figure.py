"""Detectors over the epochs of their training, by group of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gandetect.analyses.generators.figure import has_numbers
from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_panels, percent_axis
from gandetect.report.words import GROUPS, images, wrapped
from gandetect.statistics.rows import Row, chosen

Histories = Mapping[tuple[str, int], pd.DataFrame]

STYLES = {"own-other-seed": ("#cc79a7", ":"), "other": (COLOURS["other"], "--")}
QUALITY = {"fid": "FID, own features", "kid": "KID, own features"}
TITLE = 24  # characters a line of a detector's name


def answers_by_epoch(cells: Sequence[Row], histories: Histories) -> Figure:
    """Share answered correctly by epoch, at both operating points; below, FID and KID.

    A column for each detector. With several seeds thin lines are seeds and the thick one is their
    mean; with one, the band is the 95 % interval over images.
    """
    detectors, points = (list(dict.fromkeys(row[key] for row in cells))
                         for key in ("detector", "operating_point"))  # fmt: skip
    own = {detector: [histories[key] for key in sorted(histories) if key[0] == detector]
           for detector in detectors}  # fmt: skip
    measured = [key for key in QUALITY
                if any(has_numbers(one, key) for of in own.values() for one in of)]  # fmt: skip
    heights = [1.5] * len(points) + [1.0] * len(measured)
    size = max(3.0 * len(detectors) + 0.7, 5.6), 1.45 * sum(heights) + 1.2
    figure, panels = new_panels(*size, len(heights), len(detectors), height_ratios=heights,
                                sharex="col", sharey="row")  # fmt: skip
    for column, detector in zip(panels.T, detectors, strict=True):
        for axes, point in zip(column, points, strict=False):
            draw_shares(axes, chosen(cells, detector=detector, operating_point=point))
        for axes, key in zip(column[len(points) :], measured, strict=True):
            _quality(axes, own[detector], key)
        column[0].set_title(wrapped(detector, TITLE))
        column[-1].set_xlabel("epoch")
        column[-1].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    for axes in panels[len(points) :, 0]:  # once all are drawn, as the row shares its axis
        axes.set_ylim(bottom=0)
    for axes, name in zip(panels[:, 0], [*points, *measured], strict=True):
        axes.set_ylabel(f"{QUALITY[name]}\n(lower is better)" if name in QUALITY
                        else f"correct, {name}\noperating point")  # fmt: skip
    legend_below(figure, columns=2 if len(detectors) < 3 else 4)
    return figure


def draw_shares(axes: Axes, cells: Sequence[Row]) -> None:
    """Draw the share answered correctly by epoch, of one detector at one operating point."""
    rows = pd.DataFrame(cells)
    for role in GROUPS:
        colour, style = STYLES.get(role, (COLOURS.get(role, INK), "-"))
        for _, of_source in rows[rows["role"] == role].groupby("source"):
            runs = of_source.pivot_table(index="epoch", columns="seed", values="correct")
            mean = runs.mean(axis=1)
            marker = "o" if len(mean) < 15 else ""
            axes.plot(mean.index, mean, color=colour, linestyle=style, marker=marker,
                      markersize=3.5, label=images(role), zorder=3)  # fmt: skip
            if runs.shape[1] > 1:
                axes.plot(runs.index, runs, color=colour, linewidth=0.8, alpha=0.45)
                continue
            epochs = of_source.sort_values("epoch")
            low, high = np.array(epochs["ci95"].to_list()).T
            axes.fill_between(epochs["epoch"], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_ylim(-0.03, 1.03)
    percent_axis(axes.yaxis)


def _quality(axes: Axes, histories: Sequence[pd.DataFrame], key: str) -> None:
    runs = [history.dropna(subset=[key]) for history in histories if has_numbers(history, key)]
    for run in runs:
        axes.plot(run["epoch"], run[key], color=QUIET, linewidth=0.8 if len(runs) > 1 else 1.8)
    if len(runs) > 1:
        mean = pd.concat(runs).groupby("epoch")[key].mean()
        axes.plot(mean.index, mean, color=INK)
