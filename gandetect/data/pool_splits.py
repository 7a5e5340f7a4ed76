"""Splits of images that come without an official test file: by class, with groups kept whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gandetect.data.groups import cut_by_group
from gandetect.data.splits import Indices, Splits, split_off, stratified_subset
from gandetect.errors import DataError
from gandetect.randomness import stream


def make_pool_splits(
    labels: NDArray[np.integer[Any]],
    held_out: Sequence[int],
    *,
    groups: Indices | None,
    calibration_fraction: float,
    test_fraction: float,
    seed: int,
    images: int | None = None,
    selection: Sequence[int] = (),
) -> Splits:
    """Split one file into training, in-distribution test, held-out and calibration images.

    Every class is split by the fractions, ``groups`` ``(N,)`` stay whole; a group that also holds
    images of a held-out class is used for nothing else (``reserved``). Splits are in an order of
    chance. ``images`` first takes so many, stratified. With ``selection`` the training split is
    split once more, as in `make_splits`. Raises `DataError` when a split would be too small.
    """
    pool = stratified_subset(labels, images, seed, "pool")
    unknown = pool[np.isin(labels[pool], held_out)]
    familiar = pool[~np.isin(labels[pool], held_out)]
    tainted = _shares_a_group(familiar, unknown, groups)
    rest, reserved = familiar[~tainted], familiar[tainted]
    told = "calibration", f"calibration_fraction {calibration_fraction}"
    rest, calibration = _split_off(labels, rest, groups, calibration_fraction, seed, told)
    # Of what is left, so that the test split is its share of all.
    share = test_fraction / (1 - calibration_fraction)
    told = "test", f"test_fraction {test_fraction}"
    train, test = _split_off(labels, rest, groups, share, seed, told)
    if selection:
        chosen = np.isin(labels[train], selection)
        reserved = np.concatenate([reserved, test, unknown])
        unknown, train = train[chosen], train[~chosen]
        tainted = _shares_a_group(train, unknown, groups)
        reserved = np.concatenate([reserved, train[tainted]])
        told = "selection", told[1]
        train, test = _split_off(labels, train[~tainted], groups, share, seed, told)
        untouched = np.isin(labels[calibration], selection)
        reserved = np.concatenate([reserved, calibration[untouched]])
        calibration = calibration[~untouched]

    def mixed(part: Indices, name: str) -> Indices:
        """In an order of chance: first images stand for a split, and files are sorted by name."""
        return stream(seed, f"order of {name} of the pool").permutation(part)

    return Splits(
        train=mixed(train, "training images"),
        in_distribution=mixed(test, "test images"),
        held_out=mixed(unknown, "held-out images"),
        calibration=mixed(calibration, "calibration images"),
        reserved=np.sort(reserved),
        one_file=True,
    )


def _split_off(
    labels: NDArray[np.integer[Any]],
    indices: Indices,
    groups: Indices | None,
    share: float,
    seed: int,
    told: tuple[str, str],
) -> tuple[Indices, Indices]:
    """Split a share off sorted indices, groups kept whole; both parts sorted.

    ``told`` is what the part and the fraction are called in an error.
    """
    if not len(indices):
        raise DataError(
            "no image of a class that is not held out is left to train on; hold out fewer "
            "classes, or see that their groups (group_pattern) are not those of all others"
        )
    if groups is None or len(np.unique(groups[indices])) == len(indices):
        return split_off(labels, indices, share, seed, f"{told[0]} of the pool", told[1])
    try:
        sides = cut_by_group(labels[indices], groups[indices], {"test": share}, seed=seed)
    except DataError as error:  # whose sides are those of labelled images
        raise DataError(str(error).replace("the test split", f"the {told[0]} split")) from None
    return indices[sides == 0], indices[sides != 0]


def _shares_a_group(these: Indices, others: Indices, groups: Indices | None) -> NDArray[np.bool_]:
    """Which of ``these`` are of one group with any of the ``others``."""
    if groups is None:
        return np.zeros(len(these), dtype=bool)
    return np.isin(groups[these], groups[others])
