"""Ranking under processing: of both sides together, of the fakes alone and of the reals alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_panels
from gandetect.report.words import wrapped
from gandetect.statistics.rows import Row, chosen

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


def processing(kind: str, level: float) -> str:
    """A processing and its level: ``JPEG compression, q 75``."""
    return f"{KINDS.get(kind, kind)}, {level_words(kind, level)}"


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
    size = max(2.9 * len(detectors) + 0.6, 5.2), 1.75 * len(kinds) + 0.9
    figure, panels = new_panels(*size, len(kinds), len(detectors), sharey=True)
    for line, kind in zip(panels, kinds, strict=True):
        for axes, detector in zip(line, detectors, strict=True):
            _draw(axes, chosen(means, detector=detector), chosen(runs, detector=detector), kind)
        line[0].set_ylabel(f"{wrapped(KINDS.get(kind, kind), 16)}\nAUROC")
    for axes, detector in zip(panels[0], detectors, strict=True):
        axes.set_title(wrapped(detector, 24))
    lows = [row["auroc"] for row in (*means, *runs)]
    panels[0, 0].set_ylim(min(0.4, *lows) - 0.03, 1.03)
    legend_below(figure, columns=4 if len(detectors) > 2 else 2)
    return figure


def _draw(axes: Axes, means: Sequence[Row], runs: Sequence[Row], kind: str) -> None:
    of_kind = chosen(means, perturbation=kind)
    levels = in_order(kind, [row["level"] for row in of_kind])
    for row in means[:1]:
        axes.axhline(row["unperturbed"], color=QUIET, linewidth=1.1, linestyle=":",
                     label="images as they are")  # fmt: skip
    axes.axhline(0.5, color=COIN, linewidth=0.8)
    for side, (label, colour, style, shift) in SIDES.items():
        of_side = chosen(of_kind, applied_to=side)
        of_side.sort(key=lambda row: levels.index(row["level"]))
        places = [levels.index(row["level"]) + shift for row in of_side]
        axes.plot(places, [row["auroc"] for row in of_side], color=colour, linestyle=style,
                  marker="o", markersize=4, label=label, zorder=3)  # fmt: skip
        bounds = np.array([_interval(row) for row in of_side]).reshape(-1, 2).T
        axes.vlines(places, *bounds, color=colour, linewidth=1.2)
        single = chosen(runs, perturbation=kind, applied_to=side)
        if len({row["seed"] for row in single}) > 1:
            at = [levels.index(row["level"]) + shift for row in single]
            axes.plot(at, [row["auroc"] for row in single], ".", color=colour, markersize=3.2,
                      alpha=0.5)  # fmt: skip
    # Two lines for the longer levels, so that neighbours keep apart.
    words = (level_words(kind, level).replace(" of ", "\nof ") for level in levels)
    axes.set_xticks(range(len(levels)), [one.replace(" px", "\npx") for one in words])
    axes.tick_params(axis="x", labelsize=7.5)
    axes.set_xlim(-0.4, len(levels) - 0.6)


def _interval(row: Row) -> tuple[float, float]:
    """The interval of the change, laid around the AUROC of the processed images."""
    low, high = row["change_ci95"]
    return max(row["unperturbed"] + low, 0.0), min(row["unperturbed"] + high, 1.0)
