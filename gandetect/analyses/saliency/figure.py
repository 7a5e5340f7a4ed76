"""Occlusion maps of one detector: the mean of each source, and laid over single images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandetect.analyses.saliency.numbers import Arrays, Floats, Images, by_pixel
from gandetect.report.images import thumbnails
from gandetect.report.reading import Kept
from gandetect.report.style import QUIET, difference_palette, new_panels
from gandetect.report.words import wrapped

MOST_PIXELS = 96  # a side, of an image with its map
COVER = 0.8  # how much of the image the largest change hides
GAP, CAPTION, HEAD, NAMES = 0.12, 0.26, 0.3, 1.35  # in widths of an image
TITLES = {"surest": "surest right answers", "mistakes": "surest mistakes"}


@dataclass(frozen=True)
class Mapped:
    """One source: its name, the maps of a detector, and the images that scoring has kept."""

    name: str
    arrays: Arrays
    kept: Mapping[str, Kept]


def saliency_maps(sources: Sequence[Mapped]) -> Figure:
    """A line a source: its mean map, then images with their maps, the score and the change below.

    Each map has its own scale, orange for "generated" and blue for "real".
    """
    columns = {kind: max(len(one.arrays[kind]) for one in sources) for kind in TITLES}
    starts = {"mean": 0.0}
    at = 1 + 3 * GAP
    for kind, n in columns.items():
        starts[kind] = at
        at += n * (1 + GAP) + 2 * GAP
    height = HEAD + len(sources) * (1 + CAPTION)
    figure, ((axes,),) = new_panels(9.6, 9.6 / (NAMES + at) * height)
    axes.set_axis_off()
    axes.set(xlim=(-NAMES, at), ylim=(height, 0))
    axes.text(0, HEAD / 2, "mean map", va="center", fontweight="bold")
    for kind, n in columns.items():
        if n:
            axes.text(starts[kind], HEAD / 2, TITLES[kind], va="center", fontweight="bold")
    for line, one in enumerate(sources):
        top = HEAD + line * (1 + CAPTION)
        axes.text(-0.1, top + 0.5, wrapped(one.name, 16), ha="right", va="center")
        _draw(axes, one, top, starts)
    axes.set_aspect("equal")
    return figure


def _draw(axes: Axes, one: Mapped, top: float, starts: Mapping[str, float]) -> None:
    mean = one.arrays["maps"].astype(np.float64).mean(axis=0)
    side = one.kept[next(iter(TITLES))].images.shape[-1] if one.kept else 28
    flat = np.full((1, side, side), 24, np.uint8)
    _place(axes, overlay(flat, mean), 0.0, top, f"± {np.abs(mean).max():.2g}")
    for kind in TITLES:
        maps = one.arrays[kind]
        for number, map_ in enumerate(maps):
            image, score = one.kept[kind].images[number], one.kept[kind].scores[number]
            words = f"{score:+.1f}  ± {np.abs(map_).max():.2g}"
            left = starts[kind] + number * (1 + GAP)
            _place(axes, overlay(image, map_.astype(np.float64)), left, top, words)
        if not len(maps):
            axes.text(starts[kind], top + 0.5, "none", color=QUIET, va="center")


def _place(axes: Axes, picture: Any, left: float, top: float, words: str) -> None:
    axes.imshow(picture, extent=(left, left + 1, top + 1, top), aspect="auto")
    axes.text(left + 0.5, top + 1.03, words, ha="center", va="top", fontsize=7)


def overlay(image: Images, map_: Floats) -> Images:
    """An image ``(C, H, W)`` in grey with a map ``(K, K)`` over it: ``(h, w, 3) uint8``.

    The largest change is the strongest colour; where nothing changed, the image is as it was.
    """
    small = thumbnails(image[None], MOST_PIXELS)[0]
    grey = small.mean(axis=0)[..., None] / 255
    values = by_pixel(map_, small.shape[-1])
    values /= np.abs(values).max() or 1.0
    colour = difference_palette()(np.where(values > 0, 1.0, 0.0))[..., :3]
    weight = COVER * np.abs(values)[..., None]
    laid: Images = np.rint(255 * ((1 - weight) * grey + weight * colour)).astype(np.uint8)
    return laid
