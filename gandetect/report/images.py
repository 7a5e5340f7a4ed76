"""Images to look at: the classes, the generators' samples, and the detectors' mistakes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gandetect.report.grids import image_grid
from gandetect.report.reading import Images, Kept, Pairs, Samples

GUTTER = 128  # grey between images, as in the sample grids that training writes


def class_samples(samples: Mapping[str, Images], names: Mapping[str, str]) -> Image.Image:
    """A row of images for each class, its name below the first."""
    keys = sorted(samples, key=lambda key: (len(key), key))
    most = max(len(samples[key]) for key in keys)
    rows = [_white_to(thumbnails(samples[key]), most) for key in keys]
    words = [name for key in keys for name in (names.get(key, key), *[""] * (most - 1))]
    small = np.concatenate(rows)
    scale = max(1, round(84 / small.shape[3]))
    return image_grid(small, columns=most, pad=4, scale=scale, captions=words)


def _white_to(images: Images, n: int) -> Images:
    """Fill a row up to n images with white ones."""
    white = np.full((n - len(images), *images.shape[1:]), 255, np.uint8)
    return np.concatenate([images, white])


def evenly(values: Sequence[int], most: int) -> list[int]:
    """At most so many of some values, evenly chosen, the first and the last among them.

    >>> evenly(range(1, 6), 3), evenly([4, 7], 3)
    ([1, 3, 5], [4, 7])
    """
    if len(values) <= most:
        return list(values)
    places = np.linspace(0, len(values) - 1, most).astype(int)
    return [values[place] for place in places.tolist()]


def sample_progress(samples: Samples) -> tuple[Image.Image, list[int]]:
    """The same noise after the first, the middle and the last epoch, and which these are."""
    epochs = evenly(sorted(samples.grids), 3)
    grids = []
    for epoch in epochs:
        with Image.open(samples.grids[epoch]) as stored:
            grids.append(np.asarray(stored.convert("L"))[None])
    words = [f"epoch {epoch}" for epoch in epochs]
    return image_grid(np.stack(grids), columns=3, pad=8, captions=words), epochs


def sample_frame(grid: Path) -> bytes:
    """PNG of a stored sample grid, with its enlargement undone: the page enlarges it again."""
    with Image.open(grid) as stored:
        return small_png(_unscaled(np.asarray(stored.convert("RGB")).transpose(2, 0, 1)))


def real_grid(samples: Mapping[str, Images], keys: Sequence[str], side: int = 8) -> Images | None:
    """Images of these classes in turn, laid out as sample grids are, ``(C, H, W)``.

    None where there are too few to fill ``side`` rows and columns.
    """
    rows = [samples[key] for key in keys if key in samples]
    most = max(map(len, rows), default=0)
    in_turn = [row[place] for place in range(most) for row in rows if place < len(row)]
    if len(in_turn) < side * side:
        return None
    chosen = np.stack(in_turn[: side * side])
    bordered = np.pad(chosen, ((0, 0), (0, 0), (1, 0), (1, 0)), constant_values=GUTTER)
    n, channels, height, width = bordered.shape
    laid = bordered.reshape(side, n // side, channels, height, width).transpose(2, 0, 3, 1, 4)
    grid = laid.reshape(channels, side * height, side * width)
    return np.pad(grid, ((0, 0), (0, 1), (0, 1)), constant_values=GUTTER)


def kept_grid(kept: Kept, columns: int = 10) -> Image.Image:
    """Kept images in their order, each above its score."""
    return _captioned(kept.images, score_words(kept), columns)


def pair_grid(pairs: Pairs, columns: int = 12) -> Image.Image:
    """Images above their nearest training images, and the distance below both."""
    return _captioned(stacked(pairs), distance_words(pairs), columns)


def _captioned(images: Images, words: Sequence[str], columns: int) -> Image.Image:
    small = thumbnails(images)
    scale = max(1, round(84 / small.shape[3]))
    return image_grid(small, columns, pad=8, scale=scale, captions=words)


def stacked(pairs: Pairs) -> Images:
    """Each image above its nearest training image, with a line between them: (K, C, H', W)."""
    k, channels, _, width = pairs.images.shape
    line = np.full((k, channels, 1, width), GUTTER, np.uint8)
    return np.concatenate([pairs.images, line, pairs.nearest], axis=2)


def score_words(kept: Kept) -> list[str]:
    """A score below each image, with its sign; those near 0 with more digits."""
    digits = 1 if np.abs(kept.scores).max(initial=0.0) >= 1 else 3
    return [f"{score:+z.{digits}f}" for score in kept.scores]


def distance_words(pairs: Pairs) -> list[str]:
    """A distance below each pair."""
    return [f"{distance:.1f}" for distance in pairs.distances]


def small_png(image: Images) -> bytes:
    """The fewest bytes that a PNG of one image ``(C, H, W) uint8`` takes without loss."""
    grey = image.shape[0] == 1 or bool((image == image[:1]).all())
    picture = Image.fromarray(image[0] if grey else image.transpose(1, 2, 0))
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _unscaled(image: Images) -> Images:
    """Halve an image ``(C, H, W)`` that consists of squares of two by two equal pixels."""
    small = image[:, ::2, ::2]
    enlarged = small.repeat(2, axis=1).repeat(2, axis=2)
    return small if np.array_equal(enlarged, image) else image


def thumbnails(images: Images, most: int = 128) -> Images:
    """Images ``(N, C, H, W)`` no wider than so many pixels, for a page that holds many of them."""
    channels, height, width = images.shape[1:]
    if width <= most:
        return images
    size = (most, round(height * most / width))
    pictures = [Image.fromarray(one[0] if channels == 1 else one.transpose(1, 2, 0))
                for one in images]  # fmt: skip
    small = np.stack([np.asarray(one.resize(size, Image.Resampling.BOX)) for one in pictures])
    return small[:, None] if channels == 1 else small.transpose(0, 3, 1, 2)
