"""What depends on the place in the picture: blocks of a fixed grid, and single pixels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]
Values: TypeAlias = npt.NDArray[Any]

GRID = 16  # blocks a side; also of a picture of 16 px
MOST_BYTES = 2**29  # of the pixels of both sides that are looked at one by one
CHOSEN = 32  # pixels that the trees are given
_COLUMNS = 2**15  # pixels that are compared at a time
_TINY = 1e-6


def block_statistics(images: Images) -> Values:
    """Of each block of a 16 x 16 grid its mean, least and greatest value, and deviation.

    The mean is of each channel, the rest of all channels together: `(N, 256 (C + 3))`, the means
    first.
    """
    rows, columns = (np.arange(GRID) * side // GRID for side in images.shape[2:])

    def blocks(reduce: np.ufunc, values: Values) -> Values:
        return np.asarray(reduce.reduceat(reduce.reduceat(values, rows, axis=2), columns, axis=3))

    sizes = np.outer(*(np.diff([*starts, side]) for starts, side in
                       zip((rows, columns), images.shape[2:], strict=True)))  # fmt: skip
    values = images.astype(np.float32)
    means = blocks(np.add, values) / sizes
    together = means.mean(axis=1)
    squares = blocks(np.add, (values**2).mean(axis=1, keepdims=True))[:, 0] / sizes
    least = blocks(np.minimum, images.min(axis=1, keepdims=True))
    greatest = blocks(np.maximum, images.max(axis=1, keepdims=True))
    spread = np.sqrt(np.maximum(squares - together**2, 0))
    parts = (means, least, greatest, spread)
    return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1)


def window_side(count: int, channels: int) -> int:
    """Side of the window, in multiples of 8 px, whose pixels are looked at in so many images."""
    return max(16, int((MOST_BYTES / max(1, count * channels)) ** 0.5) // 8 * 8)


def centre(images: Images, height: int, width: int) -> Images:
    """The centre of larger images, cut on multiples of 8 px so that JPEG's grid stays in place."""
    top, left = (
        max(0, side - most) // 2 // 8 * 8
        for side, most in zip(images.shape[2:], (height, width), strict=True)
    )
    return images[:, :, top : top + height, left : left + width]


def contrast(pixels: Values, labels: Values) -> Values:
    """How much each pixel, a column, differs between two labels: the larger of two statistics.

    Welch's, squared: of its values, and of their squares about their mean, so that a pixel that
    varies less on one side stands out as well as one that is brighter.
    """
    one, largest = np.asarray(labels) == 1, np.empty(pixels.shape[1])
    for start in range(0, pixels.shape[1], _COLUMNS):
        part = pixels[:, start : start + _COLUMNS].astype(np.float32)
        part -= part.mean(axis=0)
        largest[start : start + _COLUMNS] = np.maximum(_welch(part, one), _welch(part**2, one))
    return largest


def _welch(values: Values, one: Values) -> Values:
    a, b = values[one], values[~one]
    error = a.var(axis=0) / len(a) + b.var(axis=0) / len(b)
    return np.asarray((a.mean(axis=0) - b.mean(axis=0)) ** 2 / (error + _TINY))


def strongest(real: Images, generated: Images) -> str:
    """Name the pixel that differs most between `(N, C, H, W)` and `(M, C, H, W)`."""
    both = np.concatenate([generated, real]).reshape(len(real) + len(generated), -1)
    labels = np.repeat([1, 0], [len(generated), len(real)])
    best = int(contrast(both, labels).argmax())
    channel, row, column = np.unravel_index(best, real.shape[1:])
    colour = f" of channel {channel}" if real.shape[1] > 1 else ""

    def levels(images: Images) -> str:
        values = images[:, channel, row, column]
        return f"{values.mean():.0f} ± {values.std():.0f}"

    return (
        f"row {row}, column {column}{colour} of the {real.shape[3]} x {real.shape[2]} px "
        f"looked at: mean {levels(real)} in real, {levels(generated)} in generated images"
    )
