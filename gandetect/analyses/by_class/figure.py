"""Share of real images flagged, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, QUIET, legend_below, new_figure, percent_axis
from gandetect.report.words import POINTS, wrapped

Row = Mapping[str, Any]


def false_alarms(rows: Sequence[Row], detectors: Sequence[str], points: Sequence[str]) -> Figure:
    """A row of panels for each detector, a panel for each point: classes from most to least."""
    classes = sorted({row["class_name"] for row in rows}, key=lambda name: _worst(rows, name))
    height = 0.9 + 0.23 * len(classes)
    figure = new_figure(9.6, 0.4 + height * len(detectors))
    panels = figure.subplots(len(detectors), len(points), squeeze=False, sharex=True, sharey=True)
    for across, detector in zip(panels, detectors, strict=True):
        for axes, point in zip(across, points, strict=True):
            for row in rows:
                if (row["detector"], row["operating_point"]) == (detector, point):
                    _draw(axes, classes.index(row["class_name"]), row)
            axes.set_yticks(range(len(classes)), classes)
            percent_axis(axes)
            axes.set_title(f"{wrapped(detector, 30)}: {POINTS[point]}")
    for axes in panels[-1]:
        axes.set_xlabel("real images flagged")
    legend_below(figure, columns=2)
    return figure


def _draw(axes: Any, place: int, row: Row) -> None:
    role = "held-out" if row["held_out"] else "in-distribution"
    label = "class that nobody trained on" if row["held_out"] else "trained class"
    low, high = row["ci95"]
    axes.errorbar(
        row["mean"],
        place,
        xerr=[[row["mean"] - low], [high - row["mean"]]],
        fmt="D" if row["held_out"] else "o",
        color=COLOURS[role],
        markersize=5,
        capsize=2.5,
        linewidth=1.4,
        label=label,
        zorder=3,
    )
    if len(row["seeds"]) > 1:
        axes.scatter(row["delayed"], np.full(len(row["delayed"]), place), s=9, color=QUIET,
                     alpha=0.7, linewidths=0, zorder=4)  # fmt: skip


def _worst(rows: Sequence[Row], class_name: str) -> float:
    return float(np.mean([row["mean"] for row in rows if row["class_name"] == class_name]))
