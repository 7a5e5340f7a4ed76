"""Class folders are read as they are, or refused with one sentence."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from labelled_folders import CLASSES, ROWS, from_folders, paths, reasons, save_faces
from photographs import save_two_classes

from gandetect.config import CsvDataConfig
from gandetect.data.labelled import find_labelled
from gandetect.errors import DataError, UsageError

# Folders.


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return save_faces(tmp_path)


def test_class_folders_give_a_row_for_each_file(data_dir: Path) -> None:
    nested = data_dir / "faces" / "real" / "holiday" / "004.PNG"
    nested.parent.mkdir()
    nested.write_bytes(b"opened later")
    found = from_folders(data_dir)
    assert found.root == data_dir / "faces"
    assert paths(found) == [
        *(f"fake/{number:03}.jpg" for number in range(3)),
        *(f"real/{number:03}.jpg" for number in range(3)),
        "real/holiday/004.PNG",
    ]
    assert found.table["class_name"].tolist() == ["fake"] * 3 + ["real"] * 4
    assert found.table["label"].tolist() == ["generated"] * 3 + ["real"] * 4
    assert set(found.table["group"]) == set(found.table["given_split"]) == {""}
    assert found.table["sha256"].iloc[-1] == hashlib.sha256(b"opened later").hexdigest()
    assert found.left_out == []


def test_what_is_no_picture_is_counted_and_told(data_dir: Path) -> None:
    faces = data_dir / "faces"
    for name in ("real/notes.txt", "real/Thumbs.db", "fake/.DS_Store", "fake/._001.jpg"):
        (faces / name).write_bytes(b"")
    for clutter in ("__MACOSX/real", "real/.thumbnails", "fake/__MACOSX"):
        (faces / clutter).mkdir(parents=True)
        (faces / clutter / "000.jpg").write_bytes(b"")
    shutil.copy(faces / "real" / "000.jpg", faces / "loose.jpg")
    found = from_folders(data_dir)
    assert len(found.table) == 6
    assert reasons(found) == {"loose.jpg": "lies in no class folder"}
    assert found.passed.sentences() == [
        "2 files are no pictures: .db, .txt",
        "5 hidden files or folders are passed over: __MACOSX 2, .thumbnails, .DS_Store, ._001.jpg",
    ]


def test_links_to_folders_are_followed_and_closed_folders_are_told(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    real = data_dir / "faces" / "real"
    (data_dir / "elsewhere").mkdir()
    shutil.copy(real / "002.jpg", data_dir / "elsewhere" / "new.jpg")
    (real / "link").symlink_to("../../elsewhere")
    (real / "round").symlink_to("..")
    (real / "closed").mkdir(mode=0)
    (real / "001.jpg").chmod(0)
    data_dir.chmod(0o755)
    monkeypatch.chdir(data_dir)
    with without_privileges():
        found = from_folders(Path())
    assert len(found.table) == 6
    assert "real/link/new.jpg" in set(found.table["path"])
    assert reasons(found) == {
        "real/001.jpg": "cannot be read: Permission denied",
        "real/closed": "is a folder that cannot be listed: permission denied",
        "real/round": "is a link that leads back to a folder it stands in, and is not followed",
    }


def test_a_data_set_that_may_not_be_read_is_one_sentence(
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    without_privileges: Callable[[], AbstractContextManager[None]],
) -> None:
    (data_dir / "faces" / "train.csv").write_text(f"image,label\n{ROWS}")
    table = CsvDataConfig(name="csv", path="faces", classes=CLASSES)
    data_dir.chmod(0o755)
    monkeypatch.chdir(data_dir)
    for mode in (0o000, 0o444):
        Path("faces").chmod(mode)
        with without_privileges():
            for find in (lambda: from_folders(Path()), lambda: find_labelled(table, Path())):
                with pytest.raises(DataError, match="cannot be read: Permission denied"):
                    find()


def test_a_name_that_is_no_utf8_is_left_out(data_dir: Path) -> None:
    shutil.copy(
        data_dir / "faces" / "real" / "000.jpg", bytes(data_dir / "faces" / "real") + b"/\xe9.jpg"
    )
    found = from_folders(data_dir)
    assert len(found.table) == 6
    assert reasons(found) == {"real/\\udce9.jpg": "has a name that is not UTF-8; rename it"}


def test_ignored_classes_and_the_unlabelled_folder_are_passed_over(data_dir: Path) -> None:
    for name in ("memes", "kaggle_test/images"):
        shutil.copytree(data_dir / "faces" / "real", data_dir / "faces" / name)
    classes = {**CLASSES, "memes": "ignored"}
    found = from_folders(data_dir, classes=classes, unlabelled="kaggle_test/images")
    assert found.table["class_name"].unique().tolist() == ["fake", "real"]
    assert found.left_out == []


def test_given_split_folders_are_told_for_each_file(tmp_path: Path) -> None:
    save_two_classes(tmp_path / "faces", 2, splits=("training", "val", "test"))
    splits = {"train": "training", "validation": "val", "test": "test"}
    found = from_folders(tmp_path, splits=splits)
    assert paths(found)[:2] == ["test/fake/000.jpg", "test/fake/001.jpg"]
    sides = found.table.groupby("given_split")["path"].apply(lambda p: p.str.split("/").str[0])
    assert set(sides.reset_index()[["given_split", "path"]].itertuples(index=False, name=None)) == {
        ("train", "training"),
        ("validation", "val"),
        ("test", "test"),
    }
    assert len(from_folders(tmp_path, splits={"train": "training"}).table) == 4


def test_a_held_out_class_may_stand_in_one_split_alone(tmp_path: Path) -> None:
    save_two_classes(tmp_path / "faces", 2, splits=("train", "test"))
    shutil.copytree(tmp_path / "faces/test/fake", tmp_path / "faces/test/other")
    splits, classes = {"train": "train", "test": "test"}, {**CLASSES, "other": "generated"}
    found = from_folders(tmp_path, splits=splits, classes=classes, held_out=("other",))
    assert found.table["class_name"].value_counts()["other"] == 2
    with pytest.raises(UsageError, match=r"class 'other' has no folder in '.*train'"):
        from_folders(tmp_path, splits=splits, classes=classes)


def test_the_digest_is_of_the_files_and_not_of_their_place(data_dir: Path) -> None:
    first = from_folders(data_dir).digest
    moved = data_dir / "elsewhere"
    for name in ("real/002.jpg", "fake/001.jpg", "real/000.jpg"):  # in another order on disk
        (moved / "faces" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data_dir / "faces" / name, moved / "faces" / name)
    shutil.copytree(data_dir / "faces", moved / "faces", dirs_exist_ok=True)
    assert from_folders(moved).digest == first
    notes = moved / "faces" / "real" / "notes.txt"
    notes.touch()
    assert from_folders(moved).digest == first  # which holds no picture
    shutil.copy(moved / "faces" / "real" / "000.jpg", notes)
    assert from_folders(moved).digest != first
    notes.unlink()
    with (moved / "faces" / "real" / "000.jpg").open("ab") as file:
        file.write(b"\0")
    assert from_folders(moved).digest != first
    swapped = {"real": "generated", "fake": "real"}
    assert from_folders(data_dir, classes=swapped).digest != first


def test_a_data_set_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=rf"'{tmp_path}/faces' does not exist.*data/README.md.*-dir"
    ):
        from_folders(tmp_path)


def test_a_mapping_that_names_an_absent_class_names_the_nearest(data_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"'reals' has no folder.*fake, real; did you mean 'real'"):
        from_folders(data_dir, classes={"reals": "real", "fake": "generated"})


def test_a_folder_that_the_mapping_does_not_name_is_refused(data_dir: Path) -> None:
    (data_dir / "faces" / "memes").mkdir()
    with pytest.raises(UsageError, match=r"'memes' of .* map it to real, generated or ignored"):
        from_folders(data_dir)


def test_an_empty_class_folder_is_refused(data_dir: Path) -> None:
    shutil.rmtree(data_dir / "faces" / "fake")
    (data_dir / "faces" / "fake").mkdir()
    with pytest.raises(DataError, match="faces/fake' holds no image files"):
        from_folders(data_dir)


def test_a_class_folder_that_may_not_be_listed_is_not_called_empty(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, without_privileges
) -> None:
    monkeypatch.chdir(data_dir)
    for place in (Path(), *Path().rglob("*")):
        if place.is_dir():
            place.chmod(0o755)
    Path("faces/fake").chmod(0)
    with without_privileges(), pytest.raises(DataError, match="fake' cannot be listed: permission"):
        from_folders(Path())


def test_split_folders_that_are_not_named_are_pointed_at(tmp_path: Path) -> None:
    save_two_classes(tmp_path / "faces", 1, splits=("train", "test"))
    with pytest.raises(UsageError, match=r"it is inside test, train: .* data\.splits"):
        from_folders(tmp_path)


def test_a_given_split_folder_that_is_missing_names_the_nearest(tmp_path: Path) -> None:
    save_two_classes(tmp_path / "faces", 1, splits=("train", "valid"))
    with pytest.raises(DataError, match=r"validation folder 'valids'.*train, valid; did you mean"):
        from_folders(tmp_path, splits={"train": "train", "validation": "valids"})
