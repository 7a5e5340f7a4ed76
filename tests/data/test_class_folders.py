"""A folder called train is a class unless the folders beside it say that it is a split."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest

from gandetect.config import PicturesConfig
from gandetect.data.class_folders import layout_notes, picture_classes, split_folders
from gandetect.data.integrity import files_of
from gandetect.errors import UsageError

SPLITS = ["train/cat/1.png", "train/dog/1.png", "val/cat/2.png", "val/dog/2.png"]


def paths(*names: str) -> list[PurePath]:
    return [PurePath(name) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (SPLITS, {"train": "train", "val": "validation"}),
        ([*SPLITS, "loose.png"], {"train": "train", "val": "validation"}),
        ([*SPLITS, "test/3.png"], {"train": "train", "val": "validation", "test": "test"}),
        (["Train/cat/1.png", "TEST/cat/2.png"], {"Train": "train", "TEST": "test"}),
        (["train/cat/deep/1.png", "test/cat/2.png"], {"train": "train", "test": "test"}),
        # Classes that are only called so.
        ([*SPLITS, "horse/1.png"], {}),
        ([*SPLITS, "horse/cat/1.png", "horse/dog/1.png"], {}),
        (["train/1.png", "test/1.png"], {}),
        (["train/1.png", "horse/1.png"], {}),
        (["train/cat/1.png", "test/dog/1.png"], {}),
        (["train/cat/1.png", "val/2.png"], {}),
        (["train/cat/1.png", "training/cat/1.png"], {}),
        (["train/1.png"], {}),
        (["loose.png"], {}),
    ],
)
def test_folders_are_splits_only_where_the_structure_says_so(names, expected) -> None:
    assert split_folders(paths(*names)) == expected


def test_the_class_of_a_file_follows_from_what_was_decided() -> None:
    split = files_of(paths(*SPLITS))
    assert [(one.split, one.class_name) for one in split][:2] == [
        ("train", "cat"),
        ("train", "dog"),
    ]
    classes = files_of(paths(*SPLITS, "horse/1.png"))
    assert [(one.split, one.class_name) for one in classes][:1] == [("", "train")]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (SPLITS, "train, val: taken for splits, as each holds the classes cat, dog"),
        ([*SPLITS, "test/3.png"], "but for test, which holds images without labels"),
        ([*SPLITS, "horse/1.png"], "taken for classes, not for splits, as beside .* (horse)"),
        (["train/1.png", "test/1.png"], "test, train holds no class folders"),
        (["train/cat/1.png", "test/dog/1.png"], "do not hold the same class folders"),
        (["train/a/1.png", "training/a/1.png"], "two of them would be the same split"),
    ],
)
def test_what_was_decided_is_said_with_its_reason(names, words) -> None:
    (note,) = layout_notes(paths(*names))
    assert all(part in note for part in words.split(" .* "))


def test_where_nothing_is_called_like_a_split_nothing_is_said() -> None:
    assert layout_notes(paths("cat/1.png", "dog/1.png")) == []


def test_a_folder_of_splits_is_not_taken_for_classes(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "mine" / split / name).mkdir(parents=True)
    given = {"name": "folder", "path": "mine", "held_out": ["dog"], "image_size": 32}
    with pytest.raises(UsageError, match=r"are splits \(test, train\).*path = 'mine/test'"):
        picture_classes(PicturesConfig(**given), tmp_path)
    named = PicturesConfig(**given, classes=["train", "test"])
    assert picture_classes(named, tmp_path) == ("train", "test")
    (tmp_path / "mine" / "horse").mkdir()
    assert picture_classes(PicturesConfig(**given), tmp_path) == ("horse", "test", "train")
