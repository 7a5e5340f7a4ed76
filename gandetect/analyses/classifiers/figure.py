"""How classifiers were trained, what they saw, and what they answer split by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageColor

from gandetect.report.grids import image_grid
from gandetect.report.heatmaps import share_heatmap
from gandetect.report.images import thumbnails
from gandetect.report.reading import Classifier, Images
from gandetect.report.style import COLOURS, QUIET, legend_below, new_figure

LINES = (
    ("train", "training", COLOURS["training"], "o"),
    ("validation", "validation", COLOURS["validation"], "s"),
)
BATCH_SHOWN = 40
SPLITS = ("training", "validation", "test")


def training_curves(found: Mapping[int, Classifier]) -> Figure:
    """Loss at the left, accuracy at the right; a line for each seed, the kept epoch dotted."""
    figure = new_figure(9.6, 3.0)
    panels = figure.subplots(1, 2)
    for axes, name, unit in zip(
        panels, ("loss", "accuracy"), ("cross-entropy (nats)", "share answered correctly"),
        strict=True,
    ):  # fmt: skip
        for one in found.values():
            epochs = one.history["epoch"]
            for column, label, colour, marker in LINES:
                values = one.history[f"{column}_{name}"]
                axes.plot(epochs, values, color=colour, label=label, marker=marker, markersize=3.5)
            axes.axvline(one.best_epoch, color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.5)),
                         label="epoch that was kept")  # fmt: skip
        axes.set(title=name.capitalize(), xlabel="epoch", ylabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[1].set_ylim(-0.02, 1.02)
    panels[0].set_ylim(bottom=0)
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


def split_confusions(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Truth by answer: splits from left to right, operating points from top to bottom."""
    points = list(dict.fromkeys(row["operating_point"] for row in rows))
    shown = [split for split in SPLITS if any(row["split"] == split for row in rows)]
    figure = new_figure(0.6 + 3.2 * len(shown), 2.45 * len(points))
    panels = figure.subplots(len(points), len(shown), squeeze=False)
    for row in rows:
        axes = panels[points.index(row["operating_point"]), shown.index(row["split"])]
        counts = np.array(row["confusion"])
        shares = counts / counts.sum(axis=1, keepdims=True)
        notes = [[f"{n:,}\n{100 * s:.1f} %" for n, s in zip(*pair, strict=True)]
                 for pair in zip(counts, shares, strict=True)]  # fmt: skip
        share_heatmap(axes, shares, notes)
        axes.set(title=f"{row['split']}, {row['operating_point']}", xlabel="answer", ylabel="truth")
        axes.set_xticklabels(("real", "generated"))
        axes.set_yticklabels(("real", "generated"), rotation=0)
    return figure
