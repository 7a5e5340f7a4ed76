"""A picture under both labels is refused, in folders and tables, unless it is allowed by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from photographs import save_two_classes
from PIL import Image
from shortcuts import make_stages

from gandetect import runs
from gandetect.cli import main
from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.data.overlap import contradictions
from gandetect.errors import DataError
from gandetect.stages.labelled_data import DecodedImages, LabelledData

CLASSES = {"real": "real", "fake": "generated"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The set "faces", a picture of which stands under both labels, in another file format."""
    root = tmp_path / "faces"
    save_two_classes(root, 8)
    Image.open(root / "real/000.jpg").save(root / "fake/again.png")
    rows = [f"{path.relative_to(root)},{path.parent.name}" for path in sorted(root.glob("*/*"))]
    (root / "train.csv").write_text("image,label\n" + "\n".join(rows))
    return tmp_path


def prepare(data_dir: Path, kind: str, **options: Any) -> dict[str, Any]:
    """Prepare the set and return what `data.json` says of it."""
    configs = {"folder": FolderDataConfig, "csv": CsvDataConfig}
    config = configs[kind](name=kind, path="faces", classes=CLASSES, **options)
    data = LabelledData(config, copies=0)
    make_stages(data_dir / "run", data_dir, data, DecodedImages(16, data))
    return runs.read_json(data_dir / "run/data/data.json")


@pytest.mark.parametrize("kind", ["folder", "csv"])
def test_a_picture_under_both_labels_is_refused_and_its_files_named(data_dir, kind) -> None:
    words = r"'real/000.jpg' is real and 'fake/again.png' generated.*allow_contradictions = true"
    with pytest.raises(DataError, match=words):
        prepare(data_dir, kind)
    assert not (data_dir / "run/data").exists()


@pytest.mark.parametrize("kind", ["folder", "csv"])
def test_it_is_told_where_it_is_allowed(data_dir, kind) -> None:
    facts = prepare(data_dir, kind, allow_contradictions=True)
    assert facts["contradictions"] == [{"fake/again.png": "generated", "real/000.jpg": "real"}]


def test_copies_under_one_label_do_not_contradict(data_dir) -> None:
    (data_dir / "faces/fake/again.png").unlink()
    shutil.copy(data_dir / "faces/fake/001.jpg", data_dir / "faces/fake/copy.jpg")
    assert prepare(data_dir, "folder")["contradictions"] == []


def test_every_picture_under_both_labels_is_found_once() -> None:
    labels = ["real", "generated", "real", "generated", "real", "real"]
    table = pd.DataFrame({"path": list("fedcba"), "label": labels, "pixels_sha256": list("112233")})
    found = contradictions(table)
    assert found == [{"c": "generated", "d": "real"}, {"e": "generated", "f": "real"}]


def test_data_check_finds_it_in_a_folder_and_by_the_labels_of_a_table(data_dir) -> None:
    checked = CliRunner().invoke(main, ["data", "check", "--json", str(data_dir / "faces")])
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["counts"]["cross-class duplicate"] == 2
    experiment = data_dir / "faces.toml"
    experiment.write_text(
        'name = "faces"\n[data]\nname = "csv"\npath = "faces"\ngroup_pattern = "^([0-9]+)"\n'
        'classes = { real = "real", fake = "generated" }\n[[classifiers]]\nrecipe = "cnn-small"\n'
    )
    command = ["data", "check", "--json", str(experiment), "--data-dir", str(data_dir)]
    checked = CliRunner().invoke(main, command, catch_exceptions=False)
    assert checked.exit_code == 1
    facts = json.loads(checked.stdout)
    assert facts["counts"] == {"contradictory labels": 2}
    assert facts["findings"][0]["reason"].startswith("is generated, and real/000.jpg")
    (note,) = facts["notes"]
    assert note.startswith("a study refuses this: group_pattern")
    assert "fits 16 of 17 file names ('fake': 8 of 9, 'real': 8 of 8)" in note


def test_a_class_of_which_nothing_can_be_read_is_one_sentence(data_dir) -> None:
    for path in (data_dir / "faces/fake").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"none of the 9 files of class 'fake' can be.*fake/00"):
        prepare(data_dir, "folder")


def test_a_class_whose_images_are_not_there_is_one_sentence(data_dir) -> None:
    for path in (data_dir / "faces/real").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="8 of the 8 images of class 'real' that table"):
        prepare(data_dir, "csv")
