"""Every training run as a dot, beside the mean and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.material import detector_names, matrix_sources
from gandetect.report.style import COLOURS, INK, new_figure, percent_axis
from gandetect.report.words import POINTS, wrapped
from gandetect.statistics.scores import Metrics


def runs_by_source(metrics: Metrics, points: Sequence[str], named: Callable[[str], str]) -> Figure:
    """A row of panels for each detector, a panel for each point; ``named`` says a source."""
    detectors = detector_names(metrics)
    met: dict[str, list[Mapping[str, Any]]] = {name: [] for name in detectors}
    for row in metrics["across_seeds"]:
        met[row["detector"]].append(row)
    columns = {
        name: [s for s in matrix_sources(metrics)[::-1] if s in {row["source"] for row in rows}]
        for name, rows in met.items()
    }
    heights = [0.75 + 0.3 * len(columns[name]) for name in detectors]
    figure = new_figure(9.6, sum(heights) + 0.3)
    panels = figure.subplots(
        len(detectors), len(points), squeeze=False, sharex=True, sharey="row", height_ratios=heights
    )
    for across, detector in zip(panels, detectors, strict=True):
        sources = columns[detector]
        for axes, point in zip(across, points, strict=True):
            for row in met[detector]:
                if row["operating_point"] == point:
                    _draw(axes, sources.index(row["source"]), row)
            axes.set_yticks(range(len(sources)), [wrapped(named(s), 30) for s in sources])
            percent_axis(axes)
            axes.set_title(f"{wrapped(detector, 30)}: {POINTS[point]}")
    for axes in panels[-1]:
        axes.set_xlabel("answered correctly")
    return figure


def _draw(axes: Axes, place: int, row: Mapping[str, Any]) -> None:
    colour = COLOURS[row["role"]]
    axes.plot(row["ci95"], [place, place], color=colour, linewidth=5, alpha=0.35,
              solid_capstyle="butt")  # fmt: skip
    axes.plot([row["mean"]], [place], marker="|", markersize=11, color=colour, markeredgewidth=2)
    axes.scatter(row["correct"], np.full(len(row["correct"]), place), s=12, color=INK,
                 linewidths=0, zorder=4)  # fmt: skip
