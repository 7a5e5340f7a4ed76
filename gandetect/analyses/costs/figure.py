"""What a detector costs a marketplace, beside what it costs to do without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, MARKERS, QUIET, legend_below, new_figure
from gandetect.report.words import FAKE_ROLES, REALS, images, wrapped

SPREAD = 0.12  # lines between one seed and the next


def cost_chart(
    rows: Sequence[Mapping[str, Any]], detectors: Sequence[str], labelled: bool = False
) -> Figure:
    """Expected cost of 1,000 uploads by detector and kind of fake, a panel for each group of reals.

    A marker for each generated source and seed; 95 % intervals over images where there is one
    seed. Lines: what it costs to let everything through and to flag everything. Hollow diamonds:
    the best cut on the test images themselves.
    """
    reals = [real for real in REALS if any(row["real"] == real for row in rows)]
    lines = [
        (detector, role)
        for detector in detectors
        for role in FAKE_ROLES
        if any((row["detector"], row["role"]) == (detector, role) for row in rows)
    ]
    figure = new_figure(9.6, 1.6 + 0.4 * len(lines))
    panels = figure.subplots(1, len(reals), squeeze=False, sharex=True, sharey=True)[0]
    seeds = sorted({row["detector_seed"] for row in rows})
    middle, alone = (len(seeds) - 1) / 2, len(seeds) == 1
    for axes, real in zip(panels, reals, strict=True):
        _policies(axes, rows[0])
        for row in rows:
            if row["real"] == real:
                line = lines.index((row["detector"], row["role"]))
                place = line + SPREAD * (seeds.index(row["detector_seed"]) - middle)
                _mark(axes, row, place, alone, labelled)
        _separate(axes, lines)
        axes.set_title(f"uploads: {REALS[real]}", fontsize=9)
        axes.set_xlabel("cost of 1,000 uploads")
        axes.set_xlim(left=0)
    panels[0].set_yticks(range(len(lines)), _names(lines))
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    legend_below(figure, columns=3)
    return figure


def _policies(axes: Axes, row: Mapping[str, Any]) -> None:
    axes.axvline(row["let_through"], color=INK, linewidth=1.4, label="let everything through")
    axes.axvline(row["delay_all"], color=INK, linewidth=1.4, linestyle=(0, (4, 2)),
                 label="flag everything")  # fmt: skip
    axes.plot([], [], color=INK, marker="D", linestyle="none", markersize=5,
              markerfacecolor="none", label="best threshold possible")  # fmt: skip


def _mark(axes: Axes, row: Mapping[str, Any], line: float, alone: bool, labelled: bool) -> None:
    words, colour, marker = (
        images(row["role"], labelled),
        COLOURS[row["role"]],
        MARKERS[row["role"]],
    )
    if alone:
        axes.hlines(line, *row["ci95"]["cost"], color=colour, linewidth=2.0)
    axes.plot(row["cost"], line, color=colour, marker=marker, linestyle="none",
              markersize=5 if alone else 3.5, label=words)  # fmt: skip
    axes.plot(row["oracle_cost"], line, color=colour, marker="D", linestyle="none", zorder=1.5,
              markersize=5 if alone else 4, markerfacecolor="none")  # fmt: skip


def _separate(axes: Axes, lines: Sequence[tuple[str, str]]) -> None:
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    for place in range(1, len(lines)):
        if lines[place][0] != lines[place - 1][0]:
            axes.axhline(place - 0.5, color=QUIET, linewidth=0.6)


def _names(lines: Sequence[tuple[str, str]]) -> list[str]:
    """A detector's name at its first line; the markers say what fakes each line is of."""
    first = [place == 0 or lines[place - 1][0] != line[0] for place, line in enumerate(lines)]
    return [
        wrapped(detector, 26) if opens else ""
        for (detector, _), opens in zip(lines, first, strict=True)
    ]
