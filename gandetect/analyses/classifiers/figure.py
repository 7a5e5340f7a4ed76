"""How classifiers were trained, what they saw, and what they answer split by split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageColor

from gandetect.report.grids import image_grid
from gandetect.report.images import thumbnails
from gandetect.report.reading import Classifier, Images
from gandetect.report.style import COLOURS, QUIET, legend_below, new_panels

LINES = (
    ("train", "training", COLOURS["training"], "o"),
    ("validation", "validation", COLOURS["validation"], "s"),
)
BATCH_SHOWN = 40


def training_curves(runs: Mapping[int, Classifier]) -> Figure:
    """Loss at the left, accuracy at the right; a line for each seed, the kept epoch dotted."""
    figure, ((left, right),) = new_panels(9.6, 3.0, 1, 2)
    for axes, name, unit in (
        (left, "loss", "cross-entropy (nats)"),
        (right, "accuracy", "share answered correctly"),
    ):
        for run in runs.values():
            for column, label, colour, marker in LINES:
                axes.plot(run.history["epoch"], run.history[f"{column}_{name}"], color=colour,
                          label=label, marker=marker, markersize=3.5)  # fmt: skip
            axes.axvline(run.best_epoch, color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.5)),
                         label="epoch that was kept")  # fmt: skip
        axes.set(title=name.capitalize(), xlabel="epoch", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_ylim(-0.02, 1.02)
    left.set_ylim(bottom=0)
    legend_below(figure, columns=3)
    return figure


def batch_grid(images: Images, labels: npt.NDArray[np.int64], frame: int = 3) -> Image.Image:
    """Training images (B, C, H, W) as the network saw them, framed in the hue of their label."""
    labels = labels[:BATCH_SHOWN]
    small = thumbnails(images[:BATCH_SHOWN])
    scale = max(1, round(96 / max(small.shape[2:])))
    enlarged = small.repeat(scale, axis=2).repeat(scale, axis=3)
    coloured = np.repeat(enlarged, 3 // enlarged.shape[1], axis=1)
    hues = [ImageColor.getrgb(COLOURS[name]) for name in ("in-distribution", "own")]
    n, _, height, width = coloured.shape
    framed = np.empty((n, 3, height + 2 * frame, width + 2 * frame), np.uint8)
    framed[:] = np.array(hues, np.uint8)[labels][:, :, None, None]
    framed[:, :, frame:-frame, frame:-frame] = coloured
    return image_grid(framed, columns=8, pad=4)
