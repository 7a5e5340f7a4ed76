"""Spectra, grey levels and mean images of each source, beside those of in-distribution reals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.analyses.image_statistics.numbers import HIGH, Arrays, Floats, against
from gandetect.report.style import (
    COLOURS,
    DASHED,
    DOTTED,
    QUIET,
    difference_palette,
    legend_below,
    new_panels,
    without_grid,
)
from gandetect.report.words import wrapped
from gandetect.statistics.intervals import Z
from gandetect.statistics.scores import IN_DISTRIBUTION

FAKES = [COLOURS[role] for role in ("own", "other", "own-other-seed")]
STYLES: Sequence[Any] = ("-", DASHED, DOTTED)
REALS = {IN_DISTRIBUTION: COLOURS["in-distribution"], "real:held-out": COLOURS["held-out"]}


@dataclass(frozen=True)
class Shown:
    """One source with what is kept of its images, as `numbers.summarise` made it."""

    source: str
    name: str
    arrays: Arrays


def spectra(reals: Shown, others: Sequence[Shown]) -> Figure:
    """Mean log-power spectra in two dimensions, above their differences from those of the reals."""
    return _beside(reals, others, "spectrum", "dB")


def mean_images(reals: Shown, others: Sequence[Shown]) -> Figure:
    """Mean images, above their differences from that of the reals; grey levels."""
    return _beside(reals, others, "mean", "grey levels")


def _beside(
    reals: Shown, others: Sequence[Shown], what: Literal["spectrum", "mean"], unit: str
) -> Figure:
    everything = [reals, *others]
    width = min(2.2, 8.4 / len(everything))
    size = width * len(everything) + 1.2, 2 * width + 0.9
    figure, panels = new_panels(*size, 2, len(everything))
    arrays = [one.arrays[what] for one in everything]
    flat = [one.mean(axis=0) if one.ndim == 3 else one for one in arrays]  # without channels
    values = [one.astype(np.float64) for one in flat]
    differences = [value - values[0] for value in values[1:]]
    together = np.concatenate([one.ravel() for one in values])
    # A common scale that one bright frequency does not stretch.
    low, high = (0, 255) if what == "mean" else np.quantile(together, [0.0, 0.999]).tolist()
    bound = max([float(np.abs(one).max()) for one in differences], default=1.0) or 1.0
    extent = (-1, 1, 1, -1) if what == "spectrum" else None
    cmap = "gray" if what == "mean" else "magma"
    for place, (one, value) in enumerate(zip(everything, values, strict=True)):
        drawn = draw_map(panels[0, place], value, extent=extent, cmap=cmap, vmin=low, vmax=high)
        panels[0, place].set_title(wrapped(one.name, int(width * 12)), fontsize=9)
        if place:
            changed = draw_map(panels[1, place], differences[place - 1], bound, extent=extent)
    panels[1, 0].set_axis_off()
    figure.colorbar(drawn, ax=panels[0, :], label=unit, pad=0.01, aspect=16)
    if others:
        label = f"difference from\nthe first, {unit}"
        figure.colorbar(changed, ax=panels[1, :], label=label, pad=0.01, aspect=16)
    return figure


def draw_map(axes: Axes, values: Floats, bound: float | None = None, **how: Any) -> Any:
    """Draw values ``(H, W)`` without axes; differences as far as ``bound`` either way, if given."""
    if bound is not None:
        how |= {"cmap": difference_palette(), "vmin": -bound, "vmax": bound}
    without_grid(axes)
    axes.spines[:].set_visible(False)
    axes.set(xticks=[], yticks=[])
    return axes.imshow(values, **how)


def profiles(reals: Shown, others: Sequence[Shown]) -> Figure:
    """Mean log-power over frequency, and its difference from that of the reals; 95 % bands."""
    figure, ((left, right),) = new_panels(9.6, 3.5, 1, 2)
    for one, colour, style in _lines([reals, *others]):
        radius, mean = one.arrays["radius"], one.arrays["profile"]
        reach = Z * one.arrays["profile_se"]
        left.plot(radius, mean, color=colour, linestyle=style, label=one.name)
        left.fill_between(radius, mean - reach, mean + reach, color=colour, alpha=0.25, linewidth=0)
        if one is not reals:
            difference, (low, high) = against(reals.arrays, one.arrays, "profile")
            right.plot(radius, difference, color=colour, linestyle=style, label=one.name)
            right.fill_between(radius, low, high, color=colour, alpha=0.25, linewidth=0)
    right.axhline(0, color=QUIET, linewidth=1)
    left.set(title="Mean log-power", ylabel="dB")
    right.set(title="Less that of in-distribution reals", ylabel="dB")
    for axes in (left, right):
        axes.axvspan(HIGH, 1, color=QUIET, alpha=0.09, linewidth=0)
        axes.set(xlabel="frequency, 1 is the Nyquist frequency", xlim=(0, 1))
    legend_below(figure, columns=2 if len(others) < 5 else 3)
    return figure


def histograms(reals: Shown, others: Sequence[Shown]) -> Figure:
    """How often each grey level occurs, on a logarithmic scale."""
    figure, ((axes,),) = new_panels(9.6, 3.2)
    for one, colour, style in _lines([reals, *others]):
        share = np.where(one.arrays["histogram"] > 0, one.arrays["histogram"], np.nan)
        axes.step(np.arange(len(share)), share, where="mid", color=colour, linestyle=style,
                  linewidth=1.2, label=one.name)  # fmt: skip
    axes.set(yscale="log", xlim=(-2, 257), xlabel="grey level", ylabel="share of all values")
    axes.set_xticks([0, 32, 64, 96, 128, 160, 192, 224, 255])
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    legend_below(figure, columns=2 if len(others) < 5 else 3)
    return figure


def _lines(shown: Sequence[Shown]) -> list[tuple[Shown, str, Any]]:
    """Each source with its colour and line: blues are real, and fakes differ in both."""
    fakes = [one for one in shown if not one.source.startswith("real:")]
    elsewhere = COLOURS["held-out"], DASHED
    looks = {one.source: (FAKES[place % len(FAKES)], STYLES[place // len(FAKES) % len(STYLES)])
             for place, one in enumerate(fakes)}  # fmt: skip
    looks |= {source: (colour, "-") for source, colour in REALS.items()}
    return [(one, *looks.get(one.source, elsewhere)) for one in shown]
