"""Images to look at: the classes, the generators' samples, and the detectors' mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

from gandetect.report.grids import image_grid
from gandetect.report.inputs import Images, Mistakes, Samples
from gandetect.report.style import COLOURS, new_figure, without_grid

SPLIT_COLOURS = {
    "train": COLOURS["training"],
    "validation": COLOURS["validation"],
    "test": COLOURS["in-distribution"],
    "in-distribution": COLOURS["in-distribution"],
    "held-out": COLOURS["held-out"],
    "calibration": "#9aa7b1",
    "reserved": "#d5d9dd",
}


def class_counts(counts: pd.DataFrame) -> Figure:
    """Bars of images by class (rows) and split (columns), stacked."""
    figure = new_figure(9.6, 1.2 + 0.33 * len(counts))
    axes = figure.subplots()
    others = iter(sns.color_palette("Greys", n_colors=max(3, counts.shape[1])))
    left = np.zeros(len(counts))
    for split in counts.columns:
        colour = SPLIT_COLOURS.get(split) or next(others)
        values = counts[split].to_numpy(np.float64)
        axes.barh(list(counts.index), values, left=left, label=split, color=colour, height=0.72)
        left += values
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="images")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(counts.columns))
    return figure


def class_samples(samples: Mapping[str, Images], names: Mapping[str, str]) -> Figure:
    """A row of images for each class."""
    keys = sorted(samples, key=lambda key: (len(key), key))
    most = max(len(samples[key]) for key in keys)
    rows = [_white_to(thumbnails(samples[key]), most) for key in keys]
    picture = np.asarray(image_grid(np.concatenate(rows), columns=most, pad=2))
    height = min(8.0, 0.58 * len(keys))
    figure = new_figure(0.85 + height * picture.shape[1] / picture.shape[0], height)
    axes = figure.subplots()
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    without_grid(axes)
    axes.spines[:].set_visible(False)
    step = picture.shape[0] / len(keys)
    middles = [(number + 0.5) * step for number in range(len(keys))]
    axes.set_xticks([])
    axes.set_yticks(middles, [names.get(key, key) for key in keys])
    return figure


def _white_to(images: Images, n: int) -> Images:
    """Fill a row up to n images with white ones."""
    white = np.full((n - len(images), *images.shape[1:]), 255, np.uint8)
    return np.concatenate([images, white])


def sample_epochs(samples: Samples) -> list[int]:
    """First, middle and last epoch, each once."""
    epochs = sorted(samples.grids)
    return sorted({epochs[0], epochs[(len(epochs) - 1) // 2], epochs[-1]})


def sample_progress(samples: Samples) -> Figure:
    """The same noise after the first, the middle and the last epoch."""
    epochs = sample_epochs(samples)
    figure = new_figure(3.2 * len(epochs), 3.4)
    panels = figure.subplots(1, len(epochs), squeeze=False)[0]
    for axes, epoch in zip(panels, epochs, strict=True):
        with Image.open(samples.grids[epoch]) as stored:
            pixels = np.asarray(stored.convert("RGB"))
        axes.imshow(pixels, interpolation="nearest")
        axes.set_title(f"epoch {epoch}")
        axes.set_axis_off()
    return figure


def mistake_grid(mistakes: Mistakes, columns: int = 10) -> Image.Image:
    """Wrongly answered images, the most confident first, each above its score."""
    images = thumbnails(mistakes.images)
    scale = max(1, round(84 / max(images.shape[2:])))
    return image_grid(images, columns, pad=8, scale=scale, captions=_scores(mistakes))


def thumbnails(images: Images, most: int = 128) -> Images:
    """Images no larger than so many pixels, for a page that holds many of them."""
    step = -(-max(images.shape[2:]) // most)
    return images[:, :, ::step, ::step]


def _scores(mistakes: Mistakes) -> Sequence[str]:
    return [f"{score:+.1f}" for score in mistakes.scores]
