"""How well trivial probes tell fakes from reals, beside the detectors that know those fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.analyses.audit.numbers import ALARM
from gandetect.report.style import COLOURS, INK, QUIET, legend_below, new_figure
from gandetect.report.words import wrapped

Row = Mapping[str, Any]

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
    sources = list(dict.fromkeys(str(row["source"]) for row in probes))
    panels = [_panel_rows(source, probes, detectors) for source in sources]
    columns = min(2, len(sources))
    lines = -(-len(sources) // columns)
    height = max(_height(rows) for rows in panels) + 0.9
    figure = new_figure(4.6 * columns + (0.9 if columns == 1 else 0.0), height * lines + 0.45)
    axes = figure.subplots(lines, columns, squeeze=False, sharex=True).ravel()
    for panel, source, rows in zip(axes, sources, panels, strict=False):
        _draw(panel, rows)
        panel.set_title(f"{wrapped(named(source), 44)}\n{_size(probes, source)}", fontsize=9)
        panel.set_xlabel("AUROC, fakes against real images")
        panel.tick_params(labelbottom=True)
    for panel in axes[len(sources) :]:
        panel.set_visible(False)
    legend_below(figure, columns=2)
    return figure


def _panel_rows(
    source: str, probes: Sequence[Row], detectors: Sequence[Row]
) -> list[tuple[str, str, list[Row]]]:
    """Kind, name and seeds of each line of a panel: probes from best to worst, then detectors."""
    found = []
    for kind, key, given in (("probe", "probe", probes), ("detector", "detector", detectors)):
        own = [row for row in given if row["source"] == source]
        lines = [
            (kind, name, sorted((r for r in own if r[key] == name), key=lambda r: r["seed"]))
            for name in dict.fromkeys(str(row[key]) for row in own)
        ]
        found += sorted(lines, key=lambda line: -np.mean([row["auroc"] for row in line[2]]))
    return found


def _height(rows: Sequence[tuple[str, str, list[Row]]]) -> float:
    """Inches that a panel's rows need, all as high as the one with the longest name."""
    longest = max(wrapped(name, WIDTH).count("\n") + 1 for _, name, _ in rows)
    return LINE * max(2, longest) * len(rows)


def _draw(axes: Axes, lines: Sequence[tuple[str, str, list[Row]]]) -> None:
    for place, (kind, _, rows) in enumerate(lines):
        step = min(STEP, 0.7 / len(rows))
        shifts = step * (np.arange(len(rows)) - (len(rows) - 1) / 2)
        for row, shift in zip(rows, shifts, strict=True):
            _dot(axes, row, place + float(shift), kind)
    first = sum(kind == "probe" for kind, _, _ in lines)
    if first < len(lines):
        axes.axhline(first - 0.5, color=QUIET, linewidth=0.8)
    axes.axvline(0.5, color=QUIET, linewidth=1, linestyle=":", label="a coin toss")
    axes.axvline(ALARM, color=INK, linewidth=1, linestyle="--", label=f"{ALARM}: worth a warning")
    axes.set_yticks(range(len(lines)), [wrapped(name, WIDTH) for _, name, _ in lines])
    for tick, (kind, _, _) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_color(COLOURS["in-distribution"] if kind == "detector" else INK)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlim(min(0.4, axes.get_xlim()[0]), 1.02)


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
    own = [row for row in probes if row["source"] == source]
    seeds = len({row["seed"] for row in own})
    fakes, reals = (max(row[key] for row in own) for key in ("n_generated", "n_real"))
    runs = f", {seeds} seeds" if seeds > 1 else ""
    return f"{fakes:,} fakes, {reals:,} reals{' each' if seeds > 1 else ''}{runs}"
