"""Finds labelled images of one's own, in class folders or a table, and takes their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import pandas as pd

from gandetect.config import CsvDataConfig, FolderDataConfig, digest_of
from gandetect.data.class_folders import files_in_folders
from gandetect.data.folders import PassedOver
from gandetect.data.found import FoundFile, LeftOut, leave_out, readable
from gandetect.data.label_tables import files_in_table
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
    root = data_dir / config.path
    left_out: LeftOut = []
    passed = PassedOver()
    try:
        files = _files(config, root, left_out, passed)
    except OSError as error:
        raise DataError(f"{str(error.filename)!r} cannot be read: {error.strerror}") from None
    table = _with_digests(root, files, left_out)
    table.insert(2, "label", table["class_name"].map(config.classes))
    for entry in left_out:
        entry["path"] = readable(entry["path"])
    left_out.sort(key=lambda entry: (entry["path"], entry["reason"]))
    digest = digest_of([table[COLUMNS].to_numpy().tolist(), left_out])
    return LabelledFiles(root, table[COLUMNS], left_out, digest, passed)


def _files(
    config: FolderDataConfig | CsvDataConfig, root: Path, left_out: LeftOut, passed: PassedOver
) -> list[FoundFile]:
    if not root.is_dir():
        raise DataError(
            f"data set folder {str(root)!r} does not exist; data/README.md says how to get the "
            "data sets and how they are laid out, and --data-dir names the folder they lie in"
        )
    if isinstance(config, CsvDataConfig):
        return files_in_table(config, root, left_out)
    return files_in_folders(config, root, left_out, passed)


def _with_digests(root: Path, files: Iterable[FoundFile], left_out: LeftOut) -> pd.DataFrame:
    """One row for each file that can be read, sorted by path."""
    files = sorted(files, key=lambda one: one.path)
    rows = []
    with ThreadPoolExecutor() as pool:
        digests = pool.map(lambda one: _sha256(root / one.path), files)
        for one, digest in zip(files, digests, strict=True):
            if isinstance(digest, OSError):
                leave_out(left_out, one.path, f"cannot be read: {digest.strerror}")
            elif one.path != readable(one.path):
                leave_out(left_out, one.path, "has a name that is not UTF-8; rename it")
            else:
                rows.append((*astuple(one), digest))
    return pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "label"])


def _sha256(path: Path) -> str | OSError:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return error
