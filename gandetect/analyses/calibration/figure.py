"""Whether probabilities can be believed, and how many labels a cut needs on a new source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, DASHED, DOTTED, MARKERS, QUIET, legend_below, new_panels
from gandetect.report.words import FAKE_ROLES, REALS, images, wrapped
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scores import HELD_OUT

PANELS = {
    "none": "as scored",
    "platt": "after Platt (scale and shift)",
    "isotonic": "after isotonic regression",
}
LEAST_MASS = 0.01  # of 1/15: ties can leave a bin with a stray image that would draw a spike
TICKS = [0.0, 0.25, 0.5, 0.75, 1.0]


def reliability_diagrams(
    curves: Sequence[Row], detectors: Sequence[str], methods: Sequence[str], labelled: bool = False
) -> Figure:
    """A row for each detector, a panel for each method: probability said against share generated.

    A line for each seed and pair of groups; Wilson intervals where there is one seed. Bins of less
    than 1 % of the mass are not drawn.
    """
    size = len(detectors), len(methods)
    figure, panels = new_panels(9.6, 0.5 + 3.1 * size[0], *size, sharex=True, sharey=True)
    for row, detector in zip(panels, detectors, strict=True):
        for axes, method in zip(row, methods, strict=True):
            draw_reliability(axes, chosen(curves, detector=detector, method=method), labelled)
            axes.set_title(f"{wrapped(detector, 32)}\n{PANELS.get(method, method)}", fontsize=9)
        row[0].set_ylabel("share that was generated")
    for axes in panels[-1]:
        axes.set_xlabel("probability that it said")
    legend_below(figure, columns=3)
    return figure


def draw_reliability(axes: Axes, curves: Sequence[Row], labelled: bool = False) -> None:
    """Draw the curves of one detector and method."""
    alone = len({curve["detector_seed"] for curve in curves}) == 1
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=DOTTED,
              label="what it says is so")  # fmt: skip
    for curve in sorted(curves, key=lambda curve: -FAKE_ROLES.index(curve["role"])):
        _reliability_line(axes, curve, alone, labelled)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=TICKS, yticks=TICKS)
    axes.set_aspect("equal")


def _reliability_line(axes: Axes, curve: Row, alone: bool, labelled: bool) -> None:
    role, held_out = curve["role"], curve["real"] == HELD_OUT
    kept = np.array(curve["mass"]) >= LEAST_MASS
    predicted, observed = (np.array(curve[name])[kept] for name in ("predicted", "observed"))
    if alone:
        low, high = np.array(curve["ci95"])[kept].T
        axes.vlines(predicted, low, high, color=COLOURS[role], linewidth=1.0, alpha=0.5)
    axes.plot(
        predicted,
        observed,
        color=COLOURS[role],
        marker=MARKERS[role] if alone else None,
        markersize=3.5,
        markerfacecolor="white" if held_out else COLOURS[role],
        linewidth=1.4 if alone else 0.8,
        linestyle=DASHED if held_out else "solid",
        label=f"{images(role, labelled)} against {REALS[curve['real']]}",
    )
