"""What trivial probes look at: a few numbers of each image that know nothing of its content.

Where one of these tells real from generated, a detector may have learnt that instead. How many
numbers there are does not depend on an image's size, so that images of several sizes can be
audited together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from gandetect.analyses.audit.positions import block_statistics, centre
from gandetect.errors import DataError

Features: TypeAlias = dict[str, npt.NDArray[Any]]
Images: TypeAlias = npt.NDArray[np.uint8]
Values: TypeAlias = npt.NDArray[Any]

LEAST_SIDE = 16  # px; below it there is no 8 x 8 grid to speak of
WINDOW = 256  # px; of larger images the centre is enough for all but the border
CHUNK = 2**22  # values that are worked on at a time
BETWEEN = "values between grey levels"
POSITION = "position"
PIXELS = "single pixels"
WHOLE = ("border pixels", POSITION)  # what is looked at in all of a large image
_BINS = 8
_TINY = 1e-9


def probe_features(images: Images) -> Features:
    """Compute what every probe looks at, by the probe's name.

    Args:
        images: `(N, C, H, W) uint8`, at least 16 x 16 px.

    Returns a dict of `(N, K) float64`; K depends on the probe and on C, never on H and W.

    Raises `DataError` for anything but such an array.
    """
    _validate(images)
    step = max(1, CHUNK // images[0].size)
    parts = [_features(images[start : start + step]) for start in range(0, len(images), step)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def as_levels(images: Values) -> tuple[Images, npt.NDArray[np.float64]]:
    """Bring any array of images to grey levels, and tell how far it was from them.

    Floats are taken to lie in 0..1, -1..1 or 0..255, by the range of all of them together.

    Args:
        images: `(N, C, H, W)`, uint8 or floats.

    Returns the images as `(N, C, H, W) uint8`, rounded, and of each image the share of its values
    that were no whole grey level, `(N, 1) float64`. Raises `DataError` for other types, another
    shape, another range, and values that are not finite.
    """
    if images.dtype == np.uint8:
        return images, np.zeros((len(images), 1))
    if images.ndim != 4 or images.dtype.kind != "f":
        raise DataError(
            f"images are {images.dtype} of shape {images.shape}; expected (N, C, H, W) of uint8 "
            "or floats"
        )
    low, high = float(np.min(images, initial=0.0)), float(np.max(images, initial=0.0))
    if not np.isfinite([low, high]).all() or low < -1 or high > 255 or (low < 0 and high > 1):
        raise DataError(
            f"images hold values from {low:g} to {high:g}; expected 0 to 1, -1 to 1 or 0 to 255"
        )
    scale, shift = (127.5, 127.5) if low < 0 else (255.0, 0.0) if high <= 1 else (1.0, 0.0)
    levels = np.empty(images.shape, np.uint8)
    between = np.empty((len(images), 1))
    for place, image in enumerate(images):  # one by one: as float64 they may not fit all at once
        exact = image.astype(np.float64) * scale + shift
        levels[place] = np.rint(exact)
        between[place] = np.mean(np.abs(exact - np.rint(exact)) > 1e-3)
    return levels, between


def _validate(images: Images) -> None:
    if images.ndim != 4 or images.dtype != np.uint8:
        raise DataError(
            f"images are {images.dtype} of shape {images.shape}; expected (N, C, H, W) uint8"
        )
    if not len(images):
        raise DataError("there are no images on one side; give at least 25 on each")
    height, width = images.shape[2:]
    if min(height, width) < LEAST_SIDE:
        least = f"{LEAST_SIDE} x {LEAST_SIDE} px"
        raise DataError(f"images are {width} x {height} px; the probes need at least {least}")


def _features(images: Images) -> Features:
    window = centre(images, WINDOW, WINDOW)
    return {
        name: probe(images if name in WHOLE else window).astype(np.float64)
        for name, (probe, _) in _PROBES.items()
    }


def _histogram(images: Images) -> Values:
    """Share of each grey level, `(N, 256)`; a level that is missing has the share 0."""
    flat = images.reshape(len(images), -1)
    places = flat + 256 * np.arange(len(images))[:, None]
    counts = np.bincount(places.ravel(), minlength=256 * len(images))
    return counts.reshape(-1, 256) / flat.shape[1]


def _distinct(images: Images) -> Values:
    flat = images.reshape(len(images), -1)
    levels = (_histogram(images) > 0).sum(axis=1)
    return np.stack([levels, flat.min(axis=1), flat.max(axis=1)], axis=1)


def _border(images: Images) -> Values:
    """Of the outermost ring: mean, spread, step to the next ring, shares of black and white."""
    ring, inner = _ring(images), _ring(images[:, :, 1:-1, 1:-1])
    return np.stack(
        [
            ring.mean(axis=1),
            ring.std(axis=1),
            ring.mean(axis=1) - inner.mean(axis=1),
            (ring == 0).mean(axis=1),
            (ring == 255).mean(axis=1),
        ],
        axis=1,
    )


def _ring(images: Images) -> Values:
    sides = [images[..., 0, :], images[..., -1, :], images[..., 1:-1, 0], images[..., 1:-1, -1]]
    return np.concatenate(sides, axis=-1).reshape(len(images), -1)


def _least_bits(images: Images) -> Values:
    """Shares of the lowest two bits, with and without black and white, and how bits lie together.

    Black and white are left out once, since clipping makes their bits and nothing else does.
    """
    flat = images.reshape(len(images), -1)
    inside = (flat > 0) & (flat < 255)
    low = flat & 3
    shares = [(low == value).mean(axis=1) for value in range(4)]
    n = inside.sum(axis=1) + _TINY
    shares += [((low == value) & inside).sum(axis=1) / n for value in range(4)]
    odd = images & 1
    agree = [odd[..., 1:] == odd[..., :-1], odd[..., 1:, :] == odd[..., :-1, :]]
    return np.stack([*shares, *(same.mean(axis=(1, 2, 3)) for same in agree)], axis=1)


def _checkerboard(images: Images) -> Values:
    """Patterns of period 2, as transposed convolutions of stride 2 leave them.

    Energy at the three Nyquist frequencies and of 2 x 2 checkerboards, each as the logarithm of
    its ratio to the image's variance, and whether steps are larger at even or at odd places
    (Odena et al., Distill 2016, on where such patterns come from).
    """
    values = images.astype(np.float64)
    variance = values.var(axis=(2, 3)).mean(axis=1) + 1.0
    rows, columns = ((-1.0) ** np.arange(side) for side in images.shape[2:])
    area = values.shape[2] * values.shape[3]
    waves = [rows[:, None] * columns, rows[:, None] + 0 * columns, 0 * rows[:, None] + columns]
    nyquist = [((values * wave).sum(axis=(2, 3)) ** 2).mean(axis=1) / area for wave in waves]
    across, down = np.diff(values, axis=3), np.diff(values, axis=2)
    local = (np.diff(across, axis=2) ** 2).mean(axis=(1, 2, 3))
    energies = [np.log((energy + _TINY) / variance) for energy in (*nyquist, local)]
    return np.stack([*energies, _uneven(across, 3), _uneven(down, 2)], axis=1)


def _uneven(steps: Values, axis: int) -> Values:
    """Mean absolute step at odd places over that at even places, as a logarithm, `(N,)`."""
    sizes = np.abs(np.moveaxis(steps, axis, -1))
    even, odd = (sizes[..., first::2].mean(axis=(1, 2, 3)) for first in (0, 1))
    return np.asarray(np.log((odd + 0.1) / (even + 0.1)))


def _high_frequencies(images: Images) -> Values:
    """How an image's energy lies over frequencies: the share above half the Nyquist frequency.

    Then the logarithm of the share in each of eight rings from 0 to the Nyquist frequency and
    beyond it in the corners (Durall et al., CVPR 2020, after the azimuthal average).
    """
    values = images - images.mean(axis=(2, 3), keepdims=True)
    height, width = images.shape[2:]
    energy = (np.abs(np.fft.fft2(values)) ** 2).mean(axis=1).reshape(len(images), -1)
    radius = 2 * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)).ravel()
    ring = np.minimum((radius * _BINS).astype(int), _BINS)
    rings = np.stack([energy[:, ring == one].sum(axis=1) for one in range(_BINS + 1)], axis=1)
    shares = rings / (rings.sum(axis=1, keepdims=True) + _TINY)
    above = energy[:, radius > 0.5].sum(axis=1) / (energy.sum(axis=1) + _TINY)
    return np.column_stack([above, np.log10(shares + 1e-6)])


def _grid(images: Images) -> Values:
    """What JPEG leaves on its grid of 8 x 8 px: steps at the seams, and coefficients at zero.

    Steps: the logarithm of those at multiples of 8 over the others (after Wang, Sheikh, Bovik,
    ICIP 2002). Coefficients: share of fine ones that are nearly zero in blocks on the grid, in
    blocks half a block beside it, and the difference.
    """
    values = images.astype(np.float64)
    height, width = (side // 8 * 8 for side in images.shape[2:])
    on = _near_zero(values[:, :, :height, :width])
    off = _near_zero(values[:, :, 4 : height - 4, 4 : width - 4])
    seams = [_seams(np.diff(values, axis=3), 3), _seams(np.diff(values, axis=2), 2)]
    return np.stack([*seams, on, off, on - off], axis=1)


def _seams(steps: Values, axis: int) -> Values:
    sizes = np.abs(np.moveaxis(steps, axis, -1))
    seam = np.arange(sizes.shape[-1]) % 8 == 7
    at, beside = (sizes[..., mask].mean(axis=(1, 2, 3)) for mask in (seam, ~seam))
    return np.asarray(np.log((at + 0.1) / (beside + 0.1)))


def _near_zero(values: Values) -> Values:
    """Share of the finer half of all DCT coefficients with an absolute value below 1, `(N,)`."""
    n, channels, height, width = values.shape
    blocks = values.reshape(n, channels, height // 8, 8, width // 8, 8)
    coefficients = dctn(blocks, axes=(3, 5), norm="ortho")
    near = np.abs(coefficients) < 1
    fine = np.add.outer(np.arange(8), np.arange(8)) > 7
    return np.asarray(near.mean(axis=(1, 2, 4))[:, fine].mean(axis=1))


_PROBES: dict[str, tuple[Callable[[Images], Values], str]] = {
    "mean": (lambda images: images.mean(axis=(2, 3)), "how bright the image is, in each channel"),
    "standard deviation": (
        lambda images: images.std(axis=(2, 3)),
        "how much contrast it has, in each channel",
    ),
    "histogram": (_histogram, "the share of each of the 256 grey levels"),
    "distinct values": (_distinct, "how many grey levels there are, the lowest and the highest"),
    "border pixels": (_border, "the outermost ring of pixels, and its step to the next"),
    "least significant bits": (_least_bits, "the lowest two bits of the values"),
    "checkerboard": (_checkerboard, "patterns that repeat every 2 pixels"),
    "high frequencies": (_high_frequencies, "how the energy is spread over frequencies"),
    "8 x 8 grid": (_grid, "seams and rounding on the grid of 8 x 8 pixels that JPEG uses"),
    POSITION: (block_statistics, "mean, extremes and contrast of each block of a 16 x 16 grid"),
}
LOOKS_AT = {name: words for name, (_, words) in _PROBES.items()} | {
    PIXELS: "the values of the pixels that differ most between the two sides",
    BETWEEN: "the share of values that are no whole grey level",
}
