"""Mean log-power spectra, grey-level histograms and mean images of sources, and their differences.

Nothing here asks a detector. A difference that stands in these numbers is one that a detector can
use; whether it does is another question.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.intervals import Z
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import IN_DISTRIBUTION, Metrics

Images: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

WINDOW = 128  # px; of larger images the spectrum is that of the centre
MEAN_SIDE = 64  # px, at most, of a mean image
LEVELS = 256
ROUNDING = 1 / 12  # squared grey levels: the variance that rounding to whole levels adds
HIGH = 0.75  # of the Nyquist frequency: what lies above it is "high"
CHUNK = 2**22  # pixels that are worked on at a time


def summarise(images: Images) -> Arrays:
    """What is kept of one source.

    Args:
        images: ``(N, C, H, W) uint8``, N at least 1.

    Returns ``n``; ``spectrum`` ``(S, S)``, the mean log-power in dB with frequency 0 in the middle;
    ``radius`` ``(R,)`` in units of the Nyquist frequency, with the ``profile`` ``(R,)`` of the
    spectrum over it and its standard error ``profile_se``; ``high`` and ``high_se``, the same of
    all frequencies from `HIGH` to the Nyquist frequency; ``histogram`` ``(256,)``, the share of
    each grey level, all channels together; ``mean`` ``(C, h, w)``, the mean image.
    """
    step = max(1, CHUNK // images[0].size)
    parts = [images[start : start + step] for start in range(0, len(images), step)]
    spectra = np.concatenate([log_power(part) for part in parts])
    radius, profiles = radial_profiles(spectra)
    high = profiles[:, radius >= HIGH].mean(axis=1)
    counts = sum(np.bincount(part.ravel(), minlength=LEVELS) for part in parts)
    mean = sum(part.sum(axis=0, dtype=np.float64) for part in parts) / len(images)
    return {
        "n": np.array(len(images)),
        "spectrum": np.fft.fftshift(spectra.mean(axis=0)).astype(np.float32),
        "radius": radius,
        "profile": profiles.mean(axis=0),
        "profile_se": _standard_error(profiles),
        "high": high.mean(axis=0),
        "high_se": _standard_error(high),
        "histogram": np.asarray(counts) / images.size,
        "mean": _smaller(np.asarray(mean)).astype(np.float32),
    }


def log_power(images: Images) -> Floats:
    """The log-power spectrum of each of ``(N, C, H, W) uint8``: ``(N, S, S)`` in dB.

    Of the mean of the channels, less its own mean, under a Hann window, without which borders that
    do not meet would draw a cross. White noise of variance v has the power v, in squared grey
    levels. The variance of rounding is added, so that a flat image has a logarithm; nothing below
    it could be seen in stored images. S is the shorter side, at most `WINDOW`.
    """
    side = min(*images.shape[2:], WINDOW)
    top, left = ((length - side) // 2 for length in images.shape[2:])
    grey = images[:, :, top : top + side, left : left + side].mean(axis=1)
    window = np.outer(*[np.hanning(side + 2)[1:-1]] * 2)
    centred = (grey - grey.mean(axis=(1, 2), keepdims=True)) * window
    power = np.abs(np.fft.fft2(centred)) ** 2 / (window**2).sum()
    decibels: Floats = 10 * np.log10(power + ROUNDING)
    return decibels


def radial_profiles(spectra: Floats) -> tuple[Floats, Floats]:
    """The mean over rings of one frequency's width, from 1 to the Nyquist frequency.

    Spectra are ``(N, S, S)`` as `log_power` returns them. Returns the radius of each ring in units
    of the Nyquist frequency, ``(R,)``, and the profiles ``(N, R)``. The corners beyond the Nyquist
    frequency are in no ring.
    """
    side = spectra.shape[1]
    along = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(along[:, None], along)).astype(int)
    radii = np.arange(1, side // 2 + 1)
    profiles = np.stack([spectra[:, ring == radius].mean(axis=1) for radius in radii], axis=1)
    return 2 * radii / side, profiles


def split_by_source(stored: Mapping[str, npt.NDArray[Any]]) -> dict[tuple[str, int], Arrays]:
    """What is stored of each source and seed, from arrays named ``<source>@<seed>/<name>``."""
    sources: dict[tuple[str, int], Arrays] = {}
    for key, values in stored.items():
        place, _, name = key.rpartition("/")
        source, _, seed = place.rpartition("@")
        sources.setdefault((source, int(seed)), {})[name] = values
    return sources


def against(reals: Arrays, fakes: Arrays, name: str) -> tuple[Floats, Floats]:
    """The difference of two means that were stored, fakes less reals, and its 95 % interval.

    ``name`` is "profile" or "high". The interval is normal, over images: their numbers are large
    and the two groups independent. Returns ``(…,)`` and ``(2, …)``.
    """
    difference = np.asarray(fakes[name] - reals[name], np.float64)
    reach = Z * np.hypot(fakes[f"{name}_se"], reals[f"{name}_se"])
    return difference, np.stack([difference - reach, difference + reach])


def numbers(study: ScoredStudy) -> Metrics:
    """``image_statistics``: how far each source is from in-distribution reals, in three numbers.

    ``high_db`` is the difference in mean log-power from `HIGH` to the Nyquist frequency, with its
    interval; ``histogram_distance`` the total variation distance of the grey-level histograms, from
    0 (equal) to 1 (none in common); ``mean_distance`` the root mean square difference of the mean
    images, in grey levels.
    """
    sources = split_by_source(study.image_statistics)
    reals = sources.get((IN_DISTRIBUTION, 0))
    if reals is None:
        return {}
    return {"image_statistics": [_row(*key, reals, one) for key, one in sources.items()]}


def _row(source: str, seed: int, reals: Arrays, one: Arrays) -> dict[str, Any]:
    row: dict[str, Any] = {"source": source, "source_seed": seed, "n": int(one["n"])}
    row["mean_level"] = float(one["histogram"] @ np.arange(LEVELS))
    if source == IN_DISTRIBUTION:
        return row
    difference, interval = against(reals, one, "high")
    return {
        **row,
        "high_db": float(difference),
        "high_db_ci95": interval.tolist(),
        "histogram_distance": float(np.abs(one["histogram"] - reals["histogram"]).sum() / 2),
        "mean_distance": float(np.sqrt(((one["mean"] - reals["mean"]) ** 2).mean())),
    }


def rows(metrics: Metrics) -> Iterable[Row]:
    """The same, one number a row."""
    for row in metrics.get("image_statistics", []):
        place = {"source_seed": row["source_seed"]}
        yield tidy_row("image-statistics", row, "mean_level", row["mean_level"], **place)
        if "high_db" in row:
            place["real_source"] = IN_DISTRIBUTION
            for key in ("high_db", "histogram_distance", "mean_distance"):
                name, ci95 = key.replace("high_db", "high_frequency_db"), row.get(f"{key}_ci95")
                yield tidy_row("image-statistics", row, name, row[key], ci95, **place)


def _standard_error(values: Floats) -> Floats:
    """Of the mean over the first axis; of one image it is not known, and none is claimed."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.inf)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))


def _smaller(image: Floats) -> Floats:
    """An image ``(C, H, W)`` of at most `MEAN_SIDE` pixels a side, by the means of blocks."""
    block = -(-max(image.shape[1:]) // MEAN_SIDE)
    channels, height, width = image.shape
    rows_, columns = height // block, width // block
    cut = image[:, : rows_ * block, : columns * block]
    return np.asarray(cut.reshape(channels, rows_, block, columns, block).mean(axis=(2, 4)))
