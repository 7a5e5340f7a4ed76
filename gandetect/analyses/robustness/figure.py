"""Ranking under processing: of both sides together, of the fakes alone and of the reals alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.words import wrapped

Row = Mapping[str, Any]

KINDS = {
    "jpeg": "JPEG compression",
    "blur": "blur",
    "noise": "noise",
    "resize": "resizing down and up",
    "brightness": "brightness",
}
LEVELS: dict[str, Callable[[float], str]] = {
    "jpeg": lambda level: f"q {level:g}",
    "blur": lambda level: f"sigma {level:g} px",
    "noise": lambda level: f"sd {level:g} of 255",
    "resize": lambda level: f"to {100 * level:g} %",
    "brightness": lambda level: f"x {level:g}",
}
WEAKEST_LAST = ("jpeg", "resize")  # a smaller level changes these more
COIN = "#b9b9c0"  # the line of a coin toss
# Who is processed: label, colour, line and place beside the level's tick.
SIDES = {
    "both": ("both processed", INK, "-", 0.0),
    "generated": ("only the fakes processed", COLOURS["own"], "--", -0.12),
    "real": ("only the reals processed", COLOURS["in-distribution"], "-.", 0.12),
}


def level_words(kind: str, level: float) -> str:
    """Say a level in words.

    >>> level_words("jpeg", 75.0), level_words("noise", 5.0)
    ('q 75', 'sd 5 of 255')
    """
    return LEVELS[kind](level) if kind in LEVELS else f"{level:g}"


def in_order(kind: str, levels: Sequence[float]) -> list[float]:
    """Levels as an axis shows them: from the weakest to the strongest, brightness from dark."""
    return sorted(set(levels), reverse=kind in WEAKEST_LAST)


def auroc_by_level(means: Sequence[Row], runs: Sequence[Row]) -> Figure:
    """AUROC against in-distribution reals over levels: a row a perturbation, a column a detector.

    Both are rows of `robustness`, of one generated source for each detector: ``means`` over seeds,
    drawn as lines with the 95 % interval of the change from images as they are, and ``runs``,
    small dots where there are several. Dotted is the AUROC of images as they are.
    """
    detectors = list(dict.fromkeys(str(row["detector"]) for row in means))
    kinds = list({str(row["perturbation"]): None for row in means if row["perturbation"] != "none"})
    kinds.sort(key=lambda kind: (list(KINDS).index(kind) if kind in KINDS else len(KINDS), kind))
    figure = new_figure(max(2.9 * len(detectors) + 0.6, 5.2), 1.75 * len(kinds) + 0.9)
    panels = figure.subplots(len(kinds), len(detectors), squeeze=False, sharey=True)
    for line, kind in enumerate(kinds):
        for column, detector in enumerate(detectors):
            axes = panels[line, column]
            own, single = ([row for row in rows if row["detector"] == detector]
                           for rows in (means, runs))  # fmt: skip
            _draw(axes, own, single, kind)
            if line == 0:
                axes.set_title(wrapped(detector, 24))
        panels[line, 0].set_ylabel(f"{wrapped(KINDS.get(kind, kind), 16)}\nAUROC")
    lows = [row["auroc"] for row in (*means, *runs)]
    panels[0, 0].set_ylim(min(0.4, *lows) - 0.03, 1.03)
    legend_below(figure, columns=4 if len(detectors) > 2 else 2)
    return figure


def _draw(axes: Axes, means: Sequence[Row], runs: Sequence[Row], kind: str) -> None:
    chosen = [row for row in means if row["perturbation"] == kind]
    levels = in_order(kind, [row["level"] for row in chosen])
    for row in means[:1]:
        axes.axhline(row["unperturbed"], color=QUIET, linewidth=1.1, linestyle=":",
                     label="images as they are")  # fmt: skip
    axes.axhline(0.5, color=COIN, linewidth=0.8)
    for side, (label, colour, style, shift) in SIDES.items():
        of_side = [row for row in chosen if row["applied_to"] == side]
        of_side.sort(key=lambda row: levels.index(row["level"]))
        places = [levels.index(row["level"]) + shift for row in of_side]
        axes.plot(places, [row["auroc"] for row in of_side], color=colour, linestyle=style,
                  marker="o", markersize=4, label=label, zorder=3)  # fmt: skip
        bounds = np.array([_interval(row) for row in of_side]).reshape(-1, 2).T
        axes.vlines(places, *bounds, color=colour, linewidth=1.2)
        single = [row for row in runs if (row["perturbation"], row["applied_to"]) == (kind, side)]
        if len({row["seed"] for row in single}) > 1:
            at = [levels.index(row["level"]) + shift for row in single]
            axes.plot(at, [row["auroc"] for row in single], ".", color=colour, markersize=3.2,
                      alpha=0.5)  # fmt: skip
    axes.set_xticks(range(len(levels)), [_broken(level_words(kind, one)) for one in levels])
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_xlim(-0.4, len(levels) - 0.6)


def _interval(row: Row) -> tuple[float, float]:
    """The interval of the change, laid around the AUROC of the processed images."""
    low, high = row["change_ci95"]
    return max(row["unperturbed"] + low, 0.0), min(row["unperturbed"] + high, 1.0)


def _broken(words: str) -> str:
    """Two lines for the longer levels, so that neighbours keep apart."""
    return words.replace(" of ", "\nof ").replace(" px", "\npx")
