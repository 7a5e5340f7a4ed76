"""Which files are copies of one picture, and splits and folds that keep such groups whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from gandetect.data.patterns import found_in_names
from gandetect.errors import DataError
from gandetect.randomness import integer_seed, stream

Numbers = NDArray[np.int64]
SIDES = ("train", "validation", "test")
SAME = ("sha256", "pixels_sha256", "group")  # columns of equal values in files of one group
CHUNK = 1 << 23  # comparisons of hashes at a time: 64 MB


def groups_of(
    table: pd.DataFrame, *, pattern: str | None, near: Sequence[tuple[int, int]] = ()
) -> Numbers:
    """Number the groups of files, ``(N,) int64``, in the order of their first files.

    Files are of one group when they have the same bytes (``sha256``), pixels (``pixels_sha256``,
    where the table has it) or ``group``; when ``pattern`` finds the same text in their file names
    (`found_in_names`); when they are a pair of ``near`` row numbers; or when both are of one group
    with a third.
    """
    count = len(table)
    links = [np.asarray(near, dtype=np.int64).reshape(-1, 2)]
    links += [_links(table[column].to_numpy(dtype=object)) for column in SAME if column in table]
    if pattern is not None:
        links.append(_links(np.array(found_in_names(table["path"], pattern), dtype=object)))
    first, second = np.concatenate(links).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    components = connected_components(graph, directed=False)[1]
    return np.asarray(pd.factorize(components)[0], dtype=np.int64)


def near_duplicate_pairs(hashes: NDArray[np.uint64], distance: int) -> list[tuple[int, int]]:
    """Pairs ``(i, j)``, ``i < j``, of 64-bit hashes that differ in at most ``distance`` bits.

    Sorted. Of files with one and the same hash only the first is compared with other hashes, and
    each of the others is paired with that first one; so groups are found without a pair for every
    two of ten thousand blank pictures.
    """
    different, firsts, which = np.unique(hashes, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(firsts[which] != np.arange(len(hashes)))
    parts = [np.stack([firsts[which[repeated]], repeated], axis=1)]
    rows = max(1, CHUNK // max(1, len(different)))
    for start in range(0, len(different), rows):
        block = different[start : start + rows, None]
        # Each block is compared with itself and with what follows it, so every pair comes up.
        near = np.bitwise_count(block ^ different[None, start:]) <= distance
        left, right = np.nonzero(near)
        pairs = firsts[start + np.stack([left, right], axis=1)[left < right]]
        parts.append(np.sort(pairs, axis=1))
    return sorted((int(first), int(second)) for first, second in np.concatenate(parts))


def split_by_group(
    classes: ArrayLike,
    groups: ArrayLike,
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> NDArray[np.str_]:
    """Split files at random into "train", "validation" and "test", ``(N,)``; groups stay whole.

    Every class is split by the fractions: to the file where each file is its own group, otherwise
    as nearly as whole groups allow. A fraction of 0 leaves its side empty. Raises `DataError`
    when a class has too few groups to stand on every side.
    """
    fractions = {"validation": validation_fraction, "test": test_fraction}
    sides = cut_by_group(classes, groups, fractions, seed=seed)
    return np.array(SIDES)[sides]


def cut_by_group(
    classes: ArrayLike,
    groups: ArrayLike,
    fractions: Mapping[str, float],
    *,
    seed: int,
    fixed: ArrayLike | None = None,
) -> Numbers:
    """Number the side of each file in ``SIDES``, as `split_by_group` does.

    ``fixed`` holds the side of files that is settled before, or -1; it counts for all files of
    their group, and towards the fractions.
    """
    names, class_of = np.unique(np.asarray(classes), return_inverse=True)
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    count = int(group_of.max(initial=-1)) + 1
    members = np.zeros((count, len(names)), dtype=np.int64)
    np.add.at(members, (group_of, class_of), 1)
    settled = np.full(count, -1)
    if fixed is not None:
        np.maximum.at(settled, group_of, np.asarray(fixed))
    wanted = _wanted(members.sum(axis=0), fractions)
    sides = _fill(members, wanted, settled, seed)
    open_sides = [0, *(SIDES.index(side) for side, share in fractions.items() if share > 0)]
    _reach_every_side(members, sides, settled, open_sides)
    require_every_class(names[class_of], group_of, sides[group_of], open_sides)
    return np.asarray(sides[group_of], dtype=np.int64)


def require_every_class(
    classes: ArrayLike, groups: ArrayLike, sides: ArrayLike, required: Sequence[int] = (0, 1, 2)
) -> None:
    """Raise `DataError` when a class has no file on one of the required sides of ``SIDES``."""
    table = pd.DataFrame({"class": classes, "group": groups, "side": sides})
    for name, rows in table.groupby("class"):
        counts = {SIDES[side]: int((rows["side"] == side).sum()) for side in required}
        for side, count in counts.items():
            if not count:
                shown = ", ".join(f"{other} {number:,}" for other, number in counts.items())
                raise DataError(
                    f"class {str(name)!r} has no image in the {side} split ({shown}): its "
                    f"{len(rows):,} file(s) are {rows['group'].nunique():,} group(s), and groups "
                    "stay whole; add images of it, or change the fractions or the given split"
                )


def folds_by_group(classes: ArrayLike, groups: ArrayLike, folds: int, seed: int) -> Numbers:
    """Number the fold of each file, ``(N,)`` of 0 to ``folds - 1``; groups stay whole.

    Raises `DataError` when a class has fewer files or groups than there are folds.
    """
    table = pd.DataFrame({"class": np.asarray(classes), "group": np.asarray(groups)})
    for name, rows in table.groupby("class"):
        if rows["group"].nunique() < folds:
            raise DataError(
                f"class {str(name)!r} has {len(rows):,} file(s) in {rows['group'].nunique():,} "
                f"group(s), fewer than the {folds} folds, and groups stay whole; lower folds or "
                "add images"
            )
    random_state = integer_seed(seed, "folds") % 2**32
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=random_state)
    numbers = np.full(len(table), -1, dtype=np.int64)
    parts = splitter.split(np.zeros(len(table)), table["class"], table["group"])
    for fold, (_, rest) in enumerate(parts):
        numbers[rest] = fold
    if len(np.unique(numbers)) < folds:
        raise DataError(
            f"{table['group'].nunique():,} groups of such unequal sizes cannot be dealt into "
            f"{folds} folds; lower folds or group fewer files"
        )
    return numbers


def _links(values: NDArray[np.object_]) -> Numbers:
    """Row numbers of each value that comes again, and of the first one like it, ``(M, 2)``."""
    labelled = np.flatnonzero([value != "" for value in values])
    codes, _ = pd.factorize(values[labelled])
    firsts = np.unique(codes, return_index=True)[1]
    pairs = np.stack([labelled[firsts[codes]], labelled], axis=1)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]], dtype=np.int64)


def _wanted(sizes: Numbers, fractions: Mapping[str, float]) -> NDArray[np.float64]:
    """Files wanted on each side of each class, ``(sides, classes)``: training takes the rest."""
    wanted = np.zeros((len(SIDES), len(sizes)))
    for side, share in fractions.items():
        wanted[SIDES.index(side)] = np.round(sizes * share)
    wanted[0] = sizes - wanted.sum(axis=0)
    return wanted


def _fill(members: Numbers, wanted: NDArray[np.float64], settled: Numbers, seed: int) -> Numbers:
    """Give each group, largest first, to the side that lacks most of the group's classes.

    Of the sides, it is the one that brings the squares of what is lacking down furthest.
    """
    lacking, sides = wanted.copy(), settled.copy()
    for side in range(len(SIDES)):
        lacking[side] -= members[settled == side].sum(axis=0)
    order = stream(seed, "labelled split").permutation(len(members))
    order = order[np.argsort(-members[order].sum(axis=1), kind="stable")]
    for group in order[settled[order] < 0]:
        side = int(np.argmax(lacking @ members[group]))
        lacking[side] -= members[group]
        sides[group] = side
    return sides


def _reach_every_side(
    members: Numbers, sides: Numbers, settled: Numbers, open_sides: Sequence[int]
) -> None:
    """Give each side that lacks a class its smallest group, from the side that holds most.

    So a class of a few large groups still stands on every side, where rounding left one empty.
    """
    for counts in members.T:
        of_class = counts > 0
        for side in open_sides:
            if (of_class & (sides == side)).any():
                continue
            movable = of_class & (settled < 0)
            held = [int((of_class & (sides == other)).sum()) for other in range(len(SIDES))]
            spare = [
                int((movable & (sides == other)).sum()) if held[other] > 1 else 0
                for other in range(len(SIDES))
            ]
            if any(spare):
                given = np.flatnonzero(movable & (sides == int(np.argmax(spare))))
                sides[given[np.argmin(members[given].sum(axis=1))]] = side
