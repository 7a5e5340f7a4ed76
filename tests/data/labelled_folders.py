"""A small labelled data set, read by its folders or by a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photographs import save_two_classes

from gandetect.config import FolderDataConfig
from gandetect.data.labelled import LabelledFiles, find_labelled

CLASSES = {"real": "real", "fake": "generated"}


def save_faces(folder: Path) -> Path:
    """Make a data folder with the set "faces": classes real and fake, three images each."""
    save_two_classes(folder / "faces", 3)
    return folder


def from_folders(data_dir: Path, **options: Any) -> LabelledFiles:
    given = {"name": "folder", "path": "faces", "classes": CLASSES, **options}
    return find_labelled(FolderDataConfig(**given), data_dir)


def paths(found: LabelledFiles) -> list[str]:
    return found.table["path"].tolist()


def reasons(found: LabelledFiles) -> dict[str, str]:
    return {entry["path"]: entry["reason"] for entry in found.left_out}


ROWS = "\n".join(f"{name}/{n:03}.jpg,{name}" for name in ("real", "fake") for n in range(3))
