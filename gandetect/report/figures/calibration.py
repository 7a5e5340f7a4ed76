"""Whether probabilities can be believed, and how many labels a cut needs on a new source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.words import count, wrapped

PANELS = {
    "none": "as scored",
    "platt": "after Platt (scale and shift)",
    "isotonic": "after isotonic regression",
}
ROLES = {
    "own": ("own fakes", COLOURS["own"], "o"),
    "own-other-seed": ("fakes of another training run", COLOURS["own-other-seed"], "s"),
    "other": ("other fakes", COLOURS["other"], "^"),
}
LEAST_MASS = 0.01  # of 1/15: ties can leave a bin with a stray image that would draw a spike
TICKS = [0.0, 0.25, 0.5, 0.75, 1.0]


def reliability_diagrams(
    curves: Sequence[Mapping[str, Any]], detectors: Sequence[str], methods: Sequence[str]
) -> Figure:
    """A row for each detector, a panel for each method: probability said against share generated.

    A line for each seed and pair of groups; Wilson intervals where there is one seed. Bins of less
    than 1 % of the mass are not drawn.
    """
    figure = new_figure(9.6, 0.5 + 3.1 * len(detectors))
    panels = figure.subplots(len(detectors), len(methods), squeeze=False, sharex=True, sharey=True)
    for row, detector in zip(panels, detectors, strict=True):
        mine = [curve for curve in curves if curve["detector"] == detector]
        for axes, method in zip(row, methods, strict=True):
            shown = [curve for curve in mine if curve["method"] == method]
            alone = len({curve["detector_seed"] for curve in shown}) == 1
            axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (1, 2)),
                      label="what it says is so")  # fmt: skip
            for curve in sorted(shown, key=_last_on_top):
                _reliability_line(axes, curve, alone)
            axes.set_title(f"{wrapped(detector, 32)}\n{PANELS.get(method, method)}", fontsize=9)
            axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=TICKS, yticks=TICKS)
            axes.set_aspect("equal")
        row[0].set_ylabel("share that was generated")
    for axes in panels[-1]:
        axes.set_xlabel("probability that it said")
    legend_below(figure, columns=3)
    return figure


def k_shot_curves(rows: Sequence[Mapping[str, Any]], detectors: Sequence[str]) -> Figure:
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
            _k_shot_line(axes, mine[mine["source"] == source], shots, offset)
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


def _last_on_top(curve: Mapping[str, Any]) -> int:
    return -list(ROLES).index(curve["role"]) if curve["role"] in ROLES else 1


def _reliability_line(axes: Axes, curve: Mapping[str, Any], alone: bool) -> None:
    words, colour, marker = ROLES[curve["role"]]
    held_out = curve["real"] == "real:held-out"
    reals = "held-out classes" if held_out else "known classes"
    kept = np.array(curve["mass"]) >= LEAST_MASS
    predicted, observed = (np.array(curve[name])[kept] for name in ("predicted", "observed"))
    if alone:
        low, high = np.array(curve["ci95"])[kept].T
        axes.vlines(predicted, low, high, color=colour, linewidth=1.0, alpha=0.5)
    axes.plot(
        predicted,
        observed,
        color=colour,
        marker=marker if alone else None,
        markersize=3.5,
        markerfacecolor="white" if held_out else colour,
        linewidth=1.4 if alone else 0.8,
        linestyle=(0, (4, 1.5)) if held_out else "solid",
        label=f"{words}, reals of {reals}",
    )


def _k_shot_line(axes: Axes, rows: pd.DataFrame, shots: Sequence[int], offset: float) -> None:
    words, colour, marker = ROLES[str(rows["role"].iloc[0])]
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
