"""One visual language for all figures: blues are real, oranges are generated, at every size.

Figures are drawn on `Figure` objects under a style context, so nothing global is left changed and
a user's own matplotlib settings change nothing here: equal numbers give equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from gandetect.report.document import Picture

INK = "#26262b"
QUIET = "#6b6b73"
GRID = "#e4e4e8"
# Okabe-Ito's blues and oranges, told apart by people with any colour vision, and in grey.
COLOURS = {
    "own": "#d55e00",
    "own-other-seed": "#6e3200",
    "other": "#e69f00",
    "generated": "#d55e00",  # never beside own ones
    "in-distribution": "#0072b2",
    "held-out": "#56b4e9",
    "other-source": "#009e73",
    "training": "#00395a",
    "validation": "#a678c8",  # chooses, and is neither trained nor tested on
}
DOTTED, DASHED = (0, (1, 2)), (0, (4, 1.5))
MARKERS = {"own": "o", "own-other-seed": "s", "other": "^", "generated": "o"}  # of fakes
# What a viewer who prefers dark pages sees instead; every other colour stays.
IN_THE_DARK = {
    INK: "#e8e8ec",
    QUIET: "#a3a3ae",
    GRID: "#3a3a43",
    "#ffffff": "#17171b",
    COLOURS["in-distribution"]: "#3a9ad9",
    COLOURS["training"]: "#cfe4f2",
    COLOURS["own-other-seed"]: "#f3c9a0",
}
FONTS = "'DejaVu Sans', Verdana, sans-serif"  # of the same widths, wherever the page is opened
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
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",  # a page in the dark shines through
    "axes.facecolor": "none",
    "image.interpolation": "none",  # pixels as they are, for the viewer to enlarge
    "path.simplify_threshold": 0.4,  # of a pixel
    "text.parse_math": False,  # a name may hold any sign
    "svg.fonttype": "none",  # a fifth of the size of letters drawn as paths
    "svg.hashsalt": "gandetect",  # equal figures have equal bytes
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in our style, whatever the user's own settings, and put those back afterwards."""
    with matplotlib.style.context(["default", SETTINGS]):
        yield


def new_panels(
    width: float, height: float, rows: int = 1, columns: int = 1, **shared: Any
) -> tuple[Figure, Any]:
    """A figure (inches) and its axes ``(rows, columns)``, outside pyplot's registry."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def hide_empty(figure: Figure) -> None:
    """Hide panels that nothing was drawn into."""
    for axes in figure.axes:
        axes.set_visible(axes.has_data())


def offsets(n: int, step: float) -> list[float]:
    """Where n marks stand around a tick, ``step`` apart.

    >>> offsets(2, 1.0), offsets(1, 1.0)
    ([-0.5, 0.5], [0.0])
    """
    return [step * (place - (n - 1) / 2) for place in range(n)]


def share_palette() -> Any:
    """From light to dark for shares; violet, as it is neither real nor fake."""
    return sns.light_palette("#4b3b8f", as_cmap=True)


def difference_palette() -> Any:
    """From blue, as real ones are, over white to orange, as generated ones are."""
    ends = [COLOURS["in-distribution"], "#f6f6f4", COLOURS["own"]]
    return sns.blend_palette(ends, as_cmap=True)


def without_grid(axes: Axes) -> None:
    """Clear what a heatmap or an image needs no axis for."""
    axes.grid(False)
    axes.tick_params(length=0)


def percent_axis(axis: Axis) -> None:
    """Tick labels in percent."""
    axis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")


def share_axis(axes: Axes) -> None:
    """Shares from 0 to 100 % along x, so that the labels of two panels do not touch."""
    axes.set(xlim=(-0.02, 1.08), xticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
    percent_axis(axes.xaxis)


def legend_below(figure: Figure, columns: int) -> None:
    """One legend under all panels, where it hides no line; each label once.

    It has at most so many columns, and no more than fit.
    """
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        entries |= legend_entries(axes)
    handles, labels = list(entries.values()), list(entries)
    for count in range(columns, 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=count)
        if count == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def legend_entries(axes: Axes) -> dict[str, Any]:
    """What a legend shows of these axes by label, each label once."""
    handles, labels = axes.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))


def figure_svg(figure: Figure) -> bytes:
    """SVG of a figure, for light and dark pages; equal figures give equal bytes."""
    buffer = io.StringIO()
    about = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    # What `savefig` does besides is to draw everything a first time.
    FigureCanvasSVG(figure).print_svg(buffer, metadata=about)
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    referenced = set(re.findall(r'(?:url\(|href=")#([^")]+)', drawn))
    drawn = re.sub(r"<[^>]*>", lambda tag: _shorter(tag[0], referenced), drawn)
    drawn = re.sub(r">\s+<", "><", drawn).replace("'DejaVu Sans'", FONTS)
    return drawn.replace("</style>", f"{_dark()}</style>", 1).encode()


def _shorter(tag: str, referenced: Set[str]) -> str:
    """A tag that draws the same in fewer bytes; the words between tags stay as they are."""
    tag = re.sub(r' id="([^"]*)"', lambda one: one[0] if one[1] in referenced else "", tag)
    tag = re.sub(r' d="[^"]*"', lambda one: _shorter_path(one[0]), tag)
    tag = re.sub(r"(\.\d\d)\d+", r"\1", tag)  # of a point: finer than any screen
    return re.sub(r"\s+", " ", tag).replace(": ", ":").replace("; ", ";")


def _shorter_path(path: str) -> str:
    """Along straight lines tenths of a point will do; round markers keep hundredths."""
    if "C" not in path:
        path = re.sub(r"(\.\d)\d+", r"\1", path)
    return re.sub(r"\s*\b([MLCQz])\s+", r"\1", path)


def _dark() -> str:
    rules = "".join(
        f'[style*="{kind}:{light}"]{{{kind}:{dark}!important}}'
        for light, dark in IN_THE_DARK.items()
        for kind in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme:dark){{{rules}}}"


def image_png(image: Image.Image) -> bytes:
    """PNG bytes of a picture, without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="png")
    return buffer.getvalue()


def drawn(name: str, draw: Callable[[], Figure], alt: str, caption: str) -> Picture:
    """Draw a figure in the house style and give it its place in the run folder."""
    with house_style():
        content = figure_svg(draw())
    return Picture(f"figures/{name}.svg", content, alt, caption)


def pasted(name: str, image: Image.Image, alt: str, caption: str) -> Picture:
    """Give a picture made of images its place in the run folder."""
    return Picture(f"figures/{name}.png", image_png(image), alt, caption, wide=False)
