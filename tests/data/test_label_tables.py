"""Tables of labels are read as they are, or refused with one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from labelled_folders import CLASSES, ROWS, from_folders, paths, reasons, save_faces

from gandetect.config import CsvDataConfig
from gandetect.data.labelled import LabelledFiles, find_labelled
from gandetect.errors import DataError, UsageError


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return save_faces(tmp_path)


def from_table(data_dir: Path, content: str | bytes, **options: Any) -> LabelledFiles:
    raw = content.encode() if isinstance(content, str) else content
    (data_dir / "faces" / "train.csv").write_bytes(raw)
    given = {"name": "csv", "path": "faces", "classes": CLASSES, **options}
    return find_labelled(CsvDataConfig(**given), data_dir)


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
