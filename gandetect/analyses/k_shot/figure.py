"""Balanced accuracy by number of labelled fakes of a new source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import (
    COLOURS,
    DOTTED,
    INK,
    MARKERS,
    QUIET,
    hide_empty,
    legend_below,
    new_panels,
    offsets,
)
from gandetect.report.words import count, images, wrapped
from gandetect.statistics.rows import Row

BEST = (0, (2, 1))  # the line of the best cut possible


def k_shot_curves(rows: Sequence[Row], detectors: Sequence[str], labelled: bool = False) -> Figure:
    """Balanced accuracy by number of labelled fakes, a panel for each detector, a line a source.

    Whiskers: 2.5 to 97.5 % of the draws with one seed, lowest to highest seed with several. The
    dashed line at the right is the best cut on the test images themselves.
    """
    table = pd.DataFrame([dict(row) for row in rows])
    shots = sorted(int(k) for k in table["k"].unique())
    across = 2 if len(detectors) == 4 else min(3, len(detectors))
    down = -(-len(detectors) // across)
    size = 9.6 if across > 1 else 6.4, 0.6 + 2.9 * down
    figure, panels = new_panels(*size, down, across, sharey=True)
    for axes, detector in zip(panels.ravel(), detectors, strict=False):
        mine = table[table["detector"] == detector]
        sources = list(mine["source"].unique())
        shifts = offsets(len(sources), 0.3 / max(len(sources) - 1, 1))
        for offset, source in zip(shifts, sources, strict=True):
            _k_shot_line(axes, mine[mine["source"] == source], shots, offset, labelled)
        axes.axhline(0.5, color=QUIET, linewidth=1, linestyle=DOTTED, label="a coin toss")
        axes.plot([], [], color=INK, linewidth=1.6, linestyle=BEST, label="best cut possible")
        axes.set_xticks(range(len(shots)), [count(k) for k in shots])
        axes.set_title(wrapped(detector, 30), fontsize=9)
        axes.set(xlabel="labelled fakes of the new source", xlim=(-0.4, len(shots) - 0.1))
    for axes in panels[:, 0]:
        axes.set_ylabel("balanced accuracy")
    hide_empty(figure)
    legend_below(figure, columns=4 if across > 1 else 2)
    return figure


def _k_shot_line(
    axes: Axes, rows: pd.DataFrame, shots: Sequence[int], offset: float, labelled: bool
) -> None:
    role = str(rows["role"].iloc[0])
    colour, accuracy = COLOURS[role], rows.groupby("k")["balanced_accuracy"]
    means, low, high = accuracy.mean(), accuracy.min(), accuracy.max()
    if len(set(rows["detector_seed"])) == 1:
        low, high = (rows.groupby("k")[bound].first().astype(float) for bound in ("low", "high"))
    places = np.array([shots.index(int(k)) for k in means.index]) + offset
    axes.vlines(places, low, high, color=colour, linewidth=1.2)
    axes.plot(places, means, color=colour, marker=MARKERS[role], markersize=4, linewidth=1.2,
              label=images(role, labelled))  # fmt: skip
    best = float(rows.groupby("detector_seed")["oracle"].first().mean())
    end = len(shots) - 1
    axes.plot([end + 0.2, end + 0.8], [best, best], color=colour, linewidth=1.6, linestyle=BEST)
