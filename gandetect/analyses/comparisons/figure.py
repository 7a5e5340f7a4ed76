"""Every training run as a dot, beside the mean and its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.results import detector_names, matrix_sources
from gandetect.report.style import COLOURS, INK, new_panels, share_axis
from gandetect.report.words import POINTS, wrapped
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scores import Metrics


def runs_by_source(metrics: Metrics, points: Sequence[str], named: Callable[[str], str]) -> Figure:
    """A row of panels for each detector, a panel for each point; ``named`` says a source."""
    rows, detectors = metrics["across_seeds"], detector_names(metrics)
    known = {name: {row["source"] for row in chosen(rows, detector=name)} for name in detectors}
    order = matrix_sources(metrics)[::-1]
    sources = {name: [source for source in order if source in known[name]] for name in detectors}
    heights = [0.75 + 0.3 * len(sources[name]) for name in detectors]
    figure, panels = new_panels(9.6, sum(heights) + 0.3, len(detectors), len(points), sharex=True,
                                sharey="row", height_ratios=heights)  # fmt: skip
    for across, (detector, own) in zip(panels, sources.items(), strict=True):
        for axes, point in zip(across, points, strict=True):
            draw_runs(axes, chosen(rows, detector=detector, operating_point=point), own, named)
            axes.set_title(f"{wrapped(detector, 30)}: {POINTS[point]}")
    for axes in panels[-1]:
        axes.set_xlabel("answered correctly")
    return figure


def draw_runs(
    axes: Axes, rows: Sequence[Row], sources: Sequence[str], named: Callable[[str], str]
) -> None:
    """Draw the runs, means and intervals of one detector at one point, a line a source."""
    for row in rows:
        place, colour = sources.index(row["source"]), COLOURS[row["role"]]
        axes.plot(row["ci95"], [place, place], color=colour, linewidth=5, alpha=0.35,
                  solid_capstyle="butt")  # fmt: skip
        axes.plot(row["mean"], place, marker="|", markersize=11, color=colour, markeredgewidth=2)
        axes.scatter(row["correct"], np.full(len(row["correct"]), place), s=12, color=INK,
                     linewidths=0, zorder=4)  # fmt: skip
    axes.set_yticks(range(len(sources)), [wrapped(named(source), 30) for source in sources])
    share_axis(axes)
