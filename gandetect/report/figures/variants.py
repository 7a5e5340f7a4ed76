"""Variants side by side: every group of images, and classes trained on and held out."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.evaluation.variants.effects import FOUR, WANTED
from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.variants.material import Row, VariantsMaterial
from gandetect.report.words import wrapped

# What detectors are made of, by order: neither real's blue nor a fake's orange, on light and dark.
MARKS = (("#8a6fd1", "o"), ("#009e73", "s"), ("#cc79a7", "D"), ("#7f8c3a", "^"))
OTHERS = (QUIET, "v")
TITLES = {
    "own": "own fakes caught",
    "other": "other generator's fakes caught",
    "in-distribution": "in-distribution reals accepted",
    "held-out": "held-out reals accepted",
}
KNOWN, NEW = COLOURS["in-distribution"], COLOURS["held-out"]


def groups_by_variant(material: VariantsMaterial, rows: Sequence[Row]) -> Figure:
    """A column for each group, a line for each variant, a dot for each detector.

    ``rows`` are `compare_variants`'s of one measure and of `FOUR`; bars are 95 % intervals.
    """
    labels = material.lines
    written = [wrapped(label, 28) for label in labels]
    bases = material.made_of
    step = 0.7 / max(len(bases), 2)
    tallest = max(label.count("\n") + 1 for label in written)
    height = 1.2 + max(0.28, 0.1 * len(bases), 0.17 * tallest) * len(labels)
    figure = new_figure(10.2, height)
    panels = figure.subplots(1, len(FOUR), squeeze=False, sharey=True)[0]
    for axes, group in zip(panels, FOUR, strict=True):
        for row in rows:
            if row["group"] == group:
                number = bases.index(row["base"])
                place = labels.index(material.label(row)) + step * (number - (len(bases) - 1) / 2)
                _draw_group(axes, place, row, number, material.made(row["base"]))
        axes.axvline(WANTED, color=INK, linewidth=0.9, linestyle="--", zorder=1)
        axes.set_title(wrapped(TITLES[group], 17), fontsize=9.5)
        axes.set_yticks(range(len(labels)), written)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        _percentages(axes)
    legend_below(figure, columns=min(3, len(bases)))
    return figure


def classes_by_role(rows: Sequence[Row], detectors: Sequence[str]) -> Figure:
    """Each class's real images flagged when it was trained on and when held out, by detector.

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
        axes.set_xlabel("real images called generated")
        axes.tick_params(labelbottom=True)
    legend_below(figure, columns=3)
    return figure


def _draw_group(axes: Axes, place: float, row: Row, number: int, made: str) -> None:
    colour, marker = MARKS[number] if number < len(MARKS) else OTHERS
    axes.hlines([place], *row["ci95"], color=colour, linewidth=1.6, zorder=2)
    axes.plot([row["mean"]], [place], linestyle="", marker=marker, markersize=4.6, color=colour,
              zorder=3, label=made.lower()[:1] + made[1:])  # fmt: skip


def _draw_class(axes: Axes, place: int, row: Row) -> None:
    known, new = row["trained"], row["held_out"]
    axes.plot(known["flagged"], [place] * len(known["flagged"]), linestyle="", marker="o",
              markersize=3.4, markerfacecolor="none", markeredgecolor=KNOWN, markeredgewidth=0.7,
              label="trained on, one variant")  # fmt: skip
    if known["mean"] is not None:
        axes.plot([known["mean"]], [place], linestyle="", marker="|", markersize=10,
                  markeredgewidth=2.2, color=KNOWN, label="trained on, mean")  # fmt: skip
    if new["mean"] is None:
        return
    if row["difference"] is not None:
        low, high = (min(max(known["mean"] + bound, 0.0), 1.0) for bound in row["ci95"])
        axes.hlines([place], low, high, color=QUIET, linewidth=1.1, zorder=2)
    axes.plot(new["flagged"], [place] * len(new["flagged"]), linestyle="", marker="D",
              markersize=5.2, color=NEW, markeredgecolor=INK, markeredgewidth=0.6, zorder=4,
              label="held out, one variant")  # fmt: skip


def _percentages(axes: Axes) -> None:
    axes.set_xlim(-0.04, 1.04)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])


def _mean_of(rows: Sequence[Row], name: str) -> float:
    """How often a class is flagged when held out (or else trained on), over detectors."""
    sides = [row["held_out"]["mean"] if row["held_out"]["mean"] is not None
             else row["trained"]["mean"] for row in rows if row["class_name"] == name]  # fmt: skip
    return float(sum(sides) / len(sides))
