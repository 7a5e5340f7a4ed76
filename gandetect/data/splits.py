"""Splits by seed alone: disjoint, covering everything, and proved by a manifest of hashes.

The training file gives the held-out classes, and of the rest a training and an in-distribution
test split. The official test file is never trained on nor tested on: its in-distribution images
are the calibration split, its held-out images stay untouched (``reserved``). Where there is none,
the calibration split is cut out of the only file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from gandetect.data.class_images import ClassImages
from gandetect.data.groups import cut_by_group
from gandetect.data.stored import Images, take
from gandetect.errors import DataError
from gandetect.randomness import integer_seed, stream

Indices = NDArray[np.int64]
CHUNK = 4096  # images in memory at a time


@dataclass(frozen=True)
class Splits:
    """Sorted indices: into the training file, but calibration and reserved into the test file.

    Where there is no test file (``one_file``) all are indices into the only one.
    """

    train: Indices
    in_distribution: Indices
    held_out: Indices
    calibration: Indices
    reserved: Indices
    one_file: bool = False
    validation: Indices = field(default_factory=lambda: np.empty(0, np.int64))


def make_splits(
    train_labels: NDArray[np.integer[Any]],
    test_labels: NDArray[np.integer[Any]] | None,
    held_out: Sequence[int],
    *,
    test_fraction: float,
    seed: int,
    max_images: int | None = None,
    selection: Sequence[int] = (),
    validation: Sequence[int] = (),
    calibration_fraction: float = 0.0,
    groups: Indices | None = None,
) -> Splits:
    """Split by class and by seed; groups ``(N,)`` stay whole, each side has its share of a class.

    Where there is no official test file ``calibration_fraction`` of the only one takes its place,
    and splits are in random order. A group that also holds images of a held-out class is used
    for nothing else (``reserved``).

    With ``selection``, classes that settings are chosen by, the training split of the study
    without them is split once more: its images of those classes are the held-out ones, and of the
    rest a share is the in-distribution test. Everything else stays untouched.

    With ``validation``, classes that are neither trained on nor tested, the validation split is the
    training split's images of those classes and a share of its others.

    ``max_images`` first takes at most that many images of the training file, and of the test file
    the same share, both stratified. Raises `DataError` when a split would be too small.
    """
    pool = test_labels is None
    file = stratified_subset(train_labels, max_images, seed, "pool" if pool else "train file")
    anomalous = np.isin(train_labels[file], held_out)
    unknown = file[anomalous]
    rest, reserved = _apart(file[~anomalous], unknown, groups)

    def cut(part: Indices, share: float, name: str, key: str) -> tuple[Indices, Indices]:
        return _split_off(train_labels, part, groups, share, seed, name, key, pool=pool)

    calibration = rest[:0]
    if pool:
        key = f"calibration_fraction {calibration_fraction}"
        rest, calibration = cut(rest, calibration_fraction, "calibration", key)
    # Of what is left, so that the test split is its share of all.
    share, key = test_fraction / (1 - calibration_fraction), f"test_fraction {test_fraction}"
    train, test = cut(rest, share, "test", key)
    if selection:
        chosen = np.isin(train_labels[train], selection)
        untouched = [reserved, test, unknown]
        unknown = train[chosen]
        rest, tainted = _apart(train[~chosen], unknown, groups)
        reserved = np.concatenate([*untouched, tainted])
        train, test = cut(rest, share, "selection", key)
    held_back = train[:0]
    if validation:
        held_back = train[np.isin(train_labels[train], validation)]
        others = np.setdiff1d(train, held_back)
        tested = np.isin(train_labels[test], validation)
        rest, tainted = _apart(others, held_back, groups)
        reserved, test = np.concatenate([reserved, tainted, test[tested]]), test[~tested]
        train, seen_alike = cut(rest, share, "validation", key)
        held_back = np.sort(np.concatenate([held_back, seen_alike]))
    if test_labels is not None:
        wanted = None
        if max_images is not None:
            wanted = max(round(len(file) / len(train_labels) * len(test_labels)), 1)
        official = stratified_subset(test_labels, wanted, seed, "test file")
        of_others = np.isin(test_labels[official], [*held_out, *selection, *validation])
        parts = official[~of_others], official[of_others]
        return Splits(train, test, unknown, *parts, validation=held_back)
    selected = np.isin(train_labels[calibration], [*selection, *validation])
    reserved = np.sort(np.concatenate([reserved, calibration[selected]]))
    calibration = calibration[~selected]
    return _in_an_order_of_chance(
        Splits(train, test, unknown, calibration, reserved, True, held_back), seed
    )


def _in_an_order_of_chance(splits: Splits, seed: int) -> Splits:
    """First images stand for a split, and files of a pool are sorted by name."""

    def mixed(part: Indices, name: str) -> Indices:
        return stream(seed, f"order of {name} images of the pool").permutation(part)

    return replace(
        splits,
        train=mixed(splits.train, "training"),
        in_distribution=mixed(splits.in_distribution, "test"),
        held_out=mixed(splits.held_out, "held-out"),
        calibration=mixed(splits.calibration, "calibration"),
        validation=mixed(splits.validation, "validation"),
    )


def _apart(these: Indices, others: Indices, groups: Indices | None) -> tuple[Indices, Indices]:
    """Those of ``these`` that are of no group with any of the ``others``, and those that are."""
    if groups is None:
        return these, these[:0]
    shared = np.isin(groups[these], groups[others])
    return these[~shared], these[shared]


def _split_off(
    labels: NDArray[np.integer[Any]],
    part: Indices,
    groups: Indices | None,
    share: float,
    seed: int,
    name: str,
    key: str,
    *,
    pool: bool,
) -> tuple[Indices, Indices]:
    """Split a share off sorted indices, by class and with groups kept whole; both sorted.

    ``name`` is that of what is split off, and of its random stream; ``key`` is what
    an error calls the fraction.
    """
    if groups is not None and 0 < len(np.unique(groups[part])) < len(part):
        try:
            sides = cut_by_group(labels[part], groups[part], {"test": share}, seed=seed)
        except DataError as error:  # whose sides are those of labelled images
            raise DataError(str(error).replace("the test split", f"the {name} split")) from None
        return part[sides == 0], part[sides != 0]
    if not len(part):
        raise DataError(
            "no image of a class that is not held out is left to train on; hold out fewer "
            "classes, or see that their groups (group_pattern) are not those of all others"
        )
    count = round(share * len(part))
    sizes = np.unique(labels[part], return_counts=True)[1].tolist()
    if min(sizes) < 2 or min(count, len(part) - count) < len(sizes):
        raise DataError(
            f"{key} of {len(part)} images gives {count} images for {len(sizes)} classes, of which "
            f"the smallest has {min(sizes)}; give more images or another fraction"
        )
    split_seed = integer_seed(seed, f"{name} of the pool" if pool else f"{name} split")
    train, test = train_test_split(
        part,
        test_size=count,
        stratify=labels[part],
        random_state=np.random.RandomState(split_seed % 2**32),
    )
    return np.sort(train), np.sort(test)


def manifest(dataset: ClassImages, splits: Splits) -> pd.DataFrame:
    """One row an image: file, index, label, class_name, split, and SHA-256 of its pixels."""
    other = "train" if splits.one_file else "test"
    parts = [
        ("train", "train", splits.train),
        *([("validation", "train", splits.validation)] if len(splits.validation) else []),
        ("in-distribution", "train", splits.in_distribution),
        ("held-out", "train", splits.held_out),
        ("calibration", other, splits.calibration),
        ("reserved", other, splits.reserved),
    ]
    tables = []
    for split, file, indices in parts:
        images = dataset.train_images if file == "train" else dataset.test_images
        labels = dataset.train_labels if file == "train" else dataset.test_labels
        table = pd.DataFrame({"file": file, "index": indices, "label": labels[indices]})
        table["class_name"] = np.array(dataset.classes)[table["label"].to_numpy()]
        table["split"] = split
        table["sha256"] = content_hashes(take(images, indices))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def content_hashes(images: Images) -> list[str]:
    """SHA-256 (hex) of each image's pixels, in C x H x W order."""
    return [
        hashlib.sha256(image.tobytes()).hexdigest()
        for start in range(0, len(images), CHUNK)
        for image in images[start : start + CHUNK]
    ]


def verify_disjoint(manifest: pd.DataFrame) -> None:
    """Raise `DataError` when one stored image stands in two splits, or twice in one."""
    twice = manifest[manifest.duplicated(["file", "index"], keep=False)]
    if len(twice):
        first = twice.iloc[0]
        raise DataError(
            f"image {first['index']} of the {first['file']} file stands in more than one place "
            "of the splits; this must never happen, please report it"
        )


def duplicates_across(manifest: pd.DataFrame) -> dict[str, int]:
    """Pairs of splits that share identical pixels: ``{"train & held-out": n}``.

    ``n`` counts the different pictures that both splits hold; the data set itself has some.
    """
    names = [str(split) for split in manifest["split"].unique()]
    hashes = {name: set(manifest.loc[manifest["split"] == name, "sha256"]) for name in names}
    shared = {
        f"{first} & {second}": len(hashes[first] & hashes[second])
        for position, first in enumerate(names)
        for second in names[position + 1 :]
    }
    return {pair: count for pair, count in shared.items() if count}


def counts(manifest: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Images by class name and split."""
    table = pd.crosstab(manifest["class_name"], manifest["split"])
    return {
        str(name): {str(split): int(count) for split, count in row.items() if count}
        for name, row in table.to_dict("index").items()
    }


def stratified_subset(
    labels: NDArray[np.integer[Any]], wanted: int | None, seed: int, purpose: str
) -> Indices:
    """Sorted indices of a random subset in which each class keeps its share."""
    everything = np.arange(len(labels))
    if wanted is None or wanted >= len(labels):
        return everything
    order = stream(seed, f"subset of the {purpose}").permutation(len(labels))
    # Spread each class's images evenly from 0 to 1; those below the wanted share are taken.
    shuffled = pd.Series(labels[order])
    classes = shuffled.groupby(shuffled)
    position = (classes.cumcount() + 0.5) / classes.transform("size")
    return np.sort(order[np.argsort(position.to_numpy(), kind="stable")[:wanted]])
