"""What a detector costs a marketplace, beside what it costs to do without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, MARKERS, QUIET, legend_below, new_panels, offsets
from gandetect.report.words import FAKE_ROLES, REALS, images, wrapped
from gandetect.statistics.rows import Row, chosen

SPREAD = 0.12  # lines between one seed and the next


def cost_chart(rows: Sequence[Row], detectors: Sequence[str], labelled: bool = False) -> Figure:
    """Expected cost of 1,000 uploads by detector and kind of fake, a panel for each group of reals.

    A marker for each generated source and seed; 95 % intervals over images where there is one
    seed. Lines: what it costs to let everything through and to flag everything. Hollow diamonds:
    the best cut on the test images themselves.
    """
    reals = [real for real in REALS if chosen(rows, real=real)]
    lines = [(detector, role) for detector in detectors for role in FAKE_ROLES
             if chosen(rows, detector=detector, role=role)]  # fmt: skip
    firsts = [place for place, (detector, _) in enumerate(lines)
              if place == 0 or lines[place - 1][0] != detector]  # fmt: skip
    size = 9.6, 1.6 + 0.4 * len(lines)
    figure, (panels,) = new_panels(*size, 1, len(reals), sharex=True, sharey=True)
    seeds = sorted({row["detector_seed"] for row in rows})
    shifts = dict(zip(seeds, offsets(len(seeds), SPREAD), strict=True))
    for axes, real in zip(panels, reals, strict=True):
        _policies(axes, rows[0])
        for row in chosen(rows, real=real):
            line = lines.index((row["detector"], row["role"])) + shifts[row["detector_seed"]]
            _mark(axes, row, line, len(seeds) == 1, labelled)
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0)
        for place in firsts[1:]:
            axes.axhline(place - 0.5, color=QUIET, linewidth=0.6)
        axes.set_title(f"uploads: {REALS[real]}", fontsize=9)
        axes.set_xlabel("cost of 1,000 uploads")
        axes.set_xlim(left=0)
    # A detector's name at its first line; the markers say what fakes each line is of.
    names = [wrapped(detector, 26) if place in firsts else ""
             for place, (detector, _) in enumerate(lines)]  # fmt: skip
    panels[0].set_yticks(range(len(lines)), names)
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    legend_below(figure, columns=3)
    return figure


def _policies(axes: Axes, row: Row) -> None:
    axes.axvline(row["let_through"], color=INK, linewidth=1.4, label="let everything through")
    axes.axvline(row["flag_all"], color=INK, linewidth=1.4, linestyle=(0, (4, 2)),
                 label="flag everything")  # fmt: skip
    axes.plot([], [], color=INK, marker="D", linestyle="none", markersize=5,
              markerfacecolor="none", label="best threshold possible")  # fmt: skip


def _mark(axes: Axes, row: Row, line: float, alone: bool, labelled: bool) -> None:
    role = row["role"]
    look: dict[str, Any] = {"color": COLOURS[role], "linestyle": "none"}
    if alone:
        axes.hlines(line, *row["ci95"]["cost"], color=COLOURS[role], linewidth=2.0)
    axes.plot(row["cost"], line, marker=MARKERS[role], markersize=5 if alone else 3.5,
              label=images(role, labelled), **look)  # fmt: skip
    axes.plot(row["oracle_cost"], line, marker="D", markersize=5 if alone else 4,
              markerfacecolor="none", zorder=1.5, **look)  # fmt: skip
