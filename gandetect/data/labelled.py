"""Finds your own labelled images, in class folders or a table, and computes their digest."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import pandas as pd

from gandetect.config import CsvDataConfig, FolderDataConfig, digest_of
from gandetect.data.class_folders import add_labelled
from gandetect.data.folders import PassedOver
from gandetect.data.found import FoundFiles, LeftOut
from gandetect.data.label_tables import add_rows
from gandetect.errors import DataError

COLUMNS = ["path", "class_name", "label", "group", "given_split", "sha256"]


@dataclass(frozen=True)
class LabelledFiles:
    """Image files with their labels, none of them decoded yet.

    ``table`` has a row for each file, sorted by path: path (relative to ``root``, with slashes),
    class_name, label ("real" or "generated"), group ("" for none), given_split ("", "train",
    "validation" or "test") and sha256 of the file's bytes. ``left_out`` holds path and reason of
    what cannot be used. ``digest`` is of all this, wherever the files stand.
    ``passed`` counts what is no picture, which is no part of the digest.
    """

    root: Path
    table: pd.DataFrame
    left_out: LeftOut
    digest: str
    passed: PassedOver


def find_labelled(config: FolderDataConfig | CsvDataConfig, data_dir: Path) -> LabelledFiles:
    """Find the files of a labelled data set in the data folder; ignored classes are passed over.

    Raises `DataError` when the data set, a class or most of its images are missing or when labels
    contradict each other, and `UsageError` when ``classes`` or a column name does not fit.
    """
    found_files = FoundFiles(data_dir / config.path)
    if not found_files.root.is_dir():
        raise DataError(
            f"data set folder {str(found_files.root)!r} does not exist; data/README.md says how to "
            "get the data sets and how they are laid out, and --data-dir names their folder"
        )
    try:
        if isinstance(config, CsvDataConfig):
            add_rows(config, found_files)
        else:
            add_labelled(config, found_files)
    except OSError as error:
        raise DataError(f"{str(error.filename)!r} cannot be read: {error.strerror}") from None
    rows = _with_digests(found_files)
    found_files.sort()
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "label"])
    table.insert(2, "label", table["class_name"].map(config.classes))
    digest = digest_of([table[COLUMNS].to_numpy().tolist(), found_files.left_out])
    return LabelledFiles(
        found_files.root, table[COLUMNS], found_files.left_out, digest, found_files.passed
    )


def _with_digests(found_files: FoundFiles) -> list[tuple[str, ...]]:
    """One row for each file that can be read, sorted by path; of others it is noted why."""
    found_files.sort()
    with ThreadPoolExecutor() as pool:
        digests = list(
            pool.map(lambda one: _sha256(found_files.root / one.path), found_files.files)
        )
    rows = []
    for one, digest in zip(found_files.files, digests, strict=True):
        if isinstance(digest, OSError):
            found_files.leave_out(one.path, f"cannot be read: {digest.strerror}")
        else:
            rows.append((*astuple(one), digest))
    return rows


def _sha256(path: Path) -> str | OSError:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error
