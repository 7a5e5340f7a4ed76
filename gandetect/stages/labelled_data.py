"""The data stages of your own labelled images: read fully once, split, decoded at each size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.data.decoded import decode_pictures
from gandetect.data.found import LeftOut, left_out_sentences
from gandetect.data.groups import groups_of, near_duplicate_pairs
from gandetect.data.labelled import LabelledFiles, find_labelled
from gandetect.data.labelled_splits import make_labelled_splits
from gandetect.data.overlap import contradictions, refuse_contradictions
from gandetect.data.patterns import pattern_facts
from gandetect.data.reading import examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.data.splits import counts
from gandetect.engine import Context, Facts, Stage
from gandetect.errors import DataError, shortened, shown
from gandetect.events import steps
from gandetect.machine import require_room
from gandetect.sources.labelled import FOLDER, IMAGES, TABLE, pixels_folder, read_table
from gandetect.stages.class_data import CLASSES, SAMPLED, SAMPLES

CHANNELS = 3
SOURCES = {"test": "real:in-distribution", "held-out": "real:held-out"}  # of real test images
Config = FolderDataConfig | CsvDataConfig


@dataclass(frozen=True)
class LabelledData(Stage):
    """Find, read and split labelled images; what cannot be read is left out and named.

    ``copies`` is how many augmented copies of each image a leaky split is made over.
    """

    config: Config
    copies: int

    VERSION: ClassVar[int] = 5
    HERE: ClassVar[bool] = True
    PLACE: ClassVar = FOLDER
    TITLE: ClassVar = "Reading the image files of {self.config.path}"

    def settings(self) -> Mapping[str, object]:
        """All of the table but paths and the keys that only other stages use."""
        fixed = self.config.model_dump(mode="json", exclude={"path", "folds", "unlabelled"})
        return {"config": fixed, "copies": self.copies}

    def outside(self, context: Context) -> object:
        """The digest of all files with their labels; warns of files left out or passed over."""
        files = find_labelled(self.config, context.data_dir)
        sentences = files.passed.sentences()
        before = context.folder / "data.json"
        if before.exists() and runs.read_json(before)["digest"] == files.digest:
            sentences = [*left_out_sentences(runs.read_json(before)["left_out"]), *sentences]
        for sentence in sentences:
            context.warn(sentence)
        return files.digest

    def run(self, context: Context) -> Facts:
        """Read every file, leave out damaged ones, group, split, and save the facts."""
        files = find_labelled(self.config, context.data_dir)
        table, facts = _split(self.config, files, self.copies, context)
        for sentence in left_out_sentences(facts["left_out"]):
            context.warn(sentence)
        table.to_parquet(context.folder / TABLE, index=False)
        real = table[table["split"].isin(SOURCES) & (table["label"] == "real")]
        classes = real[["class_name"]].assign(source=real["split"].map(SOURCES), index=real.index)
        classes.to_parquet(context.folder / CLASSES, index=False)
        runs.write_json(context.folder / "data.json", facts)
        return {}


@dataclass(frozen=True)
class DecodedImages(Stage):
    """All labelled images at one size in pixels, ``(N, 3, size, size) uint8``, in one file.

    A few of each class by its number, ``(K, 3, size, size) uint8``, stand beside them.
    """

    size: int
    data: LabelledData

    VERSION: ClassVar[int] = 2
    HERE: ClassVar[bool] = True

    @property
    def place(self) -> str:
        return pixels_folder(self.size)

    TITLE: ClassVar = "Decoding images at {self.size} px"

    def settings(self) -> Mapping[str, object]:
        """The size, and how an image of another shape becomes a square."""
        return {"size": self.size, "fit": self.data.config.fit}

    def run(self, context: Context) -> Facts:
        """Decode each file once, whatever copies of it a leaky split has."""
        root = context.data_dir / self.data.config.path
        table = read_table(context.run)
        paths = [root / path for path in table["path"].unique()]
        require_room(
            context.folder,
            len(paths) * CHANNELS * self.size**2,
            f"an array of {len(paths):,} images of {self.size} px",
            "give a smaller image_size",
        )
        decode_pictures(
            paths,
            context.folder / IMAGES,
            size=self.size,
            channels=CHANNELS,
            fit=self.data.config.fit,
            strict=True,
            workers=context.workers,
            progress=steps(context.notify, f"decoding at {self.size} px"),
        )
        pixels = np.load(context.folder / IMAGES, mmap_mode="r", allow_pickle=False)
        classes, firsts = list(self.data.config.classes), table[table["copy"] == 0]
        samples: dict[str, Any] = {
            str(classes.index(str(name))): np.asarray(pixels[rows["image"].to_numpy()[:SAMPLED]])
            for name, rows in firsts.groupby("class_name")
        }
        np.savez_compressed(context.folder / SAMPLES, allow_pickle=False, **samples)
        return {"n": len(paths)}


def _split(
    config: Config, files: LabelledFiles, copies: int, context: Context
) -> tuple[pd.DataFrame, dict[str, Any]]:
    near = config.near_duplicates
    examined = examine_files(
        [files.root / path for path in files.table["path"]],
        hashes=near is not None,
        workers=context.workers,
        progress=steps(context.notify, "reading images"),
    )
    damaged = [file.error is not None for file in examined]
    reasons = [
        {"path": str(path), "reason": str(file.error)}
        for path, file in zip(files.table["path"], examined, strict=True)
        if file.error is not None
    ]
    table = files.table[~np.array(damaged, dtype=bool)].reset_index(drop=True)
    intact = [file for file in examined if file.error is None]
    _require_classes(config, files.table, table, [*files.left_out, *reasons])
    table["pixels_sha256"] = [file.pixels_sha256 for file in intact]
    contradicting = contradictions(table)
    if not config.allow_contradictions:
        refuse_contradictions(contradicting)
    grouped = _grouping(config, table)
    pairs: list[tuple[int, int]] = []
    if near is not None:
        pairs = near_duplicate_pairs(np.array([file.phash for file in intact], np.uint64), near)
    groups = groups_of(table, pattern=config.group_pattern, near=pairs)
    splits = make_labelled_splits(table, config, groups, copies=copies)
    rows = splits.table
    rows["image"] = pd.Index(rows["path"].unique()).get_indexer(rows["path"])
    facts = {
        "classes": config.classes,
        "held_out": list(config.held_out),
        "counts": counts(rows),
        "left_out": [*files.left_out, *reasons, *splits.left_out],
        "ruled_out": splits.ruled_out,
        "groups": int(rows["group"].nunique()),
        "near_duplicates": len(pairs),
        **grouped,
        "contradictions": contradicting,
        "leak": config.leak,
        **summary_by_class(intact, list(table["class_name"])),
        "shortcuts": shortcuts(intact, list(table["class_name"]), list(table["label"])),
        "digest": files.digest,
    }
    return rows, facts


def _require_classes(
    config: Config, listed: pd.DataFrame, intact: pd.DataFrame, left_out: LeftOut
) -> None:
    """Raise `DataError` for a class without a readable file; the first file says why."""
    for name, label in config.classes.items():
        if label == "ignored" or (intact["class_name"] == name).any():
            continue
        paths = set(listed.loc[listed["class_name"] == name, "path"])
        first = next((file for file in left_out if file["path"] in paths), None)
        why = f"; the first, {first['path']}: {first['reason']}" if first else ""
        raise DataError(
            f"none of the {len(paths):,} files of class {shown(name)} can be read as an image"
            f"{shortened(why, 200)}; mend them, or take the class out of classes"
        )


def _grouping(config: Config, table: pd.DataFrame) -> dict[str, Any]:
    """How many files `group_pattern` and the table's group column say a group of.

    Raises `UsageError` when the pattern fits less than `group_pattern_share` of a class.
    """
    facts = pattern_facts(table, config.group_pattern, config.group_pattern_share)
    if isinstance(config, CsvDataConfig) and config.group_column is not None:
        grouped = int((table["group"] != "").sum())
        facts["group_column"] = {
            "column": config.group_column,
            "files": len(table),
            "told": grouped,
        }
    return facts
