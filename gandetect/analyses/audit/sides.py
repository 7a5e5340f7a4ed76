"""An audit of two sets of images: copies first, then order and probes on what is no copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gandetect.analyses.audit.copies import Marks, first_of_each, groups_of_copies, many, marks_of
from gandetect.analyses.audit.judging import LEAST_IMAGES, ProbeResult, audit
from gandetect.analyses.audit.positions import GRID, centre, strongest, window_side
from gandetect.analyses.audit.probes import (
    BETWEEN,
    PIXELS,
    POSITION,
    Features,
    Images,
    as_levels,
    probe_features,
)
from gandetect.errors import DataError
from gandetect.statistics.intervals import Interval

NARROW = 32  # numbers of a probe that are looked at for a trend over the files
COPIES, ACROSS, ORDER = "copies", "copies of real images", "order"
Rows = npt.NDArray[np.int64]
Map = list[list[float]]


@dataclass(frozen=True)
class Side:
    """What is kept of one set of images, in the order of its files."""

    features: Features
    marks: Marks
    pixels: Images  # (N, C, h, w): all of small images, the centre of large ones


@dataclass(frozen=True)
class SetCheck:
    """What one set of images, real or generated, is like as a set.

    ``value`` of "copies" is how many of ``n`` images repeat an earlier one of the set, of "copies
    of real images" how many of the generated ones repeat a real one, exactly or nearly; ``exact``
    is how many do to the pixel. Of "order" it is the AUROC of the first half against the second.
    """

    check: str
    side: str
    value: float
    n: int
    warning: bool
    exact: int | None = None
    ci95: Interval | None = None


@dataclass(frozen=True)
class Audited:
    """What an audit shows; ``refused`` is why there are no probes, if there are none.

    ``difference`` holds real less generated on a grid of 16 x 16 blocks, in grey levels: of the
    mean, and of the deviation over images.
    """

    checks: list[SetCheck]
    probes: list[ProbeResult]
    difference: dict[str, Map]
    refused: str = ""


def side_of(images: Images, window: int, more: Features | None = None) -> Side:
    """Look at images `(N, C, H, W) uint8`; of a window's pixels one by one."""
    pixels = centre(images, window, window).copy()  # so that a large picture can be given up
    return Side(probe_features(images) | (more or {}), marks_of(images), pixels)


def joined(sides: Sequence[Side]) -> Side:
    """Put images of several sizes together; what all have is kept of their pixels."""
    return Side(
        {name: np.concatenate([side.features[name] for side in sides])
         for name in sides[0].features},
        Marks(
            [digest for side in sides for digest in side.marks.digests],
            np.concatenate([side.marks.small for side in sides]),
        ),
        np.concatenate(_cut([side.pixels for side in sides])),
    )  # fmt: skip


def audit_arrays(
    real: npt.NDArray[Any], generated: npt.NDArray[Any], *, folds: int = 5, seed: int = 0
) -> Audited:
    """Audit two arrays of images, `(N, C, H, W)` and `(M, C, H, W)`, uint8 or floats.

    With floats on either side there is one more probe, "values between grey levels"; for all
    others floats are rounded to grey levels first. Raises `DataError` for arrays that hold no
    such images.
    """
    sides = []
    window = window_side(len(real) + len(generated), real.shape[1] if real.ndim == 4 else 1)
    floats = real.dtype != np.uint8 or generated.dtype != np.uint8
    for images in (real, generated):
        levels, between = as_levels(images)
        sides.append(side_of(levels, window, {BETWEEN: between} if floats else None))
    return audit_sides(*sides, folds=folds, seed=seed)


def audit_sides(
    real: Side, generated: Side, *, ordered: bool = True, folds: int = 5, seed: int = 0
) -> Audited:
    """Count copies, and let probes try on what is left without the copies within a side.

    A copy of a real image among the generated ones stays, in the same fold as the real one.
    With ``ordered`` one more probe looks for a trend over the files of each side that has at least
    50 different images.
    """
    exact, near = groups_of_copies([real.marks, generated.marks])
    checks = _count_copies(exact, near)
    distinct = [first_of_each(groups) for groups in near]
    sides = [_probed(side, rows) for side, rows in zip((real, generated), distinct, strict=True)]
    features, windows = _with_pixels(sides)
    others = 2 if ordered else 0
    try:
        groups = np.concatenate([ours[rows] for ours, rows in zip(near, distinct, strict=True)])
        probes = audit(*features, groups=groups, others=others, folds=folds, seed=seed)
    except DataError as error:
        return Audited(checks, [], {}, str(error))
    if ordered:
        family = len(probes) + others
        checks += [
            _order(name, side.features, family, folds, seed)
            for name, side in zip(("real", "generated"), sides, strict=True)
            if len(side.pixels) >= 2 * max(LEAST_IMAGES, 5 * folds)
        ]
    probes = [
        replace(one, where=strongest(*windows)) if one.probe == PIXELS and one.warning else one
        for one in probes
    ]
    return Audited(checks, probes, _difference(*features))


def _count_copies(exact: Sequence[Rows], near: Sequence[Rows]) -> list[SetCheck]:
    checks = []
    for side, ours, alike in zip(("real", "generated"), exact, near, strict=True):
        n = len(ours)
        count, same = (n - len(np.unique(groups)) for groups in (alike, ours))
        checks.append(SetCheck(COPIES, side, count, n, many(count, n), same))
    count, same = (int(np.isin(fakes, reals).sum()) for reals, fakes in (near, exact))
    n = len(exact[1])
    return [*checks, SetCheck(ACROSS, "generated", count, n, many(count, n), same)]


def _probed(side: Side, rows: Rows) -> Side:
    features = {name: values[rows] for name, values in side.features.items()}
    return Side(features, side.marks, side.pixels[rows])


def _with_pixels(sides: Sequence[Side]) -> tuple[list[Features], list[Images]]:
    """Features with the pixels that both sides have, and these as images."""
    windows = _cut([side.pixels for side in sides])
    flat = [window.reshape(len(window), -1) for window in windows]
    return [side.features | {PIXELS: own} for side, own in zip(sides, flat, strict=True)], windows


def _cut(pixels: Sequence[Images]) -> list[Images]:
    """The centres that all have."""
    least = (min(one.shape[2] for one in pixels), min(one.shape[3] for one in pixels))
    return [centre(one, *least) for one in pixels]


def _order(side: str, features: Features, family: int, folds: int, seed: int) -> SetCheck:
    """Whether images of the first half of the files can be told from those of the second."""
    narrow = [values for values in features.values() if values.shape[1] <= NARROW]
    values = np.concatenate(narrow, axis=1)
    first, second = ({ORDER: half} for half in np.array_split(values, 2))
    (result,) = audit(first, second, others=family - 1, folds=folds, seed=seed)
    return SetCheck(ORDER, side, result.auroc, len(values), result.warning, ci95=result.ci95)


def _difference(real: Features, generated: Features) -> dict[str, Map]:
    """Real less generated: of the mean of each block, and of its deviation over images."""
    means = []
    for features in (real, generated):
        values = features[POSITION]
        channels = values.shape[1] // GRID**2 - 3
        means.append(values[:, : channels * GRID**2].reshape(-1, channels, GRID, GRID).mean(1))
    return {
        "mean": np.round(means[0].mean(0) - means[1].mean(0), 2).tolist(),
        "deviation": np.round(means[0].std(0) - means[1].std(0), 2).tolist(),
    }
