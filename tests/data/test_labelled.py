"""Class folders and tables of labels are read as they are, or refused with one sentence."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from photographs import save_two_classes

from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.data.labelled import LabelledFiles, find_labelled
from gandetect.errors import DataError, UsageError

CLASSES = {"real": "real", "fake": "generated"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with the set "faces": classes real and fake, three images each."""
    save_two_classes(tmp_path / "faces", 3)
    return tmp_path


def from_folders(data_dir: Path, **options: Any) -> LabelledFiles:
    given = {"name": "folder", "path": "faces", "classes": CLASSES, **options}
    return find_labelled(FolderDataConfig(**given), data_dir)


def from_table(data_dir: Path, content: str | bytes, **options: Any) -> LabelledFiles:
    raw = content.encode() if isinstance(content, str) else content
    (data_dir / "faces" / "train.csv").write_bytes(raw)
    given = {"name": "csv", "path": "faces", "classes": CLASSES, **options}
    return find_labelled(CsvDataConfig(**given), data_dir)


def paths(found: LabelledFiles) -> list[str]:
    return found.table["path"].tolist()


def reasons(found: LabelledFiles) -> dict[str, str]:
    return {entry["path"]: entry["reason"] for entry in found.left_out}


# Folders.


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


# Tables.

ROWS = "\n".join(f"{name}/{n:03}.jpg,{name}" for name in ("real", "fake") for n in range(3))


def test_a_table_gives_what_the_folders_give(data_dir: Path) -> None:
    of_folders = from_folders(data_dir)
    of_table = from_table(data_dir, f"image,label\n{ROWS}\n")
    assert of_table.table.equals(of_folders.table)
    assert of_table.left_out == []
    assert of_table.digest == of_folders.digest


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_separators_and_encodings_are_told_by_looking(
    data_dir: Path, separator: str, encoding: str
) -> None:
    faces = data_dir / "faces"
    (faces / "real" / "000.jpg").rename(faces / "real" / "año, 1; a|b.jpg")
    lines = [
        '"Foto, del|año"|"Clase"|"Nota;\tlibre"',
        '"real/año, 1; a|b.jpg"|"real"|"una ""cita"""',
        '"real/001.jpg"|"real"|""',
        '"fake/000.jpg"|"fake"|"dos\nlíneas"',
        '"fake/001.jpg"|"fake"|""',
    ]
    content = "\r\n".join(line.replace('"|"', f'"{separator}"') for line in lines)
    found = from_table(
        data_dir, content.encode(encoding), image_column="Foto, del|año", label_column="Clase"
    )
    assert paths(found) == [
        "fake/000.jpg",
        "fake/001.jpg",
        "real/001.jpg",
        "real/año, 1; a|b.jpg",
    ]


def test_the_separator_is_the_one_that_finds_the_columns(data_dir: Path) -> None:
    rows = ROWS.replace(",", ";").replace("\n", ";1,2,3,4\n") + ";5,6,7,8"
    assert len(from_table(data_dir, f"image;label;x,y,width,height\n{rows}").table) == 6


def test_bytes_that_no_code_page_knows_are_latin_1(data_dir: Path) -> None:
    faces = data_dir / "faces"
    (faces / "real" / "000.jpg").rename(faces / "real" / "\x81é.jpg")
    content = f"image,label\n{ROWS}".replace("real/000", "real/\x81é").encode("latin-1")
    assert "real/\x81é.jpg" in paths(from_table(data_dir, content))


@pytest.mark.parametrize(
    ("one", "zero"), [("1", "0"), ("1.0", "0.0"), ("01", "00"), ("1.", "-0"), (" 1 ", "0 ")]
)
def test_numbers_as_labels_are_compared_as_numbers(data_dir: Path, one: str, zero: str) -> None:
    content = f"image,label\n{ROWS}\n".replace(",real", f",{one}").replace(",fake", f",{zero}")
    found = from_table(data_dir, content, classes={"1": "real", "0": "generated"})
    assert found.table["label"].tolist() == ["generated"] * 3 + ["real"] * 3
    assert found.table["class_name"].tolist() == ["0"] * 3 + ["1"] * 3


def test_words_that_a_reader_could_take_for_nothing_stay_words(data_dir: Path) -> None:
    content = f"image,label\n{ROWS}\n".replace(",real", ",None").replace(",fake", ",NA")
    found = from_table(data_dir, content, classes={"None": "real", "NA": "generated"})
    assert found.table["class_name"].unique().tolist() == ["NA", "None"]


def test_names_come_with_or_without_suffix_folder_and_backslashes(data_dir: Path) -> None:
    faces = data_dir / "faces"
    (faces / "images").mkdir()
    for name in ("real", "fake"):
        (faces / name).rename(faces / "images" / name)
    (faces / "images/real/000.jpg").rename(faces / "images/real/000.JPEG")
    content = (
        "image,label\nreal/000,real\n./real/001.jpg,real\nreal\\002.jpg,real\n"
        "fake/../fake/001,fake\n"
    )
    found = from_table(data_dir, content, images_folder="images")
    assert paths(found) == [
        "images/fake/001.jpg",
        "images/real/000.JPEG",
        "images/real/001.jpg",
        "images/real/002.jpg",
    ]


def test_groups_and_splits_are_read_from_their_columns(data_dir: Path) -> None:
    content = (
        "Label,image,split,scene,\nreal,real/000.jpg,TRAIN,7,\nreal,real/001.jpg,val,,\n"
        "fake,fake/000.jpg,Validation,7,\n\nfake,fake/001.jpg,test,8,,\n"
    )
    found = from_table(
        data_dir, content, label_column="Label", group_column="scene", split_column="split"
    )
    assert found.table["group"].tolist() == ["7", "8", "7", ""]
    assert found.table["given_split"].tolist() == ["validation", "test", "train", "validation"]


def test_an_image_that_is_missing_is_left_out_and_named(data_dir: Path) -> None:
    found = from_table(data_dir, f"image,label\n{ROWS}\nreal/lost.jpg,real\n")
    assert len(found.table) == 6
    assert reasons(found) == {"real/lost.jpg": "does not exist; line 8 of 'train.csv' names it"}


def test_a_name_that_no_file_can_have_is_missing(data_dir: Path) -> None:
    names = ("x" * 5000, "x\0y")
    rows = "".join(f"{name},fake\n" for name in names)
    found = from_table(data_dir, f"image,label\n{ROWS}\n{rows}")
    assert len(found.table) == 6
    assert set(reasons(found)) == set(names)


def test_a_name_that_could_be_two_files_is_left_out(data_dir: Path) -> None:
    shutil.copy(data_dir / "faces/real/000.jpg", data_dir / "faces/real/000.png")
    found = from_table(data_dir, f"image,label\n{ROWS}\n".replace("real/000.jpg", "real/000"))
    assert len(found.table) == 5
    assert "could be any of real/000.jpg, real/000.png" in reasons(found)["real/000"]


def test_a_row_that_comes_twice_counts_once_and_is_named(data_dir: Path) -> None:
    found = from_table(data_dir, f"image,label\n{ROWS}\nreal/001,real\n")
    assert len(found.table) == 6
    expected = "line 8 of 'train.csv' names it again, after line 3"
    assert reasons(found) == {"real/001.jpg": expected}


def test_rows_of_ignored_classes_are_passed_over(data_dir: Path) -> None:
    classes = {**CLASSES, "unsure": "ignored"}
    found = from_table(data_dir, f"image,label\n{ROWS}\nreal/lost.jpg,unsure\n", classes=classes)
    assert len(found.table) == 6
    assert found.left_out == []


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", {}, "holds no rows; expected a line of column names"),
        ("image,label\n", {}, "holds no rows"),
        (
            f"img,label\n{ROWS}",
            {"image_column": "imag"},
            "'imag'; .*: img, label; did you mean 'im",
        ),
        (f"image,labels\n{ROWS}", {}, "no column 'label'; its columns are: image, labels; did you"),
        (f"image,label,label\n{ROWS}", {}, "has 2 columns 'label'"),
        (
            "image,label\na,real,x\n",
            {},
            r"line 2 of table .* has 3 cell\(s\), but .* has 2 columns",
        ),
        ("image,label\na\n", {}, r"line 2 of table .* has 1 cell\(s\)"),
        (f'image,label\n"a,real\n{ROWS}', {}, r"line 8 .* cannot be read .* is not closed"),
        (f"image,label\n{ROWS}\nreal/001.jpg,\n", {}, "line 8 of 'train.csv' has no label .*001"),
        (f"image,label\n{ROWS}\n,real\n", {}, "line 8 of 'train.csv' names no image"),
        (
            f"image,label\n{ROWS}\na.jpg,fakes\n",
            {},
            "line 8 .* label 'fakes', .*; did you mean 'fake",
        ),
        (
            f"image,label\n{ROWS}\nreal/001,fake",
            {},
            "lines 3 and 8 .*'real/001.jpg', with label 're",
        ),
        (f"image,label\n{ROWS}\n/etc/passwd,fake", {}, "line 8 .* '/etc/passwd', which leads out"),
        (
            f"image,label\n{ROWS}\nreal/../../x.jpg,fake",
            {},
            "line 8 .* leads out of the data set's",
        ),
        (f"image,label\n{ROWS}\nC:\\x.jpg,fake", {}, "line 8 .* leads out"),
        (
            f"image,label\n{ROWS}\n",
            {"classes": {**CLASSES, "faked": "generated"}},
            "class 'faked' is no label .* holds: fake, real; did you mean 'fake'",
        ),
        (
            "image,label\na.jpg,real\nb.jpg,real\nfake/000.jpg,fake\n",
            {},
            r"2 of the 3 images .* are missing, for example '.*faces/a.jpg'; images_folder says",
        ),
        (  # images of ignored classes are not counted
            "image,label\na.jpg,real\nb.jpg,real\nfake/000.jpg,fake\n" + "c.jpg,meme\n" * 9,
            {"classes": {**CLASSES, "meme": "ignored"}},
            "2 of the 3 images that table",
        ),
        (
            "image,label,part\nreal/000.jpg,real,trian\n",
            {"split_column": "part"},
            "line 2 .* has 'trian' in column 'part'; expected train.*did you mean 'train'",
        ),
        (
            f"image,label\n{ROWS}\n",
            {"images_folder": "pictures"},
            "images_folder 'pictures' is not in",
        ),
        (
            f"image,label\n{ROWS}\n",
            {"table": "trains.csv"},
            "table 'trains.csv' is not in .*: train.csv; did you mean 'train.csv'",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_one_sentence(
    data_dir: Path, content: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((DataError, UsageError), match=message) as caught:
        from_table(data_dir, content, **options)
    assert "\n" not in str(caught.value)


def test_one_image_in_two_splits_of_a_table_is_refused(data_dir: Path) -> None:
    content = "image,label,part\nreal/000.jpg,real,train\nreal/000.jpg,real,test\n"
    with pytest.raises(DataError, match="with split 'train' and 'test'; take one of them out"):
        from_table(data_dir, content, split_column="part")
