"""How well trivial probes tell fakes from reals, beside the detectors that know those fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.analyses.audit.numbers import ALARM
from gandetect.report.style import (
    COLOURS,
    INK,
    QUIET,
    hide_empty,
    legend_below,
    new_panels,
    offsets,
)
from gandetect.report.words import wrapped
from gandetect.statistics.rows import Row, chosen, grouped

STEP = 0.15  # of a row's height, from one seed's dot to the next
LINE = 0.16  # inches a line of a row's name
WIDTH = 24  # characters of it
PROBE = "#4d4d55"


def probes_and_detectors(
    probes: Sequence[Row], detectors: Sequence[Row], named: Callable[[str], str]
) -> Figure:
    """A panel for each source: AUROC of each probe and detector, a dot a seed, 95 % intervals.

    Args:
        probes: rows of `metrics["audit"]`.
        detectors: rows with `detector`, `seed`, `source`, `auroc` and `ci95`.
        named: says a source in words.
    """
    by_source = {
        source: _lines(of, "probe") + _lines(chosen(detectors, source=source), "detector")
        for (source,), of in grouped(probes, "source").items()
    }
    columns = min(2, len(by_source))
    lines = -(-len(by_source) // columns)
    height = max(map(_height, by_source.values())) + 0.9
    width = 4.6 * columns + (0.9 if columns == 1 else 0.0)
    figure, panels = new_panels(width, height * lines + 0.45, lines, columns, sharex=True)
    for axes, (source, rows) in zip(panels.ravel(), by_source.items(), strict=False):
        _draw(axes, rows)
        axes.set_title(f"{wrapped(named(source), 44)}\n{_size(probes, source)}", fontsize=9)
        axes.set_xlabel("AUROC, fakes against real images")
        axes.tick_params(labelbottom=True)
    hide_empty(figure)
    legend_below(figure, columns=2)
    return figure


def _lines(rows: Sequence[Row], kind: str) -> list[tuple[str, str, list[Row]]]:
    """Kind, name and seeds of each line of a panel, from best to worst."""
    lines = [(kind, name, sorted(of, key=lambda row: float(row["seed"])))
             for (name,), of in grouped(rows, kind).items()]  # fmt: skip
    return sorted(lines, key=lambda line: -np.mean([row["auroc"] for row in line[2]]))


def _height(rows: Sequence[tuple[str, str, list[Row]]]) -> float:
    """Inches that a panel's rows need, all as high as the one with the longest name."""
    longest = max(wrapped(name, WIDTH).count("\n") + 1 for _, name, _ in rows)
    return LINE * max(2, longest) * len(rows)


def _draw(axes: Axes, lines: Sequence[tuple[str, str, list[Row]]]) -> None:
    for place, (kind, _, rows) in enumerate(lines):
        shifts = offsets(len(rows), min(STEP, 0.7 / len(rows)))
        for row, shift in zip(rows, shifts, strict=True):
            _dot(axes, row, place + shift, kind)
    first = sum(kind == "probe" for kind, _, _ in lines)
    if first < len(lines):
        axes.axhline(first - 0.5, color=QUIET, linewidth=0.8)
    axes.axvline(0.5, color=QUIET, linewidth=1, linestyle=":", label="a coin toss")
    axes.axvline(ALARM, color=INK, linewidth=1, linestyle="--", label=f"{ALARM}: worth a warning")
    axes.set_yticks(range(len(lines)), [wrapped(name, WIDTH) for _, name, _ in lines])
    for tick, (kind, _, _) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_color(COLOURS["in-distribution"] if kind == "detector" else INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(min(0.4, axes.get_xlim()[0]), 1.02), ylim=(len(lines) - 0.4, -0.6))


def _dot(axes: Axes, row: Row, height: float, kind: str) -> None:
    if kind == "detector":
        colour, marker, label = COLOURS["in-distribution"], "D", "detector trained on these fakes"
    elif row["warning"]:
        colour, marker, label = COLOURS["own"], "o", "probe, a warning"
    else:
        colour, marker, label = PROBE, "o", "probe, no warning"
    low, high = row["ci95"]
    axes.plot([low, high], [height, height], color=colour, linewidth=1.3, solid_capstyle="butt")
    face = "white" if label == "probe, no warning" else colour
    axes.plot(row["auroc"], height, marker, color=colour, markerfacecolor=face, markersize=3.8,
              linestyle="none", label=label)  # fmt: skip


def _size(probes: Sequence[Row], source: str) -> str:
    own = chosen(probes, source=source)
    seeds = len({row["seed"] for row in own})
    fakes, reals = (max(row[key] for row in own) for key in ("n_generated", "n_real"))
    return f"{fakes:,} fakes, {reals:,} reals" + (f" each, {seeds} seeds" if seeds > 1 else "")
