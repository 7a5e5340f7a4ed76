"""Balanced accuracy by number of labelled fakes of a new source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, MARKERS, QUIET, legend_below, new_figure
from gandetect.report.words import count, images, wrapped


def k_shot_curves(
    rows: Sequence[Mapping[str, Any]], detectors: Sequence[str], labelled: bool = False
) -> Figure:
    """Balanced accuracy by number of labelled fakes, a panel for each detector, a line a source.

    Whiskers: 2.5 to 97.5 % of the draws with one seed, lowest to highest seed with several. The
    dashed line at the right is the best cut on the test images themselves.
    """
    table = pd.DataFrame([dict(row) for row in rows])
    shots = sorted(int(k) for k in table["k"].unique())
    across = 2 if len(detectors) == 4 else min(3, len(detectors))
    down = -(-len(detectors) // across)
    figure = new_figure(9.6 if across > 1 else 6.4, 0.6 + 2.9 * down)
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes, detector in zip(panels.ravel(), detectors, strict=False):
        mine = table[table["detector"] == detector]
        sources = list(mine["source"].unique())
        for place, source in enumerate(sources):
            offset = 0.3 * (place - (len(sources) - 1) / 2) / max(len(sources) - 1, 1)
            _k_shot_line(axes, mine[mine["source"] == source], shots, offset, labelled)
        axes.axhline(0.5, color=QUIET, linewidth=1, linestyle=(0, (1, 2)), label="a coin toss")
        axes.plot(
            [], [], color=INK, linewidth=1.6, linestyle=(0, (2, 1)), label="best cut possible"
        )
        axes.set_xticks(range(len(shots)), [count(k) for k in shots])
        axes.set_xlim(-0.4, len(shots) - 0.1)
        axes.set_title(wrapped(detector, 30), fontsize=9)
        axes.set_xlabel("labelled fakes of the new source")
    for axes in panels[:, 0]:
        axes.set_ylabel("balanced accuracy")
    for axes in panels.ravel()[len(detectors) :]:
        axes.set_visible(False)
    legend_below(figure, columns=4 if across > 1 else 2)
    return figure


def _k_shot_line(
    axes: Axes, rows: pd.DataFrame, shots: Sequence[int], offset: float, labelled: bool
) -> None:
    role = str(rows["role"].iloc[0])
    words, colour, marker = images(role, labelled), COLOURS[role], MARKERS[role]
    by_k = rows.groupby("k")
    means = by_k["balanced_accuracy"].mean()
    if len(set(rows["detector_seed"])) == 1:
        low, high = by_k["low"].first(), by_k["high"].first()
    else:
        low, high = by_k["balanced_accuracy"].min(), by_k["balanced_accuracy"].max()
    places = np.array([shots.index(int(k)) for k in means.index]) + offset
    axes.vlines(places, low.astype(float), high.astype(float), color=colour, linewidth=1.2)
    axes.plot(places, means, color=colour, marker=marker, markersize=4, linewidth=1.2, label=words)
    best = float(rows.groupby("detector_seed")["oracle"].first().mean())
    end = len(shots) - 1
    axes.plot([end + 0.2, end + 0.8], [best, best], color=colour, linewidth=1.6,
              linestyle=(0, (2, 1)))  # fmt: skip
