"""Labelled images of one's own: read fully once, split by group, decoded once for each size."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import CsvDataConfig, FolderDataConfig, digest_of
from gandetect.data.contradictions import contradictions, refuse_contradictions
from gandetect.data.decoded import decode_to_file
from gandetect.data.found import LeftOut, left_out_sentences
from gandetect.data.groups import groups_of, near_duplicate_pairs
from gandetect.data.labelled import LabelledFiles, find_labelled
from gandetect.data.labelled_splits import make_labelled_splits
from gandetect.data.patterns import pattern_fit
from gandetect.data.reading import Examined, examine_files
from gandetect.data.shortcuts import shortcuts, summary_by_class
from gandetect.errors import DataError, shortened, shown

CHANNELS = 3
SAMPLES = 10
Config = FolderDataConfig | CsvDataConfig


@dataclass(frozen=True)
class LabelledImages:
    """Labelled images: a table of them by split, and the file of their pixels for each size.

    ``table`` has a row for each image (and, in a leaky study, for each of its copies): path,
    class_name, label, group, split, copy, and ``image``, its row in the files of pixels.
    """

    digest: str
    classes: tuple[str, ...]
    table: pd.DataFrame
    pixels: Mapping[int, Path]


def prepare_labelled(
    config: Config,
    folder: Path,
    *,
    version: int,
    data_dir: Path,
    sizes: Iterable[int],
    copies: int,
    workers: int,
    notify: Callable[[str], None],
    warn: Callable[[str], None],
    progress: Callable[[Mapping[str, Any]], None],
) -> LabelledImages:
    """Find, read, split and decode the images of a labelled study into ``folder``.

    ``sizes`` are the sides in pixels that are wanted, ``copies`` how many augmented copies of
    each image a leaky split is made over. What cannot be read is left out and named.
    """
    found = find_labelled(config, data_dir)
    leaked = copies if config.leak else 0
    untold = ("path", "folds", "unlabelled")
    fixed = {key: value for key, value in config.identity().items() if key not in untold}
    digest = digest_of(["labelled data", version, fixed, leaked, found.digest])
    tables = folder / "data"
    if runs.problem_with(tables, digest) is not None:
        notify(f"Reading {len(found.table):,} image files of {config.path}")
        _write_tables(tables, digest, config, found, leaked, workers, progress)
    for sentence in left_out_sentences(runs.read_json(tables / "data.json")["left_out"]):
        warn(sentence)
    table = pd.read_parquet(tables / "splits.parquet")
    pixels = {
        size: _decoded(folder, digest, config, found.root, table, size, workers, progress)
        for size in sorted(set(sizes))
    }
    return LabelledImages(digest, tuple(config.classes), table, pixels)


def _write_tables(
    folder: Path,
    digest: str,
    config: Config,
    found: LabelledFiles,
    copies: int,
    workers: int,
    progress: Callable[[Mapping[str, Any]], None],
) -> None:
    """Read every file, leave out what is damaged, group, split, and keep what was found."""
    near = config.near_duplicates
    examined = examine_files(
        [found.root / path for path in found.table["path"]],
        hashes=near is not None,
        workers=workers,
        progress=_ticks("reading images", progress),
    )
    damaged = [one.error is not None for one in examined]
    reasons = [
        {"path": str(path), "reason": str(one.error)}
        for path, one in zip(found.table["path"], examined, strict=True)
        if one.error is not None
    ]
    table = found.table[~np.array(damaged, dtype=bool)].reset_index(drop=True)
    kept = [one for one in examined if one.error is None]
    _require_classes(config, found.table, table, [*found.left_out, *reasons])
    table["pixels_sha256"] = [one.pixels_sha256 for one in kept]
    contradicting = contradictions(table)
    if not config.allow_contradictions:
        refuse_contradictions(contradicting)
    pairs = [] if near is None else near_duplicate_pairs(_phashes(kept), near)
    grouped = _grouping(config, table)
    groups = groups_of(table, pattern=config.group_pattern, near=pairs)
    splits = make_labelled_splits(table, config, groups, copies=copies)
    rows = splits.table
    rows["image"] = pd.Index(rows["path"].unique()).get_indexer(rows["path"])
    facts = {
        "classes": config.classes,
        "held_out": list(config.held_out),
        "counts": _counts(rows),
        "left_out": [*found.left_out, *reasons, *splits.left_out],
        "groups": int(rows["group"].nunique()),
        "near_duplicates": len(pairs),
        **grouped,
        "contradictions": contradicting,
        "leak": config.leak,
        **summary_by_class(kept, list(table["class_name"])),
        "shortcuts": shortcuts(kept, list(table["class_name"]), list(table["label"])),
        "digest": found.digest,
    }
    with runs.atomic_folder(folder) as fresh:
        rows.to_parquet(fresh / "splits.parquet", index=False)
        runs.write_json(fresh / "data.json", facts)
        runs.write_record(fresh, digest, ["splits.parquet", "data.json"])


def _require_classes(
    config: Config, found: pd.DataFrame, kept: pd.DataFrame, left_out: LeftOut
) -> None:
    """Raise `DataError` for a class of which no file can be read; the first file says why."""
    for name, label in config.classes.items():
        if label == "ignored" or (kept["class_name"] == name).any():
            continue
        paths = set(found.loc[found["class_name"] == name, "path"])
        first = next((one for one in left_out if one["path"] in paths), None)
        why = f"; the first, {first['path']}: {first['reason']}" if first else ""
        raise DataError(
            f"none of the {len(paths):,} files of class {shown(name)} can be read as an image"
            f"{shortened(why, 200)}; mend them, or take the class out of classes"
        )


def _grouping(config: Config, table: pd.DataFrame) -> dict[str, Any]:
    """How many files `group_pattern` and the table's group column say a group of.

    Raises `UsageError` when the pattern fits less than `group_pattern_share` of a class.
    """
    facts: dict[str, Any] = {}
    if config.group_pattern is not None:
        fit = pattern_fit(list(table["path"]), list(table["class_name"]), config.group_pattern)
        fit.require(config.group_pattern_share)
        facts["group_pattern"] = fit.facts()
    if isinstance(config, CsvDataConfig) and config.group_column is not None:
        told = int((table["group"] != "").sum())
        facts["group_column"] = {"column": config.group_column, "files": len(table), "told": told}
    return facts


def _decoded(
    folder: Path,
    digest: str,
    config: Config,
    root: Path,
    table: pd.DataFrame,
    size: int,
    workers: int,
    progress: Callable[[Mapping[str, Any]], None],
) -> Path:
    """The file of all images at one size, ``(N, 3, size, size) uint8``; made when missing."""
    place = folder / "images" / f"{size}px"
    size_digest = digest_of([digest, size, config.fit])
    if runs.problem_with(place, size_digest) is not None:
        paths = [root / path for path in table["path"].unique()]
        _require_room(folder, len(paths), size)
        with runs.atomic_folder(place) as fresh:
            decode_to_file(
                paths,
                fresh / "images.npy",
                size=size,
                channels=CHANNELS,
                fit=config.fit,
                workers=workers,
                progress=_ticks(f"decoding at {size} px", progress),
            )
            runs.write_record(fresh, size_digest, ["images.npy"], n=len(paths))
    return place / "images.npy"


def _require_room(folder: Path, images: int, size: int) -> None:
    needed, free = images * CHANNELS * size**2, shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{images:,} images of {size} px need {needed:,} bytes in {shown(str(folder))}, where "
            f"{free:,} are free; free some space, or give a smaller image_size"
        )


def class_samples(images: LabelledImages) -> dict[str, Any]:
    """A few images of each class by its number, ``(K, 3, H, W) uint8``, for the report.

    Classes are numbered in the order of `data.json`, those that are ignored included.
    """
    pixels = np.load(images.pixels[min(images.pixels)], mmap_mode="r", allow_pickle=False)
    firsts = images.table[images.table["copy"] == 0].groupby("class_name").head(SAMPLES)
    return {
        str(images.classes.index(str(name))): np.asarray(pixels[rows["image"].to_numpy()])
        for name, rows in firsts.groupby("class_name")
    }


def _counts(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    crossed = pd.crosstab(table["class_name"], table["split"])
    return {
        str(name): {str(split): int(count) for split, count in row.items() if count}
        for name, row in crossed.to_dict("index").items()
    }


def _phashes(examined: list[Examined]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array([one.phash for one in examined], dtype=np.uint64)


def _ticks(name: str, progress: Callable[[Mapping[str, Any]], None]) -> Callable[[int, int], None]:
    def tick(done: int, total: int) -> None:
        progress({"event": "step", "task": name, "done": done, "total": total})

    return tick
