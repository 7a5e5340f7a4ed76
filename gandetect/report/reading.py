"""Readers of the single files of a run folder; each raises one of `UNREADABLE` for damaged ones."""

from __future__ import annotations

import re
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype
from PIL import Image

from gandetect.errors import RunError
from gandetect.runs import read_json
from gandetect.statistics.intervals import wilson

Images: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    RunError,
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # Pillow, of a broken PNG; NumPy, of a broken header
    RuntimeError,
    tokenize.TokenError,
    pa.ArrowException,
)
CURVES = tuple(f"{split}_{name}" for split in ("train", "validation")
               for name in ("loss", "accuracy"))  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """Images of one source that one detector's scoring has kept, in its order."""

    images: Images  # (K, C, H, W)
    scores: Floats  # (K,)


@dataclass(frozen=True)
class Pairs:
    """Images, each with the training image that is nearest to it."""

    images: Images  # (K, C, H, W)
    nearest: Images  # (K, C, H, W)
    distances: Floats  # (K,) root mean square of the pixels' differences, in grey levels


@dataclass(frozen=True)
class Nearness:
    """Distances to the nearest training image, of many images of one kind."""

    n: int
    median: float
    ci95: tuple[float, float]
    smallest: float
    copies: int  # at distance 0
    below_cut: int  # nearer than the cut


@dataclass(frozen=True)
class Neighbours:
    """How near a generator's fakes, and real test images for scale, are to training images."""

    best: Pairs  # the fakes that its discriminator took for real most confidently
    fakes: Pairs  # the first ones
    reals: Pairs
    training_images: int
    cut: float  # the twentieth of the reals that is nearest lies below
    of_fakes: Nearness
    of_reals: Nearness

    @property
    def within(self) -> list[float]:
        """Wilson's 95 % interval for the share of fakes nearer than the cut."""
        return wilson(self.of_fakes.below_cut, self.of_fakes.n)


@dataclass(frozen=True)
class Samples:
    """Grids of one generator's images for the same noise, by epoch, and the animation."""

    grids: Mapping[int, Path]
    animation: Path | None


@dataclass(frozen=True)
class Classifier:
    """How a classifier was trained: figures by epoch, the epoch kept, and a training batch."""

    history: pd.DataFrame
    best_epoch: int
    batch: Images  # (B, C, H, W), as the network saw them
    labels: npt.NDArray[np.int64]  # (B,) 1 for generated


def read_scores(path: Path) -> pd.DataFrame:
    """Read the table of scores; `RunError` when it is missing or damaged."""
    if not path.exists():
        raise RunError(
            f"{str(path)!r} is missing, and every number comes from it; "
            "run the study again to score the detectors"
        )
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        again = "delete it and run the study again"
        raise RunError(f"{str(path)!r} cannot be read ({reason}); {again}") from None


def read_kept(path: Path) -> dict[str, Kept]:
    """Read kept images: for each source images (K, C, H, W) uint8 and scores (K,)."""
    with np.load(path, allow_pickle=False) as stored:
        sources = [key.removesuffix("/images") for key in stored.files if key.endswith("/images")]
        images = {source: _as_images(stored[f"{source}/images"]) for source in sources}
        scores = {source: stored[f"{source}/scores"].astype(np.float64) for source in sources}
    for source in sources:
        n, shape = len(images[source]), scores[source].shape
        if shape != (n,):
            raise ValueError(f"{source}: {n} images and scores of shape {shape}")
    return {source: Kept(images[source], scores[source]) for source in sources}


def read_neighbours(path: Path) -> Neighbours:
    """Read the pictures of `neighbours.npz` and the figures of `neighbours.json` beside it."""
    figures = read_table(path.with_suffix(".json"))
    with np.load(path, allow_pickle=False) as stored:
        best, fakes, reals = (_pairs(stored, group) for group in ("best", "fakes", "reals"))
    counted = int(figures["training_images"]), float(figures["cut"])
    return Neighbours(
        best, fakes, reals, *counted, _nearness(figures["fakes"]), _nearness(figures["reals"])
    )


def _pairs(stored: Mapping[str, npt.NDArray[Any]], group: str) -> Pairs:
    images, nearest = (_as_images(stored[f"{group}/{part}"]) for part in ("images", "neighbours"))
    distances = stored[f"{group}/distances"].astype(np.float64)[: len(images)]
    if nearest.shape != images.shape or distances.shape != (len(images),):
        raise ValueError(
            f"{group}: images of shape {images.shape}, neighbours of shape {nearest.shape} "
            f"and {len(distances)} distances"
        )
    return Pairs(images, nearest, distances)


def _nearness(figures: Mapping[str, Any]) -> Nearness:
    low, high = map(float, figures["ci95"])
    n, copies, below_cut = (int(figures[name]) for name in ("n", "copies", "below_cut"))
    median, smallest = float(figures["median"]), float(figures["smallest"])
    return Nearness(n, median, (low, high), smallest, copies, below_cut)


def read_history(path: Path) -> pd.DataFrame:
    """Read `history.csv`: a row of numbers for each epoch."""
    history = pd.read_csv(path)
    if history.empty or "epoch" not in history:
        raise ValueError("it holds no epoch")
    words = history.columns[~history.apply(is_numeric_dtype)]
    if len(words):
        raise ValueError(f"its column {words[0]!r} holds something that is not a number")
    return history


def read_class_samples(path: Path) -> dict[str, Images]:
    """Read `data-samples.npz`: one array (K, C, H, W) uint8 for each class number."""
    with np.load(path, allow_pickle=False) as stored:
        return {key: _as_images(stored[key]) for key in stored.files}


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read every array of a file by its name."""
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def read_classifier(folder: Path) -> Classifier:
    """Read what a classifier's training left in its folder."""
    with np.load(folder / "batch.npz", allow_pickle=False) as stored:
        batch, labels = _as_images(stored["images"]), stored["labels"].astype(np.int64)
    if labels.shape != (len(batch),) or not np.isin(labels, (0, 1)).all():
        raise ValueError(f"its batch has {len(batch)} images and labels of shape {labels.shape}, "
                         "or labels other than 0 and 1")  # fmt: skip
    best = int(read_table(folder / "training.json")["best_epoch"])
    history = read_history(folder / "history.csv")
    absent = [name for name in CURVES if name not in history]
    if absent or best not in history["epoch"].to_list():
        raise ValueError(f"its history.csv has no {absent[0] if absent else f'epoch {best}'}")
    return Classifier(history, best, batch, labels)


def read_samples(folder: Path) -> Samples:
    """Find a generator's sample grids in its folder of them."""
    paths = sorted(folder.glob("*.png"))
    grids = {int(path.stem): path for path in paths if re.fullmatch(r"\d+", path.stem)}
    if not grids:
        raise ValueError("it holds no sample grid")
    for grid in grids.values():
        with Image.open(grid) as image:
            image.verify()
    animation = folder.parent / "samples.gif"
    return Samples(grids, animation if animation.is_file() else None)


def read_table(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def read_rows(path: Path, key: str = "gan") -> list[dict[str, Any]]:
    """Read a JSON list of tables that have a key, such as those of generators."""
    value = read_json(path)
    if not isinstance(value, list) or not all(isinstance(r, dict) and key in r for r in value):
        raise ValueError(f"it is not a list of tables with {key!r}")
    return value


def _as_images(array: npt.NDArray[Any]) -> Images:
    if array.ndim != 4 or array.dtype != np.uint8 or array.shape[1] not in (1, 3):
        kind = f"shape {array.shape} and type {array.dtype}"
        raise ValueError(f"images of {kind} are not (N, C, H, W) uint8")
    return array
