"""Generators left out beside those that a detector knows: means, intervals, every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure, percent_axis
from gandetect.report.words import POINTS, wrapped

Row = Mapping[str, Any]
LINES = (
    ("known", "generators it was trained on", COLOURS["own"], 0.16),
    ("unknown", "the generator left out", COLOURS["other"], -0.16),
)


def unknown_beside_known(protocols: Mapping[str, Sequence[Row]], point: str, real: str) -> Figure:
    """A row of panels for each protocol: share caught at ``point``, and AUROC against ``real``."""
    shown = {name: _by_left_out(rows) for name, rows in protocols.items()}
    heights = [0.75 + 0.42 * len(rows) for rows in shown.values()]
    figure = new_figure(9.6, sum(heights) + 0.75)
    panels = figure.subplots(
        len(shown), 2, squeeze=False, sharex="col", sharey="row", height_ratios=heights
    )
    for (caught, area), (name, rows) in zip(panels, shown.items(), strict=True):
        for place, found in enumerate(rows.values()):
            _draw(caught, place, found.get(("caught", point)))
            _draw(area, place, found.get(("auroc", real)))
        caught.set_yticks(range(len(rows)), [wrapped(label, 26) for label in rows])
        caught.set_ylim(-0.6, len(rows) - 0.4)
        caught.invert_yaxis()
        caught.set_title(f"{wrapped(name, 30)}: {POINTS[point]}")
        area.set_title("whatever the threshold")
        area.axvline(0.5, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        percent_axis(caught)
        area.set_xlim(-0.02, 1.02)
    panels[-1][0].set_xlabel("fakes caught")
    panels[-1][1].set_xlabel("AUROC against real images of trained classes (dashed: chance)")
    legend_below(figure, columns=2)
    return figure


def _by_left_out(rows: Sequence[Row]) -> dict[str, dict[tuple[str, str], Row]]:
    """The rows of each generator left out, the mean last, by what they measure."""
    found: dict[str, dict[tuple[str, str], Row]] = {}
    for row in rows:
        out = row["left_out"]
        label = "mean over those left out" if out is None else f"without {out.partition(':')[2]}"
        measured = row["metric"], row["operating_point"] or row["real"]
        found.setdefault(label, {})[measured] = row
    return found


def _draw(axes: Axes, place: int, row: Row | None) -> None:
    if row is None:
        return
    for group, label, colour, off in LINES:
        one, height = row[group], place - off
        axes.plot(one["ci95"], [height, height], color=colour, linewidth=6, alpha=0.35,
                  solid_capstyle="butt", label=label)  # fmt: skip
        axes.plot([one["mean"]], [height], marker="|", markersize=10, color=colour,
                  markeredgewidth=2)  # fmt: skip
        if len(one["values"]) > 1:
            axes.scatter(one["values"], np.full(len(one["values"]), height), s=9, color=INK,
                         linewidths=0, zorder=4)  # fmt: skip
