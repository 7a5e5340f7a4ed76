"""Images in folders: one for each class, at the top or inside folders of splits."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from gandetect.config import FolderDataConfig, PicturesConfig
from gandetect.data.folders import HIDDEN, NO_PICTURE, Found, PassedOver, found_file, walk
from gandetect.data.found import SPLIT_WORDS, FoundFile, FoundFiles, on_disk
from gandetect.data.images import no_images
from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown

CLUTTER = frozenset(("thumbs.db", "desktop.ini", "__macosx"))  # passed over, like hidden files


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders that could be classes, sorted: hidden ones and clutter are none."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and _matters(path.name))


def _matters(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in CLUTTER


# Labelled images: classes, and folders of splits, are named by the experiment file.


def add_labelled(config: FolderDataConfig, found_files: FoundFiles) -> None:
    """Find image files of every class that is not ignored, however deep in its folder they lie.

    Raises `UsageError` for a class without a folder and a folder without a class, `DataError` for a
    split folder that is missing and a class folder without images.
    """
    seen: set[str] = set()
    for split, folder in _split_folders(config, found_files.root):
        for name, label in config.classes.items():
            inside = folder / (on_disk(folder, name, {}) or name)
            if inside.is_dir():
                seen.add(name)
                if label != "ignored":
                    _add_class(found_files, inside, name, split)
            # In a data set that comes split, only classes not trained on may lack a folder.
            elif config.splits is None or not (label == "ignored" or name in config.held_out):
                raise _missing_class(folder, name, config.splits is None)
        _require_mapped(config, found_files.root, folder)
        _leave_out_loose(found_files, folder)
    for name in config.classes:
        if name not in seen:
            raise _missing_class(found_files.root, name, config.splits is None)


def _split_folders(config: FolderDataConfig, root: Path) -> Iterator[tuple[str, Path]]:
    if config.splits is None:
        yield "", root
        return
    for split, name in config.splits.model_dump().items():
        if name is not None and not (root / name).is_dir():
            raise DataError(
                f"the {split} folder {name!r} of splits is not in {str(root)!r}; the folders "
                f"there are: {listed(class_folders(root))}{did_you_mean(name, class_folders(root))}"
            )
        if name is not None:
            yield split, root / name


def _missing_class(folder: Path, name: str, maybe_splits: bool) -> UsageError:
    others = class_folders(folder)
    inside = [other for other in others if (folder / other / name).is_dir()]
    hint = did_you_mean(name, others)
    if inside and maybe_splits:
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


# Pictures that are all real: a folder with one sub-folder a class.


def picture_classes(config: PicturesConfig, data_dir: Path) -> tuple[str, ...]:
    """Names of the classes: the sub-folders that the table lists, else all, sorted.

    Raises `DataError` for a folder that is missing or has none, `UsageError` for a class without
    a sub-folder.
    """
    root = data_dir / config.path
    try:
        there = class_folders(root)
    except OSError as error:
        raise DataError(
            f"folder {str(root)!r} of pictures cannot be read ({error.strerror or error}); path "
            "is relative to the data folder, which --data-dir names"
        ) from None
    for name in config.classes or ():
        if name not in there:
            raise _missing_class(root, name, maybe_splits=False)
    if config.classes is None:
        _refuse_splits(root, config.path)
    classes = config.classes or tuple(there)
    if len(classes) < 2:
        raise DataError(
            f"{str(root)!r} has {len(classes)} class folder(s); a study needs at least two, one "
            "to train on and one to hold out, with image files in each"
        )
    return classes


def find_pictures(config: PicturesConfig, data_dir: Path) -> FoundFiles:
    """Find the image files of every class, however deep in its folder they lie; sorted by path.

    Raises `DataError` for a class without image files, and as `picture_classes` does.
    """
    found_files = FoundFiles(data_dir / config.path)
    try:
        for name in picture_classes(config, data_dir):
            _add_class(found_files, found_files.root / name, name, "")
        _leave_out_loose(found_files, found_files.root)
    except OSError as error:
        raise DataError(f"{str(error.filename)!r} cannot be read: {error.strerror}") from None
    found_files.sort()
    return found_files


def _refuse_splits(root: Path, path: str) -> None:
    """Raise `UsageError` where the sub-folders are splits, which would be taken for classes."""
    inside = {name: class_folders(root / name) or [""] for name in class_folders(root)}
    splits = split_folders(
        [PurePath(name, inner, "image") for name, inners in inside.items() for inner in inners]
    )
    if splits:
        first = next(iter(splits))
        raise UsageError(
            f"the folders of {shown(str(root))} are splits ({listed(list(splits))}), each with the "
            f"same class folders, and this study splits the pictures itself; give path = "
            f"{shown(f'{path}/{first}')}, or name them in classes if they are classes"
        )


# Files of a class, and beside classes.


def _add_class(found_files: FoundFiles, folder: Path, name: str, split: str) -> None:
    """Find the image files below a class folder; what else lies there is noted."""
    paths, others = [], PassedOver()
    for entry in walk(folder):
        if entry.path == folder:
            raise DataError(
                f"class folder {str(folder)!r} {entry.passed.removeprefix('is a folder that ')}"
            )
        path = entry.path.relative_to(found_files.root).as_posix()
        if not entry.passed:
            paths.append(path)
        elif entry.passed in (NO_PICTURE, HIDDEN):
            found_files.passed.add(entry)
            others.add(entry)
        else:
            found_files.leave_out(path, entry.passed)
    if not paths:
        raise DataError(f"class {no_images(folder, others)}")
    found_files.files += [FoundFile(path, name, split=split) for path in paths]


def _leave_out_loose(found_files: FoundFiles, folder: Path) -> None:
    """Leave out images that lie beside the class folders of ``folder``, and so are of no class."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _matters(path.name):
            continue
        entry = Found(path, HIDDEN) if path.is_dir() else found_file(path)
        if entry.passed:
            found_files.passed.add(entry)
        else:
            found_files.leave_out(
                path.relative_to(found_files.root).as_posix(), "lies in no class folder"
            )


# Which folders are splits, and which are classes that are only called so.


def split_folders(paths: Sequence[PurePath]) -> dict[str, str]:
    """The split of each top folder of image files, where these are splits; else none.

    A folder called train, val or test is a split only where the structure says so: every folder
    beside it is named for a split of its own, and all hold the same class folders (a test folder
    may hold images alone, without labels). Any other folder of such a name is a class.

    >>> paths = [PurePath(one) for one in ("train/cat/1.png", "test/cat/2.png")]
    >>> split_folders(paths), split_folders([*paths, PurePath("horse/3.png")])
    ({'train': 'train', 'test': 'test'}, {})
    """
    inside = _inside(paths)
    return {} if _why_no_splits(inside) else {name: SPLIT_WORDS[name.lower()] for name in inside}


def layout_notes(paths: Sequence[PurePath]) -> list[str]:
    """One sentence where a folder could be taken for a split: what was decided, and why."""
    inside = _inside(paths)
    named = sorted(name for name in inside if name.lower() in SPLIT_WORDS)
    if not named:
        return []
    if why := _why_no_splits(inside):
        return [f"{listed(named)}: taken for classes, not for splits, as {why}"]
    flat = [name for name in named if not inside[name]]
    but = f", but for {listed(flat)}, which holds images without labels" if flat else ""
    classes = listed(sorted(set().union(*inside.values())))
    return [f"{listed(named)}: taken for splits, as each holds the classes {classes}{but}"]


def _why_no_splits(inside: Mapping[str, set[str]]) -> str:
    """Why top folders, each with its folders, are no splits; empty where they are."""
    others = sorted(name for name in inside if name.lower() not in SPLIT_WORDS)
    if others:
        return f"beside stand other folders ({listed(others, most=3)})"
    splits = {name: SPLIT_WORDS[name.lower()] for name in inside}
    flat = sorted(name for name in inside if not inside[name])
    labelled = [name for name in inside if inside[name] or splits[name] != "test"]
    if set(flat) & set(labelled) or not labelled:
        return f"{listed(flat)} holds no class folders"
    if len(set(splits.values())) < len(splits):
        return "two of them would be the same split"
    same = len({frozenset(inside[name]) for name in labelled}) == 1
    return "" if same else "they do not hold the same class folders"


def _inside(paths: Sequence[PurePath]) -> dict[str, set[str]]:
    """The folders with images in each top folder; files that lie in it alone make none."""
    inside: dict[str, set[str]] = {}
    for path in paths:
        if len(path.parts) > 1:
            inside.setdefault(path.parts[0], set()).update(path.parts[1:-1][:1])
    return inside
