"""One visual language for all figures: blues are real, oranges are generated, at every size.

Figures are drawn on `Figure` objects under a style context, so nothing global is left changed and
a user's own matplotlib settings change nothing here: equal numbers give equal bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 200
INK = "#26262b"
QUIET = "#6b6b73"
# Okabe-Ito's blues and oranges, told apart by people with any colour vision, and in grey.
COLOURS = {
    "own": "#d55e00",
    "own-other-seed": "#6e3200",
    "other": "#e69f00",
    "in-distribution": "#0072b2",
    "held-out": "#56b4e9",
    "training": "#00395a",
    "validation": "#a678c8",  # chooses, and is neither trained nor tested on
}
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e8",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in our style, whatever the user's own settings, and put those back afterwards."""
    with matplotlib.style.context(["default", SETTINGS]):
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches) on the Agg canvas, outside pyplot's registry."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def share_palette() -> Any:
    """From light to dark for shares of right answers; violet, as it is neither real nor fake."""
    return sns.light_palette("#4b3b8f", as_cmap=True)


def without_grid(axes: Axes) -> None:
    """Clear what a heatmap or an image needs no axis for."""
    axes.grid(False)
    axes.tick_params(length=0)


def percent_axis(axes: Axes) -> None:
    """Shares from 0 to 100 % along x, so that the labels of two panels do not touch."""
    axes.set_xlim(-0.02, 1.08)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def legend_below(figure: Figure, columns: int) -> None:
    """One legend under all panels, where it hides no line; each label once."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=columns)


def figure_png(figure: Figure) -> bytes:
    """PNG bytes of a figure at `DPI`, without anything that differs between two equal figures."""
    figure.set_dpi(DPI)
    width, height = figure.canvas.get_width_height()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="raw", dpi=DPI)
    pixels = np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)
    return image_png(Image.fromarray(pixels[..., :3]))  # nothing here is transparent


def image_png(image: Image.Image) -> bytes:
    """PNG bytes of a picture, without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="png")
    return buffer.getvalue()
