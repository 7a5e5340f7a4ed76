"""Several choices of held-out classes side by side: class by class, and share by share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.words import wrapped

Row = Mapping[str, Any]
KNOWN, NEW = COLOURS["in-distribution"], COLOURS["held-out"]
# The four shares: what each role is called in a panel, and its colour.
SHARES = {
    "own": ("own fakes caught", COLOURS["own"]),
    "other": ("other fakes caught", COLOURS["other"]),
    "in-distribution": ("familiar reals passed", KNOWN),
    "held-out": ("novel reals passed", NEW),
}


def delayed_when_left_out(rows: Sequence[Row], detectors: Sequence[str]) -> Figure:
    """Each class's false alarms when it was trained on and when it was held out, by detector.

    ``rows`` are `class_rows` of one operating point. The bar is the difference's 95 % interval,
    laid around the share when held out.
    """
    names = sorted({row["class_name"] for row in rows}, key=lambda name: _mean_of(rows, name))
    columns = min(2, len(detectors))
    lines = -(-len(detectors) // columns)
    figure = new_figure(4.7 * columns + 0.4, (0.8 + 0.27 * len(names)) * lines + 0.5)
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, detector in zip(panels, detectors, strict=False):
        for row in rows:
            if row["detector"] == detector:
                _draw_class(axes, names.index(row["class_name"]), row)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(wrapped(detector, 34))
        _percentages(axes)
    for axes in panels[len(detectors) :]:
        axes.set_visible(False)
    for axes in panels[max(len(detectors) - columns, 0) : len(detectors)]:
        axes.set_xlabel("honest pictures called generated")
        axes.tick_params(labelbottom=True)
    legend_below(figure, columns=3)
    return figure


def shares_by_choice(rows: Sequence[Row], detectors: Sequence[str]) -> Figure:
    """The four shares answered correctly: a panel a share, a band a detector, a dot a choice.

    ``rows`` are `shares_across` of one operating point; the band is the mean's 95 % interval over
    choices, which stand below each other so that equal shares can still be read.
    """
    labels = [wrapped(name, 15) for name in detectors]
    shown = [role for role in SHARES if any(row["role"] == role for row in rows)]
    tallest = max(label.count("\n") + 1 for label in labels)
    choices = max(len(row["choices"]) for row in rows)
    height = 0.95 + max(0.3 + 0.16 * tallest, 0.16 + 0.12 * choices) * len(detectors)
    figure = new_figure(1.4 + 2.15 * len(shown), height)
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for axes, role in zip(panels, shown, strict=True):
        words, colour = SHARES[role]
        for row in rows:
            if row["role"] == role and row["detector"] in detectors:
                _draw_share(axes, detectors.index(row["detector"]), row, colour)
        axes.set_title(wrapped(words, 15), fontsize=9.5)
        axes.set_yticks(range(len(detectors)), labels)
        axes.set_ylim(len(detectors) - 0.5, -0.5)
        _percentages(axes)
        axes.set_xlim(-0.06, 1.06)
    figure.supxlabel("share answered correctly", fontsize=9)
    return figure


def _draw_class(axes: Axes, place: int, row: Row) -> None:
    known, new = row["trained"], row["held_out"]
    axes.plot(known["delayed"], [place] * len(known["delayed"]), linestyle="", marker="o",
              markersize=3.4, markerfacecolor="none", markeredgecolor=KNOWN, markeredgewidth=0.7,
              label="trained on, one choice")  # fmt: skip
    if known["mean"] is not None:
        axes.plot([known["mean"]], [place], linestyle="", marker="|", markersize=10,
                  markeredgewidth=2.2, color=KNOWN, label="trained on, mean")  # fmt: skip
    if new["mean"] is None:
        return
    if row["difference"] is not None:
        low, high = (min(max(known["mean"] + bound, 0.0), 1.0) for bound in row["ci95"])
        axes.hlines([place], low, high, color=QUIET, linewidth=1.1, zorder=2)
    axes.plot(new["delayed"], [place] * len(new["delayed"]), linestyle="", marker="D",
              markersize=5.2, color=NEW, markeredgecolor=INK, markeredgewidth=0.6, zorder=4,
              label="held out, one choice")  # fmt: skip


def _draw_share(axes: Axes, place: int, row: Row, colour: str) -> None:
    top, bottom = place - 0.4, place + 0.4
    if row["ci95"] is not None:
        axes.fill_betweenx([top, bottom], *row["ci95"], color=colour, alpha=0.25, linewidth=0)
    axes.vlines([row["mean"]], top, bottom, color=colour, linewidth=1.6, zorder=2)
    step = (bottom - top) / len(row["choices"])
    for number, share in enumerate(row["choices"], start=1):
        height = top + step * (number - 0.5)
        axes.plot([share], [height], marker="o", markersize=3, color=INK, zorder=3)
        side = -1 if share > 0.5 else 1  # towards the middle, so that none leaves the panel
        axes.annotate(str(number), (share, height), (side * 4, 0), fontsize=6.5,
                      textcoords="offset points", ha="right" if side < 0 else "left",
                      va="center_baseline",
                      path_effects=[withStroke(linewidth=1.6, foreground="white")])  # fmt: skip


def _percentages(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])


def _mean_of(rows: Sequence[Row], name: str) -> float:
    """How often a class is delayed when held out (or else trained on), over detectors."""
    sides = [row["held_out"]["mean"] if row["held_out"]["mean"] is not None
             else row["trained"]["mean"] for row in rows if row["class_name"] == name]  # fmt: skip
    return float(sum(sides) / len(sides))
