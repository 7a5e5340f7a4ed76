"""Images from elsewhere: what a kind of source has to bring, and the source that they become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect.config import SourceTable
from gandetect.data.streaming import Decoded, DecodeOptions, Tell, decode_array
from gandetect.errors import DataError
from gandetect.sources.image_sets import ImageSet

IMAGES, TABLE = "images.npy", "images.parquet"
TRAIN, VALIDATION, TEST = "train", "validation", "test"
LEAST = 20  # images: of fewer, no share is told


class ForeignImages(SourceTable):
    """A kind of source; an instance is its table. What it names is below a folder ``root``."""

    BELOW: ClassVar[Literal["data_dir", "home"]] = "data_dir"  # home: of the experiment file

    def number(self, root: Path) -> int:
        """How many images there are, damaged ones among them.

        Raises `GandetectError` for all that can be said without reading them.
        """
        raise NotImplementedError

    def images(
        self, root: Path, options: DecodeOptions, workers: int, tell: Tell
    ) -> Iterator[Decoded]:
        """Every image in the study's shape, or the sentence why it has none; in a fixed order.

        ``tell`` hears of every file that is passed over.
        """
        raise NotImplementedError

    def digest(self, root: Path) -> object:
        """The digest of what the images come from, such as files."""
        return None

    def check(self, root: Path) -> None:
        """Raise `GandetectError` for what `number` raises it for, and for too few images."""
        self.require(self.number(root))

    def require(self, count: int, why: str = "") -> None:
        """Raise `DataError` for too few images; ``why`` says on."""
        if count < LEAST:
            raise DataError(
                f"source {self.name!r} has {count} usable image(s), and needs at least {LEAST}: of "
                f"fewer nothing could be said; give more, or take it out of [[sources]]{why}"
            )


@dataclass(frozen=True)
class ForeignSource:
    """The images of a ``split`` of one source, read at one size into ``place`` of the run folder.

    A source that nothing is trained on is a test split as a whole. Every seed sees the same fakes
    under its own number.
    """

    name: str
    seed: int
    place: str
    split: str = TEST

    def open(self, run: Path, cache: Path) -> ImageSet:
        """The images, mapped into memory."""
        splits = pd.read_parquet(run / self.place / TABLE, columns=["split"])["split"]
        rows = np.flatnonzero(splits == self.split)
        return ImageSet(run / self.place / IMAGES, rows, index=rows)


def require_images(given: Any, whose: str) -> NDArray[np.uint8]:
    """What was given, if it is images ``(N, C, H, W) uint8``; `DataError` says what it is."""
    if isinstance(given, np.ndarray) and given.dtype == np.uint8:
        if given.ndim == 4 and given.shape[1] in (1, 3) and 0 not in given.shape:
            return given
        last = given.ndim == 4 and given.shape[3] in (1, 3)
        advice = "; move the channels to the second place" if last else ""
        what = f"an array of shape {given.shape}{advice}"
    elif isinstance(given, np.ndarray):
        what = f"an array of {given.dtype}; bring it to 0 … 255, round it, and make it uint8"
    else:
        what = f"{type(given).__name__}, not an array"
    raise DataError(
        f"expected of {whose}: images (N, C, H, W) uint8 with 1 or 3 channels; it gives {what}"
    )


def decoded_arrays(images: NDArray[np.uint8], options: DecodeOptions) -> Iterator[Decoded]:
    """Images ``(N, C, H, W)`` of any size in the study's shape, called by their numbers."""
    for number, pixels in enumerate(images):
        yield decode_array(Path(str(number)), np.asarray(pixels), options)
