"""Occlusion maps: how much a detector's score depends on each part of an image.

A window of the image is replaced by the same window of the mean real image, and the change of the
score is the map's value there (Zeiler and Fergus, ECCV 2014, with grey windows). Occlusion was
chosen over gradients because it asks nothing of a detector but scores: one-class detectors and
ranks have no gradient, and with one method for all of them maps can be compared. Its values are
log-odds, as scores are; and it sees what gradient x input cannot, the black of a background that is
not quite black. It costs some hundred scores an image, and needs no library. What it cannot see is
what no single window carries, and a window that is pasted in is itself unusual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.intervals import Z
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics, ordered

Images: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]
Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]

PARTS = 7  # an image is so many windows wide
OVERLAP_UP_TO = 64  # px; in larger images windows stand side by side, as each score costs more
KINDS = ("surest", "mistakes")  # of the images that are shown with their maps


def window_of(side: int) -> int:
    """Pixels of a window's side: a seventh of the image's, 4 of 28.

    >>> window_of(28), window_of(8)
    (4, 1)
    """
    return max(1, round(side / PARTS))


def starts_of(side: int) -> list[int]:
    """Where windows begin along one side: they overlap by a quarter, the last ends at the border.

    >>> starts_of(28)
    [0, 3, 6, 9, 12, 15, 18, 21, 24]
    """
    window = window_of(side)
    step = max(1, window * 3 // 4) if side <= OVERLAP_UP_TO else window
    return sorted({*range(0, side - window + 1, step), side - window})


def occluded(image: Images, mean: Images) -> Images:
    """An image ``(C, H, W)`` with each window in turn replaced by ``mean``'s: ``(K * K, C, H, W)``.

    Row by row, K = ``len(starts_of(H))``; images are square.
    """
    starts, window = starts_of(image.shape[-1]), window_of(image.shape[-1])
    covered = np.repeat(image[None], len(starts) ** 2, axis=0)
    places = [(top, left) for top in starts for left in starts]
    for one, (top, left) in zip(covered, places, strict=True):
        part = np.s_[:, top : top + window, left : left + window]
        one[part] = mean[part]
    return covered


def by_pixel(maps: Floats, side: int) -> Floats:
    """Maps over windows ``(…, K, K)`` as maps over pixels ``(…, side, side)``.

    A pixel has the mean of the windows that cover it.
    """
    starts, window = np.array(starts_of(side)), window_of(side)
    pixels = np.arange(side)
    covers = (starts[:, None] <= pixels) & (pixels < starts[:, None] + window)  # (K, side)
    weights = covers / covers.sum(axis=0)
    spread: Floats = weights.T @ maps.astype(np.float64) @ weights
    return spread


def rank_correlations(first: Floats, second: Floats) -> Floats:
    """Spearman's correlation of the sizes of each pair of maps, ``(N, …)``: ``(N,)``.

    NaN where a map is the same everywhere, and so has no ranks.
    """
    a, b = (rankdata(np.abs(one).reshape(len(one), -1), axis=1) for one in (first, second))
    a, b = (one - one.mean(axis=1, keepdims=True) for one in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(correlations, np.float64)


def split_by_source(stored: Arrays) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """What is stored of each source, from arrays named ``<source>/<name>``."""
    sources: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for key, values in stored.items():
        source, _, name = key.rpartition("/")
        sources.setdefault(source, {})[name] = values
    return sources


def numbers(study: ScoredStudy) -> Metrics:
    """``saliency``: of each detector, seed and source, how large and how telling its maps are.

    ``largest`` is the largest change that one window made to an image's score, mean over images.
    ``border`` is the share of all change that windows at the image's border made, and
    ``border_windows`` the share of windows there. ``like_pixels`` is the rank correlation with how
    much the window changed the pixels, and ``like_shuffled`` that with the map of the same network
    with its weights shuffled: near 1 a map says little of what was learnt (Adebayo et al., NeurIPS
    2018). Both are means over images with normal 95 % intervals, None where there is none.
    """
    of_runs = {run: split_by_source(stored) for run, stored in study.saliency.items()
               if run[0] in study.facts}  # fmt: skip
    return {"saliency": [
        {"detector": detector, "detector_seed": seed, "source": source, **_of(sources[source])}
        for (detector, seed), sources in of_runs.items()
        for source in ordered(sources, study.own[detector])
        if "maps" in sources[source]
    ]}  # fmt: skip


def _of(one: Arrays) -> dict[str, Any]:
    maps = np.abs(one["maps"].astype(np.float64))  # (n, K, K)
    inside = np.zeros(maps.shape[1:], bool)
    inside[1:-1, 1:-1] = True
    total = maps.sum()
    row: dict[str, Any] = {
        "n": len(maps),
        "largest": float(maps.max(axis=(1, 2)).mean()),
        "border": float(maps[:, ~inside].sum() / total) if total else None,
        "border_windows": float((~inside).mean()),
    }
    for name in ("pixels", "shuffled"):
        alike = np.empty(0)
        if (other := one.get(name)) is not None:
            alike = rank_correlations(maps, other.astype(np.float64))
        row |= _with_interval(f"like_{name}", alike)
    return row


def _with_interval(name: str, values: Floats) -> dict[str, Any]:
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return {name: None, f"{name}_ci95": None}
    mean, reach = values.mean(), Z * values.std(ddof=1) / np.sqrt(len(values))
    return {name: float(mean), f"{name}_ci95": [float(mean - reach), float(mean + reach)]}


def rows(metrics: Metrics) -> Iterable[Row]:
    """The same, one number a row; what there is none of is left out."""
    for row in metrics.get("saliency", []):
        for name in ("largest", "border", "like_pixels", "like_shuffled"):
            if row[name] is not None:
                yield tidy_row("saliency", row, name, row[name], row.get(f"{name}_ci95"))
