"""Which images of an audit are copies of others, exactly or nearly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.data.groups import groups_of, near_duplicate_pairs
from gandetect.data.overlap import NEAR, perceptual_hashes

Images = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]

SIDE = 32  # px of the small grey images that are compared
BITS = 4  # of 64 by which the hashes of near-duplicates may differ
ENOUGH = 0.005  # share of a side's images that has to be copies to be worth a warning
LEAST = 3  # and so many of them
_PAIRS = 2**14  # that are compared at a time


@dataclass(frozen=True)
class Marks:
    """By what copies are known: a digest of the pixels, and the image at 32 x 32 px, grey."""

    digests: Sequence[bytes]
    small: Images  # (N, 1, 32, 32)


def marks_of(images: Images) -> Marks:
    """Digest and shrink images `(N, C, H, W) uint8`."""
    shape = str(images.shape[1:]).encode()
    digests = [hashlib.blake2b(shape + image.tobytes(), digest_size=16).digest()
               for image in images]  # fmt: skip
    down, across = (_averaging(side) for side in images.shape[2:])
    grey = images.mean(axis=1, dtype=np.float32)
    small = np.rint(down @ grey @ across.T).astype(np.uint8)
    return Marks(digests, small[:, None])


def groups_of_copies(marks: Sequence[Marks]) -> tuple[list[Rows], list[Rows]]:
    """Number the groups of exact copies, and of exact and near ones, over all sides together.

    Near-duplicates have perceptual hashes that differ in at most 4 of 64 bits and, at 32 x 32 px,
    a mean difference of at most 3 grey levels. Of images with one hash only the first is compared
    with others. Returns `(exact, near)`, each with an array for each side.
    """
    digests = [digest for side in marks for digest in side.digests]
    small = np.concatenate([side.small for side in marks])
    pairs = np.array(near_duplicate_pairs(perceptual_hashes(small), BITS), np.int64).reshape(-1, 2)
    alike = [
        np.abs(small[part[:, 0]].astype(np.int16) - small[part[:, 1]]).mean(axis=(1, 2, 3)) <= NEAR
        for part in np.array_split(pairs, len(pairs) // _PAIRS + 1)
    ]
    table = pd.DataFrame({"pixels_sha256": digests})
    near = groups_of(table, pattern=None, near=pairs[np.concatenate(alike)].tolist())
    ends = np.cumsum([len(side.digests) for side in marks])[:-1]
    exact = np.asarray(pd.factorize(np.array(digests, dtype=object))[0], dtype=np.int64)
    return np.split(exact, ends), np.split(near, ends)


def first_of_each(groups: Rows) -> Rows:
    """The rows of each group's first image, in order."""
    return np.asarray(np.sort(np.unique(groups, return_index=True)[1]), dtype=np.int64)


def many(count: int, of: int) -> bool:
    """Whether so many copies are worth a warning."""
    return count >= max(LEAST, ENOUGH * of)


def _averaging(side: int) -> npt.NDArray[np.float32]:
    """A matrix that averages a side's pixels to 32, each by how much of it lies where."""
    edges = np.linspace(0, side, SIDE + 1)
    low, high = edges[:-1, None], edges[1:, None]
    place = np.arange(side)
    covered = np.clip(np.minimum(high, place + 1) - np.maximum(low, place), 0, None)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True), dtype=np.float32)
