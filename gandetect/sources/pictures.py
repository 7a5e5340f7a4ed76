"""A folder of pictures as images by class: decoded once, grouped, what is damaged left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import PicturesConfig
from gandetect.data.class_folders import find_pictures, picture_classes
from gandetect.data.class_images import ClassImages
from gandetect.data.found import LeftOut, leave_out, left_out_sentences
from gandetect.data.groups import groups_of, near_duplicate_pairs
from gandetect.data.patterns import pattern_facts
from gandetect.data.stored import StoredImages
from gandetect.errors import DataError, shortened, shown
from gandetect.events import Notify, warn
from gandetect.sources.picture_cache import PIXELS, TABLE, cached_pictures


def load_pictures(
    config: PicturesConfig, data_dir: Path, cache_folder: Path, *, workers: int, notify: Notify
) -> ClassImages:
    """Find, decode and group the pictures of a folder; those that cannot be decoded are named.

    Pictures are of one group as `groups_of` says; equal pixels are those of the decoded squares.
    Raises `DataError` as `cached_pictures` and `find_pictures` do, and when a class has no picture
    that can be decoded.
    """
    classes = picture_classes(config, data_dir)
    found_files = find_pictures(config, data_dir)
    cache = cached_pictures(config, found_files, cache_folder, workers=workers, notify=notify)
    table = pd.read_parquet(cache / TABLE)
    left_out = list(found_files.left_out)
    for path, reason in table.loc[table["error"].notna(), ["path", "error"]].to_numpy().tolist():
        leave_out(left_out, path, reason)
    for sentence in [*left_out_sentences(left_out), *found_files.passed.sentences()]:
        warn(notify, sentence)
    decodable = table[table["error"].isna()]
    labels = np.array([classes.index(name) for name in decodable["class_name"]], dtype=np.int64)
    for number, name in enumerate(classes):
        if number not in labels:
            raise DataError(
                f"none of the files of class {shown(name)} can be decoded; the first, "
                f"{shortened(_first_error(table, name), 200)}"
            )
    pattern = pattern_facts(decodable, config.group_pattern, config.group_pattern_share)
    images = StoredImages(cache / PIXELS, decodable.index.to_numpy(np.int64))
    none = np.empty(0, np.int64)
    return ClassImages(
        images,
        labels,
        images.take(none),
        none,
        classes,
        str(runs.read_json(cache / runs.RECORD)["digest"]),
        route=str(cache),
        groups=_groups(config, decodable.reset_index(drop=True)),
        hashes=decodable["pixels_sha256"].tolist(),
        facts={**_facts(decodable, left_out), **pattern},
    )


def _first_error(table: pd.DataFrame, name: str) -> str:
    of_class = table[table["class_name"] == name]
    if of_class.empty:
        return "of which there is none"
    return f"{of_class['path'].iloc[0]}: {of_class['error'].iloc[0]}"


def _groups(config: PicturesConfig, table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    near: list[tuple[int, int]] = []
    if config.near_duplicates is not None:
        near = near_duplicate_pairs(table["phash"].to_numpy(np.uint64), config.near_duplicates)
    alike = table[["path", "sha256", "pixels_sha256"]]
    return groups_of(alike, pattern=config.group_pattern, near=near)


def _facts(table: pd.DataFrame, left_out: LeftOut) -> dict[str, Any]:
    """What a reader should know of the files: how many were of which size and colours."""
    sizes = table["width"].astype(str) + " x " + table["height"].astype(str)
    return {
        "left_out": left_out,
        "files": {
            "sizes": {str(k): int(n) for k, n in sizes.value_counts().head(20).items()},
            "modes": {str(k): int(n) for k, n in table["mode"].value_counts().items()},
        },
    }
