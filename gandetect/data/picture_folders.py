"""One's own pictures for a GAN study: a folder with one sub-folder a class, all of them real."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

from gandetect.config import PicturesConfig
from gandetect.data.class_folders import class_files, class_folders, tell_loose_images
from gandetect.data.folders import PassedOver
from gandetect.data.found import FoundFile, LeftOut, leave_out, listed, readable
from gandetect.data.layout import split_folders
from gandetect.errors import DataError, UsageError, did_you_mean, shown


@dataclass(frozen=True)
class FoundPictures:
    """Image files of every class, sorted by path, none decoded yet; and what is left out, why.

    ``passed`` counts what is no picture.
    """

    root: Path
    files: list[FoundFile]
    left_out: LeftOut
    passed: PassedOver


def picture_classes(config: PicturesConfig, data_dir: Path) -> tuple[str, ...]:
    """Names of the classes: the sub-folders that are asked for, or all there are, sorted.

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
            raise UsageError(
                f"class {name!r} has no folder in {str(root)!r}; the folders there are: "
                f"{listed(there)}{did_you_mean(name, there)}"
            )
    if config.classes is None:
        _refuse_splits(root, config.path)
    classes = config.classes or tuple(there)
    if len(classes) < 2:
        raise DataError(
            f"{str(root)!r} has {len(classes)} class folder(s); a study needs at least two, one "
            "to train on and one to hold out, with image files in each"
        )
    return classes


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


def find_pictures(config: PicturesConfig, data_dir: Path) -> FoundPictures:
    """Find the image files of every class, however deep in its folder they lie.

    Raises `DataError` for a class without image files, and as `picture_classes` does.
    """
    root = data_dir / config.path
    left_out: LeftOut = []
    passed = PassedOver()
    files: list[FoundFile] = []
    try:
        for name in picture_classes(config, data_dir):
            files += class_files(root, root / name, name, "", left_out, passed)
        tell_loose_images(root, root, left_out, passed)
    except OSError as error:
        raise DataError(f"{str(error.filename)!r} cannot be read: {error.strerror}") from None
    named = [one for one in files if one.path == readable(one.path)]
    for one in files:
        if one.path != readable(one.path):
            leave_out(left_out, readable(one.path), "has a name that is not UTF-8; rename it")
    left_out.sort(key=lambda entry: (entry["path"], entry["reason"]))
    return FoundPictures(root, sorted(named, key=lambda one: one.path), left_out, passed)
