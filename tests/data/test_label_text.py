"""Tables of labels are read as text: no digit is lost, and one name is found in any form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from photographs import save_two_classes

from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.data.labelled import LabelledFiles, find_labelled
from gandetect.errors import DataError

CLASSES = {"real": "real", "fake": "generated"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with the set "faces": classes real and fake, three images each."""
    save_two_classes(tmp_path / "faces", 3)
    return tmp_path


def from_table(data_dir: Path, content: str, **options: Any) -> LabelledFiles:
    (data_dir / "faces" / "train.csv").write_bytes(content.encode())
    given = {"name": "csv", "path": "faces", "classes": CLASSES, **options}
    return find_labelled(CsvDataConfig(**given), data_dir)


def paths(found: LabelledFiles) -> list[str]:
    return found.table["path"].tolist()


@pytest.mark.parametrize(
    "line", ["sep=;", '"sep=;"', "SEP=; ", "sep=;;;", "\ufeffsep=;", "\r\nsep=;"]
)
def test_a_first_line_that_names_the_separator_is_no_header(data_dir: Path, line: str) -> None:
    table = f"{line}\r\nimage;label\r\nreal/000.jpg;real\r\nfake/000.jpg;fake\r\n"
    assert paths(from_table(data_dir, table)) == ["fake/000.jpg", "real/000.jpg"]
    lines = len(table.splitlines())
    with pytest.raises(DataError, match=f"line {lines + 1} of 'train.csv' has no label"):
        from_table(data_dir, table + "real/001.jpg;\r\n")


def test_long_numbers_as_labels_are_told_apart(data_dir: Path) -> None:
    real, fake = "1582218195625938945", "1582218195625938946"  # one float, and one text each
    table = f"image,label\nreal/000.jpg,{real}\nfake/000.jpg,{fake}\n"
    found = from_table(data_dir, table, classes={real: "real", fake: "generated"})
    assert found.table["label"].tolist() == ["generated", "real"]


def test_a_label_may_be_a_number_in_one_place_and_text_in_another(data_dir: Path) -> None:
    table = 'image,label\nreal/000.jpg,1\nreal/001.jpg,1.0\nreal/002.jpg,"1"\nfake/000.jpg,00\n'
    found = from_table(data_dir, table, classes={"1": "real", "0": "generated"})
    assert found.table["class_name"].tolist() == ["0", "1", "1", "1"]
    two = {"1": "real", "0": "generated", "0.0": "ignored"}
    with pytest.raises(DataError, match=r"line 5 .* label '00', which could be any of 0, 0.0"):
        from_table(data_dir, table, classes=two)


@pytest.mark.parametrize(("told", "there"), [("é", "e\u0301"), ("e\u0301", "é")])
def test_names_are_found_in_whatever_unicode_form_they_lie(data_dir, told, there) -> None:
    faces = data_dir / "faces"
    (faces / "real/000.jpg").rename(faces / f"real/{there}.jpg")
    if (faces / f"real/{told}.jpg").exists():
        pytest.skip("this file system takes both forms for one name")
    table = f"image,label\nreal/{told}.jpg,real\nfake/000.jpg,fake\n"
    assert paths(from_table(data_dir, table)) == ["fake/000.jpg", f"real/{there}.jpg"]
    (faces / "real").rename(faces / there)
    classes = {told: "real", "fake": "generated"}
    found = find_labelled(FolderDataConfig(name="folder", path="faces", classes=classes), data_dir)
    assert found.table["class_name"].value_counts().to_dict() == {told: 3, "fake": 3}


def test_groups_that_are_numbers_are_told_apart_as_labels_are(data_dir: Path) -> None:
    cells = {"real/000": "7", "real/001": "7.0", "real/002": "1958221819562593894", "fake/000": ""}
    rows = [f"{name}.jpg,{name.partition('/')[0]},{group}" for name, group in cells.items()]
    table = "image,label,scene\n" + "\n".join([*rows, "fake/001.jpg,fake,1958221819562593895"])
    found = from_table(data_dir, table, group_column="scene").table
    assert found["group"].tolist() == ["", "1958221819562593895", "7", "7", "1958221819562593894"]
