"""Variants side by side: what each makes of every group of images."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.analyses.variants.effects import FOUR, WANTED
from gandetect.analyses.variants.results import VariantsResults
from gandetect.report.style import INK, QUIET, legend_below, new_panels, offsets
from gandetect.report.words import wrapped
from gandetect.statistics.rows import Row, chosen

# What detectors are made of, by order: neither real's blue nor a fake's orange, on light and dark.
MARKS = (("#8a6fd1", "o"), ("#009e73", "s"), ("#cc79a7", "D"), ("#7f8c3a", "^"))
OTHERS = (QUIET, "v")
TITLES = {
    "own": "own fakes caught",
    "other": "other generator's fakes caught",
    "in-distribution": "in-distribution reals accepted",
    "held-out": "held-out reals accepted",
}


def groups_by_variant(results: VariantsResults, rows: Sequence[Row]) -> Figure:
    """A column for each group, a line for each variant, a dot for each detector.

    ``rows`` are `compare_variants`'s of one measure and of `FOUR`; bars are 95 % intervals.
    """
    labels = list(dict.fromkeys(map(results.label, results.least)))
    bases = results.made_of
    written = [wrapped(label, 28) for label in labels]
    shifts = offsets(len(bases), 0.7 / max(len(bases), 2))
    tallest = max(label.count("\n") + 1 for label in written)
    height = 1.2 + max(0.28, 0.1 * len(bases), 0.17 * tallest) * len(labels)
    figure, (panels,) = new_panels(10.2, height, 1, len(FOUR), sharey=True)
    for axes, group in zip(panels, FOUR, strict=True):
        for row in chosen(rows, group=group):
            number = bases.index(row["base"])
            place = labels.index(results.label(row)) + shifts[number]
            _draw(axes, place, row, number, results.made(row["base"]))
        axes.axvline(WANTED, color=INK, linewidth=0.9, linestyle="--", zorder=1)
        axes.set_title(wrapped(TITLES[group], 17), fontsize=9.5)
        axes.set_yticks(range(len(labels)), written)
        axes.set(xlim=(-0.04, 1.04), ylim=(len(labels) - 0.5, -0.5))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    legend_below(figure, columns=min(3, len(bases)))
    return figure


def _draw(axes: Axes, place: float, row: Row, number: int, made: str) -> None:
    colour, marker = MARKS[number] if number < len(MARKS) else OTHERS
    axes.hlines([place], *row["ci95"], color=colour, linewidth=1.6, zorder=2)
    axes.plot([row["mean"]], [place], linestyle="", marker=marker, markersize=4.6, color=colour,
              zorder=3, label=made.lower()[:1] + made[1:])  # fmt: skip
