"""Every training run as a dot, beside the mean and its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.evaluation import Metrics
from gandetect.report.figures.decisions import detector_names, matrix_sources
from gandetect.report.style import COLOURS, INK, new_figure
from gandetect.report.words import POINTS, wrapped


def runs_by_source(metrics: Metrics, points: Sequence[str], named: Callable[[str], str]) -> Figure:
    """A row of panels for each detector, a panel for each point; ``named`` says a source."""
    sources = matrix_sources(metrics)[::-1]
    detectors = detector_names(metrics)
    figure = new_figure(9.6, (0.75 + 0.3 * len(sources)) * len(detectors) + 0.3)
    panels = figure.subplots(len(detectors), len(points), squeeze=False, sharex=True, sharey=True)
    for across, detector in zip(panels, detectors, strict=True):
        for axes, point in zip(across, points, strict=True):
            for row in metrics["across_seeds"]:
                if (row["detector"], row["operating_point"]) == (detector, point):
                    _draw(axes, sources.index(row["source"]), row)
            axes.set_yticks(range(len(sources)), [wrapped(named(s), 30) for s in sources])
            axes.set_xlim(-0.02, 1.02)
            axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
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
