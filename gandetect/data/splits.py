"""Splits by seed alone: disjoint, covering everything, and proved by a manifest of hashes.

The training file gives the held-out classes, and of the rest a training and an in-distribution
test split. The official test file is never trained on nor tested on: its in-distribution images
are the calibration split, its held-out images stay untouched (``reserved``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from gandetect.data.class_images import ClassImages
from gandetect.data.found import same_text
from gandetect.data.stored import Images, take
from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown
from gandetect.randomness import integer_seed, stream

Indices = NDArray[np.int64]
CHUNK = 4096  # images in memory at a time


@dataclass(frozen=True)
class Splits:
    """Sorted indices: the first three into the training file, the others into the test file.

    Where there is no test file (``one_file``) all are indices into the only one.
    """

    train: Indices
    in_distribution: Indices
    held_out: Indices
    calibration: Indices
    reserved: Indices
    one_file: bool = False


def resolve_held_out(
    given: Sequence[str | int],
    classes: Sequence[str],
    key: str = "held_out",
    data_set: str = "the data",
) -> tuple[int, ...]:
    """Class numbers of classes given by name, a string in any case, or number, an integer; sorted.

    Raises `UsageError` for an unknown class (naming the nearest), one given twice, none or all.

    >>> resolve_held_out(["bag", 9], ["Shirt", "Bag", "Sandal"] + ["other"] * 7)
    (1, 9)
    """
    numbers = [_class_number(name, classes, key, data_set) for name in given]
    twice = {number for number in numbers if numbers.count(number) > 1}
    if twice:
        raise UsageError(f"{key} names {shown(classes[min(twice)])} twice; give each class once")
    if not numbers:
        raise UsageError(f"{key} is empty; name at least one class that nobody trains on")
    if len(numbers) == len(classes):
        raise UsageError(
            f"{key} names all {len(classes)} classes, which leaves nothing to train on; "
            "leave at least one out of it"
        )
    return tuple(sorted(numbers))


def resolve_selection(
    given: Sequence[str | int],
    held_out: Sequence[int],
    classes: Sequence[str],
    data_set: str = "the data",
) -> tuple[int, ...]:
    """Class numbers that stand for the held-out ones while settings are chosen; mostly none.

    Raises `UsageError` as `resolve_held_out` does, and for a class that is held out anyway.

    >>> resolve_selection(["bag"], (9,), ["Shirt", "Bag", "Sandal"] + ["other"] * 7)
    (1,)
    """
    if not given:
        return ()
    chosen = resolve_held_out(given, classes, "selection", data_set)
    both = [classes[number] for number in chosen if number in held_out]
    if both:
        raise UsageError(
            f"selection names {shown(both[0])}, which is held out and must stay untouched while "
            "settings are chosen; name classes that are not in held_out"
        )
    if len(chosen) + len(held_out) >= len(classes):
        raise UsageError(
            "selection and held_out name all classes together, which leaves nothing to train on; "
            "leave at least one out of both"
        )
    return chosen


def make_splits(
    train_labels: NDArray[np.integer[Any]],
    test_labels: NDArray[np.integer[Any]],
    held_out: Sequence[int],
    *,
    test_fraction: float,
    seed: int,
    images: int | None = None,
    selection: Sequence[int] = (),
) -> Splits:
    """Split by class and by seed; the in-distribution test split is stratified by class.

    With ``selection``, classes that settings are chosen by, the training split of the study
    without them is split once more: its images of those classes are the held-out ones, and of the
    rest a share is the in-distribution test. Everything else of the training file stays untouched.

    ``images`` first takes that many images of the training file, and of the test file the same
    share, both stratified. Raises `DataError` when a split would be too small.
    """
    told = f"test_fraction {test_fraction}"
    train_file = stratified_subset(train_labels, images, seed, "train file")
    share = len(train_file) / len(train_labels)
    wanted = None if images is None else max(round(share * len(test_labels)), 1)
    test_file = stratified_subset(test_labels, wanted, seed, "test file")
    anomalous = np.isin(train_labels[train_file], held_out)
    familiar = train_file[~anomalous]
    train, in_distribution = split_off(
        train_labels, familiar, test_fraction, seed, "test split", told
    )
    unknown = train_file[anomalous]
    if selection:
        chosen = np.isin(train_labels[train], selection)
        unknown = train[chosen]
        train, in_distribution = split_off(
            train_labels, train[~chosen], test_fraction, seed, "selection split", told
        )
    reserved = np.isin(test_labels[test_file], [*held_out, *selection])
    return Splits(
        train=train,
        in_distribution=in_distribution,
        held_out=unknown,
        calibration=test_file[~reserved],
        reserved=test_file[reserved],
    )


def split_off(
    labels: NDArray[np.integer[Any]],
    familiar: Indices,
    share: float,
    seed: int,
    name: str,
    told: str,
) -> tuple[Indices, Indices]:
    """Split a share off indices, by class and by a stream of chance of that name; both sorted."""
    count = round(share * len(familiar))
    sizes = np.unique(labels[familiar], return_counts=True)[1].tolist()
    smallest = min(sizes, default=0)
    if smallest < 2 or min(count, len(familiar) - count) < len(sizes):
        raise DataError(
            f"{told} of {len(familiar)} images gives {count} images "
            f"for {len(sizes)} classes, of which the smallest has {smallest}; "
            "give more images or another fraction"
        )
    train, test = train_test_split(
        familiar,
        test_size=count,
        stratify=labels[familiar],
        random_state=np.random.RandomState(integer_seed(seed, name) % 2**32),
    )
    return np.sort(train), np.sort(test)


def manifest(dataset: ClassImages, splits: Splits) -> pd.DataFrame:
    """One row an image: file, index, label, class_name, split, and SHA-256 of its pixels."""
    other = "train" if splits.one_file else "test"
    parts = [
        ("train", "train", splits.train),
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


def _class_number(given: str | int, classes: Sequence[str], key: str, data_set: str) -> int:
    """The number of a class given by name, a string, or by number, an integer: never the other."""
    if isinstance(given, str):
        if given in classes:
            return list(classes).index(given)
        told = same_text(given)
        alike = [number for number, name in enumerate(classes) if same_text(name) == told]
        if len(alike) == 1:  # where case tells classes apart it has to be given
            return alike[0]
    elif not isinstance(given, bool) and 0 <= given < len(classes):
        return given
    raise UsageError(
        f"{key} class {shown(given)} is not in {data_set}; its classes are: {listed(classes)} (or "
        f"0 to {len(classes) - 1}, without quotes){did_you_mean(given, classes)}"
    )
