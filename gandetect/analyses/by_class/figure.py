"""Share of real images flagged, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, QUIET, legend_below, new_panels, share_axis
from gandetect.report.words import POINTS, wrapped
from gandetect.statistics.rows import Row, chosen, grouped


def false_alarms(rows: Sequence[Row], detectors: Sequence[str], points: Sequence[str]) -> Figure:
    """A row of panels for each detector, a panel for each point: classes from most to least."""
    by_class = grouped(rows, "class_name").items()
    worst = {name: fmean(row["mean"] for row in of) for (name,), of in by_class}
    classes = sorted(sorted(worst), key=lambda name: worst[name])
    height = 0.4 + (0.9 + 0.23 * len(classes)) * len(detectors)
    figure, panels = new_panels(9.6, height, len(detectors), len(points), sharex=True, sharey=True)
    for across, detector in zip(panels, detectors, strict=True):
        for axes, point in zip(across, points, strict=True):
            for row in chosen(rows, detector=detector, operating_point=point):
                _draw(axes, classes.index(row["class_name"]), row)
            axes.set_yticks(range(len(classes)), classes)
            share_axis(axes)
            axes.set_title(f"{wrapped(detector, 30)}: {POINTS[point]}")
    for axes in panels[-1]:
        axes.set_xlabel("real images flagged")
    legend_below(figure, columns=2)
    return figure


def _draw(axes: Axes, place: int, row: Row) -> None:
    held_out, (low, high) = row["held_out"], row["ci95"]
    axes.errorbar(
        row["mean"],
        place,
        xerr=[[row["mean"] - low], [high - row["mean"]]],
        fmt="D" if held_out else "o",
        color=COLOURS["held-out" if held_out else "in-distribution"],
        markersize=5,
        capsize=2.5,
        linewidth=1.4,
        label="class that nobody trained on" if held_out else "trained class",
        zorder=3,
    )
    if len(row["seeds"]) > 1:
        axes.scatter(row["delayed"], np.full(len(row["delayed"]), place), s=9, color=QUIET,
                     alpha=0.7, linewidths=0, zorder=4)  # fmt: skip
