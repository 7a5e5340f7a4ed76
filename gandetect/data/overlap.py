"""Pictures that stand where they must not: test images in another split, and both labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.fft import dctn

from gandetect.data.stored import Images
from gandetect.errors import DataError, shown

NEAR = 3.0  # mean difference in grey levels up to which two pictures of one hash are twins
MOST_NEAR = 0.01  # share of a test group that may have such a twin elsewhere
MOST_PAIRS = 10_000  # of pictures that share a hash, so many pairs are compared
KEY = "allow_contradictions"
NAMED = 3  # pictures in a message
ADVICE = (
    'give evaluation.overlap = "exclude" to leave these test images out, or "allow" to go on '
    "and have the report say so"
)


Contradiction = dict[str, str]  # the paths of one picture, each with its label


@dataclass(frozen=True)
class Duplicate:
    """A test image and its copy in another split; ``difference`` in grey levels, 0 if exact."""

    split: str
    index: int
    other_split: str
    other_index: int
    difference: float

    @property
    def exact(self) -> bool:
        """Whether the two are the same pixel for pixel."""
        return self.difference == 0.0


def find_duplicates(splits: Mapping[str, Images], test: Sequence[str]) -> list[Duplicate]:
    """Find pictures that stand in a test split and in any other, exactly or nearly.

    Nearly means an equal perceptual hash and a mean difference of at most 3 grey levels. All
    splits hold images ``(N, C, H, W) uint8`` of one shape.
    """
    names = list(splits)
    which = np.repeat(np.arange(len(names)), [len(splits[name]) for name in names])
    place = np.concatenate([np.arange(len(splits[name])) for name in names])
    hashes = np.concatenate([perceptual_hashes(splits[name]) for name in names])
    duplicates = []
    tested = np.isin(which, [names.index(name) for name in test])
    for first, second in _equal(hashes, tested):
        one, two = (
            (names[which[first]], int(place[first])),
            (names[which[second]], int(place[second])),
        )
        if one[0] == two[0]:
            continue
        a, b = (splits[name][index].astype(np.int16) for name, index in (one, two))
        difference = float(np.abs(a - b).mean())
        if difference <= NEAR:
            ours, other = (one, two) if one[0] in test else (two, one)
            duplicates.append(Duplicate(*ours, *other, difference))
    return sorted(duplicates, key=lambda d: (d.split, d.index, d.other_split))


def perceptual_hashes(images: Images) -> NDArray[np.uint64]:
    """The 64-bit DCT hash of each image ``(N, C, H, W) uint8``: its 8 x 8 lowest frequencies.

    As in pHash (Zauner 2010), a bit is set where a frequency is above their median, the first bit
    the highest; small pictures need no shrinking first.
    """
    hashes = [np.empty(0, np.uint64)]
    for start in range(0, len(images), 4096):
        grey = images[start : start + 4096].mean(axis=1)
        low = dctn(grey, axes=(1, 2))[:, :8, :8].reshape(len(grey), -1)
        bits = np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)
        hashes.append(bits.view(">u8")[:, 0].astype(np.uint64))
    return np.concatenate(hashes)


def overlap_facts(
    duplicates: Sequence[Duplicate], sizes: Mapping[str, int], policy: str
) -> dict[str, Any]:
    """What of an overlap a report says, as JSON can hold it."""
    pairs = Counter((d.split, d.other_split, "exact" if d.exact else "near") for d in duplicates)
    return {
        "policy": policy,
        "sizes": dict(sizes),
        "counts": [
            {"split": split, "other": other, "kind": kind, "n": n}
            for (split, other, kind), n in sorted(pairs.items())
        ],
        "images": sorted({(d.split, d.index) for d in duplicates}),
    }


def refuse_overlap(duplicates: Sequence[Duplicate], sizes: Mapping[str, int]) -> None:
    """Raise `DataError` when test images are copies of others, or many of them nearly are."""
    for split in dict.fromkeys(d.split for d in duplicates):
        exact = {d.index for d in duplicates if d.split == split and d.exact}
        near = {d.index for d in duplicates if d.split == split}
        others = ", ".join(sorted({d.other_split for d in duplicates if d.split == split}))
        if exact:
            raise DataError(
                f"{len(exact)} of {sizes[split]} {split} test images also stand in {others}, so "
                f"figures would be too good; {ADVICE}"
            )
        if len(near) > MOST_NEAR * sizes[split]:
            raise DataError(
                f"{len(near)} of {sizes[split]} {split} test images have a near twin in {others} "
                f"(equal perceptual hash), so figures would be too good; {ADVICE}"
            )


def _equal(hashes: NDArray[np.uint64], tested: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Pairs of one hash with a test image in each; of thousands of blank pictures not all."""
    order = np.argsort(hashes, kind="stable")
    breaks = np.flatnonzero(np.diff(hashes[order])) + 1
    for group in np.split(order, breaks):
        if len(group) > 1:
            ours = group[tested[group]].tolist()
            pairs = ((a, b) for a in ours for b in group.tolist() if not tested[b] or a < b)
            yield from islice(pairs, MOST_PAIRS)


def contradictions(table: pd.DataFrame) -> list[Contradiction]:
    """Pictures of a table (path, label, pixels_sha256) that stand under both labels.

    Equal bytes are equal pixels, so that copies by bytes are among them. Sorted by path.
    """
    labels = table.groupby("pixels_sha256")["label"].transform("nunique")
    rows = table[labels > 1].sort_values("path")
    pictures = [
        {
            str(path): str(label)
            for path, label in zip(picture["path"], picture["label"], strict=True)
        }
        for _, picture in rows.groupby("pixels_sha256", sort=False)
    ]
    return sorted(pictures, key=lambda picture: next(iter(picture)))


def refuse_contradictions(pictures: Sequence[Contradiction]) -> None:
    """Raise `DataError` that names the files of the first few pictures under both labels."""
    if not pictures:
        return
    more = f", and {len(pictures) - NAMED:,} more" if len(pictures) > NAMED else ""
    raise DataError(
        f"{len(pictures):,} picture(s) stand under both labels, with the same pixels: "
        f"{'; '.join(map(_named, pictures[:NAMED]))}{more}; take the wrong ones out, or give "
        f"{KEY} = true to train and test on them all the same"
    )


def _named(picture: Contradiction) -> str:
    """One file of each label: ``'a/1.png' is real and 'b/7.png' generated``."""
    first = {label: path for path, label in reversed(picture.items())}
    return f"{shown(first['real'])} is real and {shown(first['generated'])} generated"
