"""Your own labelled images: by split and class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gandetect.sources.image_sets import ImageSet

FOLDER = "data"  # of the table, below the run folder
TABLE = "splits.parquet"
IMAGES = "images.npy"


def pixels_folder(size: int) -> str:
    """Where the images decoded at a size stand, below the run folder."""
    return f"images/{size}px"


def read_table(run: Path) -> pd.DataFrame:
    """A row for each image, and in a leaky study for each of its copies.

    path, class_name, label, group, split, copy, and ``image``, its row in the files of pixels.
    """
    return pd.read_parquet(run / FOLDER / TABLE)


@dataclass(frozen=True)
class LabelledSource:
    """Labelled images at ``size`` pixels, of a ``label``, one class of it or all.

    With ``originals`` no augmented copies, which leaky studies make before they split.
    """

    name: str
    seed: int
    size: int
    splits: tuple[str, ...]
    label: str
    class_name: str | None = None
    originals: bool = False

    def open(self, run: Path, cache: Path) -> ImageSet:
        """The images, mapped into memory; there may be none."""
        table = read_table(run)
        chosen = table["split"].isin(self.splits) & (table["label"] == self.label)
        if self.class_name is not None:
            chosen &= table["class_name"] == self.class_name
        if self.originals:
            chosen &= table["copy"] == 0
        return image_set(run, self.size, table[chosen])


def image_set(run: Path, size: int, rows: pd.DataFrame) -> ImageSet:
    """The images of some rows of the table."""
    return ImageSet(
        run / pixels_folder(size) / IMAGES,
        rows["image"].to_numpy(np.int64),
        rows["copy"].to_numpy(np.int64),
        rows.index.to_numpy(np.int64),
    )
