"""Labelled images in folders: one for each class, at the top or inside given split folders."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from gandetect.config import FolderDataConfig
from gandetect.data.folders import HIDDEN, NO_PICTURE, Found, PassedOver, found_file, walk
from gandetect.data.found import FoundFile, LeftOut, leave_out, listed, on_disk
from gandetect.data.images import no_images
from gandetect.errors import DataError, UsageError, did_you_mean

CLUTTER = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # passed over, like hidden files


def files_in_folders(
    config: FolderDataConfig, root: Path, left_out: LeftOut, passed: PassedOver
) -> list[FoundFile]:
    """Image files of every class that is not ignored, however deep in its folder they lie.

    ``passed`` counts what else lies there. Raises `UsageError` for a class without a folder and a
    folder without a class, `DataError` for a split folder that is missing and a class folder
    without images.
    """
    files: list[FoundFile] = []
    seen: set[str] = set()
    for split, folder in _split_folders(config, root):
        for name, label in config.classes.items():
            inside = folder / (on_disk(folder, name, {}) or name)
            if not inside.is_dir():
                _may_be_missing_here(config, folder, name)
                continue
            seen.add(name)
            if label != "ignored":
                files += class_files(root, inside, name, split, left_out, passed)
        _require_mapped(config, root, folder)
        tell_loose_images(root, folder, left_out, passed)
    for name in config.classes:
        if name not in seen:
            raise _missing_class(config, root, name)
    return files


def _split_folders(config: FolderDataConfig, root: Path) -> Iterator[tuple[str, Path]]:
    if config.splits is None:
        yield "", root
        return
    for split, name in config.splits.model_dump().items():
        if name is None:
            continue
        if not (root / name).is_dir():
            raise DataError(
                f"the {split} folder {name!r} of splits is not in {str(root)!r}; the folders "
                f"there are: {listed(class_folders(root))}{did_you_mean(name, class_folders(root))}"
            )
        yield split, root / name


def _may_be_missing_here(config: FolderDataConfig, folder: Path, name: str) -> None:
    """In a data set that comes split, only classes not trained on may lack a folder."""
    spared = name in config.held_out or config.classes[name] == "ignored"
    if config.splits is None or not spared:
        raise _missing_class(config, folder, name)


def _missing_class(config: FolderDataConfig, folder: Path, name: str) -> UsageError:
    others = class_folders(folder)
    inside = [other for other in others if (folder / other / name).is_dir()]
    hint = did_you_mean(name, others)
    if inside and config.splits is None:
        hint = f"; it is inside {listed(inside)}: if those are splits, name them in data.splits"
    return UsageError(
        f"class {name!r} has no folder in {str(folder)!r}; the folders there are: "
        f"{listed(others)}{hint}"
    )


def _require_mapped(config: FolderDataConfig, root: Path, folder: Path) -> None:
    unlabelled = root / config.unlabelled if config.unlabelled else None
    classes = {unicodedata.normalize("NFC", name) for name in config.classes}
    for name in class_folders(folder):
        mapped = name in config.classes or unicodedata.normalize("NFC", name) in classes
        if mapped or (unlabelled and unlabelled.is_relative_to(folder / name)):
            continue
        raise UsageError(
            f"class folder {name!r} of {str(folder)!r} is not in classes; map it to real, "
            f"generated or ignored{did_you_mean(name, config.classes)}"
        )


def tell_loose_images(root: Path, folder: Path, left_out: LeftOut, passed: PassedOver) -> None:
    """Note images that lie beside the class folders of ``folder``, and so are of no class."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _matters(path.name):
            continue
        found = Found(path, HIDDEN) if path.is_dir() else found_file(path)
        if found.passed:
            passed.add(found)
        else:
            leave_out(left_out, path.relative_to(root).as_posix(), "lies in no class folder")


def class_files(
    root: Path, folder: Path, name: str, split: str, left_out: LeftOut, passed: PassedOver
) -> list[FoundFile]:
    """Image files below a class folder; what else lies there is told."""
    paths, others = [], PassedOver()
    for found in walk(folder):
        if found.path == folder:
            raise DataError(
                f"class folder {str(folder)!r} {found.passed.removeprefix('is a folder that ')}"
            )
        shown = found.path.relative_to(root).as_posix()
        if not found.passed:
            paths.append(shown)
        elif found.passed in (NO_PICTURE, HIDDEN):
            passed.add(found)
            others.add(found)
        else:
            leave_out(left_out, shown, found.passed)
    if not paths:
        raise DataError(f"class {no_images(folder, others)}")
    return [FoundFile(path, name, given_split=split) for path in paths]


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders that could be classes, sorted: hidden ones and clutter are none."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and _matters(path.name))


def _matters(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in CLUTTER
