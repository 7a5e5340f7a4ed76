"""What all stages share: whether a folder can be used as it is, and where images come from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gandetect import runs
from gandetect.data.stored import Images
from gandetect.randomness import stream

Indices = NDArray[np.int64]
Notify = Callable[[Mapping[str, Any]], None]
BEGUN = "begun.json"
GENERATED = "images.npy"
# A GAN's folders of drawn images, by what they are for; each purpose has noise of its own.
DRAWN = {"evaluation": "generated", "calibration": "calibration"}


@dataclass(frozen=True)
class Source:
    """Images of one kind: an array ``(N, C, H, W) uint8`` or its file, and which of them count.

    ``rows`` are the images, ``copies`` which fixed augmented copy of each (0: the image as it is),
    ``index`` what the scores call them; all ``(M,)``, and left out they are all images in order.
    """

    images: Images | Path
    rows: Indices | None = None
    copies: Indices | None = None
    index: Indices | None = None

    def __len__(self) -> int:
        return len(self.array()) if self.rows is None else len(self.rows)

    def array(self) -> Images:
        """The images themselves; a file is mapped into memory, not read."""
        if isinstance(self.images, Path):
            mapped: Images = np.load(self.images, mmap_mode="r", allow_pickle=False)
            return mapped
        return self.images

    def indices(self) -> Indices:
        """What the scores call each image, ``(M,)``."""
        return np.arange(len(self)) if self.index is None else self.index

    def first(self, most: int) -> Source:
        """The same source, cut to so many images."""
        cut = [None if part is None else part[:most] for part in (self.copies, self.index)]
        return Source(self.images, self.all_rows()[:most], *cut)

    def sample(self, most: int) -> Source:
        """At most so many of its images as they are, drawn by a fixed seed, in their order."""
        kept = np.arange(len(self)) if self.copies is None else np.flatnonzero(self.copies == 0)
        chosen = np.sort(stream(0, "sample").permutation(kept)[:most])
        return Source(self.images, self.all_rows()[chosen], index=self.indices()[chosen])

    def all_rows(self) -> Indices:
        """Rows of `array` that count, ``(M,)``."""
        return np.arange(len(self.array())) if self.rows is None else self.rows


@dataclass(frozen=True)
class ScoredSource:
    """A source as the scores name it: its name, the seed of what made it, and its images."""

    name: str
    seed: int
    source: Source


@dataclass(frozen=True)
class LabelledSplit:
    """Labelled images of one split: where they lie, their rows, and 1 for generated."""

    images: Path
    rows: Indices
    labels: Indices
    copies: Indices
    index: Indices

    def only(self, label: int, most: int | None = None) -> Source:
        """The images of one label as a source to score, at most so many."""
        chosen = np.flatnonzero(self.labels == label)[:most]
        return Source(self.images, self.rows[chosen], self.copies[chosen], self.index[chosen])


def reusable(folder: Path, digest: str, notify: Notify, remove: bool = True) -> bool:
    """Whether a stage is complete; what is damaged or foreign is named, and made afresh."""
    problem = runs.problem_with(folder, digest)
    if problem is None:
        return True
    if problem:
        message = f"{folder.parent.name}/{folder.name} is not used: {problem}; it is made afresh"
        notify({"event": "warning", "message": message})
    if remove and folder.exists():
        shutil.rmtree(folder)
    return False


def begin(folder: Path, digest: str, notify: Notify) -> bool:
    """Whether there is anything to do in a stage that can be interrupted and go on.

    What was begun with another digest is removed, so nothing ever goes on from a checkpoint of
    another configuration; what was begun with this one stays.
    """
    if reusable(folder, digest, notify, remove=False):
        return False
    begun = folder / BEGUN
    if folder.exists() and (not begun.is_file() or runs.read_json(begun)["digest"] != digest):
        shutil.rmtree(folder)
    runs.write_json(begun, {"digest": digest})
    return True
