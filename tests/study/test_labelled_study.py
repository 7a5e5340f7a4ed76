"""Studies of one's own labelled images, from the folder to the report: small, and really run."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter
from shortcuts import (
    Kept,
    in_this_process,
    with_linear_audits,
    without_audits,
    without_drawing,
    without_figures,
)
from sklearn.datasets import load_digits

from gandetect import runs
from gandetect.config import parse_experiment
from gandetect.detectors.folder import load_detector
from gandetect.errors import GandetectError
from gandetect.study import Options, run_study

EACH = 60
# Blurred pictures are told apart by trivial probes too, and the study warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:The probe", "ignore:.* has no calibrated threshold")

TABLE = {
    "name": "own",
    "data": {
        "name": "folder",
        "path": "digits",
        "classes": {"real": "real", "blurred": "generated", "mosaic": "generated"},
        "held_out": ["mosaic"],
        "validation_fraction": 0.2,
        "group_pattern": r"^\d+",
        "unlabelled": "unlabelled",
    },
    "classifiers": [
        {"recipe": "cnn-small", "image_size": 32, "epochs": 4, "batch_size": 16,
         "optimizer": {"learning_rate": 3e-3}},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _shortcuts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_drawing(patch)
        with_linear_audits(patch)
        yield


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with scikit-learn's handwritten digits, blurred ones and mosaics of others."""
    root = tmp_path_factory.mktemp("data") / "digits"
    pictures = load_digits().images[: 2 * EACH]
    for number, pixels in enumerate(pictures):
        image = Image.fromarray((pixels * 15).astype(np.uint8)).resize((32, 32), Image.NEAREST)
        digit = f"{number:03d}.png"
        if number >= EACH:
            _save(image.reduce(8).resize((32, 32), Image.NEAREST), root / "mosaic" / digit)
            _save(image, root / "unlabelled" / digit)
            if number == EACH:  # known by its content
                (root / "unlabelled" / digit).rename(root / "unlabelled" / "no-suffix")
            continue
        _save(image, root / "real" / digit)
        _save(image.filter(ImageFilter.GaussianBlur(2)), root / "blurred" / digit)
    return root.parent


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory) -> Path:
    options = Options(tmp_path_factory.mktemp("runs"), data_dir=digits, jobs=2)
    return run_study(parse_experiment(TABLE), options)


def scores_of(run: Path) -> pd.DataFrame:
    return pd.read_parquet(run / "scores.parquet")


def test_a_folder_of_images_becomes_a_report(run) -> None:
    for name in ("report.html", "report.md", "metrics.csv", "figures/roc-precision-recall.svg"):
        assert (run / name).stat().st_size > 0
    metrics = json.loads((run / "metrics.json").read_text())
    roles = {cell["source"]: cell["role"] for cell in metrics["cells"]}
    assert roles == {
        "generated:blurred": "own",
        "generated:mosaic": "other",
        "real:in-distribution": "in-distribution",
        "real:training": "training",
    }
    assert next(row["auroc"] for row in metrics["splits"] if row["split"] == "test") > 0.9


def test_no_picture_stands_on_two_sides(run) -> None:
    table = pd.read_parquet(run / "data" / "splits.parquet")
    assert len(table) == 3 * EACH
    table["number"] = table["path"].str.extract(r"(\d+)\.png")[0]
    for picture in ("group", "number"):
        sides = table.drop_duplicates([picture, "split"])
        assert not sides.duplicated(picture).any()
    assert set(table.loc[table["class_name"] == "mosaic", "split"]) == {"held-out"}


def test_scores_name_the_row_of_the_splits_table(run) -> None:
    table = pd.read_parquet(run / "data" / "splits.parquet")
    scores = scores_of(run)
    names = {
        "generated:blurred": ("blurred", "test"),
        "generated:mosaic": ("mosaic", "held-out"),
        "real:in-distribution": ("real", "test"),
        "real:validation": ("real", "validation"),
        "generated:training": ("blurred", "train"),
    }
    for source, (name, split) in names.items():
        rows = table.loc[scores.loc[scores["source"] == source, "index"]]
        assert set(zip(rows["class_name"], rows["split"], strict=True)) == {(name, split)}


def test_the_saved_detector_gives_files_the_scores_of_the_study(run, digits) -> None:
    from gandetect.scoring import score_paths

    detector = load_detector(run / "detectors" / "cnn-small" / "seed-0")
    table = pd.read_parquet(run / "data" / "splits.parquet")
    scores = scores_of(run)
    scores = scores[scores["source"] == "generated:blurred"]
    paths = [digits / "digits" / path for path in table.loc[scores["index"], "path"]]
    again = [line.score for line in score_paths(detector, paths)]
    np.testing.assert_allclose(again, scores["score"], atol=1e-4)


def test_the_unlabelled_folder_is_answered(run) -> None:
    with (run / "detectors" / "cnn-small" / "seed-0" / "unlabelled.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == EACH
    assert all(row["verdict"] in ("real", "generated") for row in rows)


def test_a_second_run_does_nothing(run, digits) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    run_study(parse_experiment(TABLE), Options(run.parent, data_dir=digits, jobs=2), Kept())
    after = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    always = {run / name for name in ("study.toml", "study.json", ".lock")}
    assert {p for p in after if after[p] != before.get(p)} <= always


def test_files_that_are_no_pictures_are_told_and_change_nothing(run, digits) -> None:
    notes = [digits / "digits" / place / "notes.txt" for place in ("real", "unlabelled")]
    listener, scores = Kept(), run / "scores.parquet"
    before = scores.stat().st_mtime_ns
    try:
        for path in notes:
            path.write_text("words")
        run_study(parse_experiment(TABLE), Options(run.parent, data_dir=digits, jobs=2), listener)
    finally:
        for path in notes:
            path.unlink()
    told = [one for one in listener.warnings if one.endswith("1 file is no picture: .txt")]
    assert len(told) == 2
    assert scores.stat().st_mtime_ns == before


@pytest.mark.slow
def test_another_place_on_disk_changes_nothing(run, digits, tmp_path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(digits, moved)
    folder = run_study(parse_experiment(TABLE), Options(tmp_path, data_dir=moved, jobs=2))
    assert folder.name == run.name
    assert runs.file_digest(folder / "metrics.json") == runs.file_digest(run / "metrics.json")


@pytest.fixture(scope="module")
def damaged(digits, tmp_path_factory) -> tuple[Path, list[str]]:
    """A cross-validated run of images one of which is damaged, and what it warned of."""
    place = tmp_path_factory.mktemp("damaged")
    shutil.copytree(digits, place / "data")
    broken = place / "data" / "digits" / "real" / "007.png"
    broken.write_bytes(broken.read_bytes()[:60])
    listener = Kept()
    data = {**TABLE["data"], "folds": 3}
    table = {**TABLE, "data": data, "classifiers": [{**TABLE["classifiers"][0], "epochs": 1}]}
    options = Options(place / "runs", data_dir=place / "data", jobs=2)
    with pytest.MonkeyPatch.context() as patch:
        without_audits(patch)
        without_figures(patch)
        return run_study(parse_experiment(table), options, listener), listener.warnings


def test_a_corrupt_file_among_good_ones_is_named_counted_and_left_out(damaged) -> None:
    folder, warnings = damaged
    assert any("1 file(s) are left out: real/007.png" in text for text in warnings)
    left_out = json.loads((folder / "data.json").read_text())["left_out"]
    assert [entry["path"] for entry in left_out] == ["real/007.png"]
    assert "007.png" in (folder / "report.md").read_text()


def test_folds_cover_everything_but_the_test_images_once(damaged) -> None:
    folder, _ = damaged
    folds = json.loads((folder / "folds.json").read_text())
    splits = pd.read_parquet(folder / "data" / "splits.parquet")
    assert [row["fold"] for row in folds["rows"]] == [1, 2, 3]
    development = splits["split"].isin(["train", "validation"]).sum()
    assert sum(row["n"] for row in folds["rows"]) == development
    assert all(0 <= row["accuracy"] <= 1 for row in folds["rows"])


@pytest.mark.slow
def test_a_leak_is_made_only_by_name_and_said_in_red(digits, tmp_path) -> None:
    classifier = {
        **TABLE["classifiers"][0],
        "epochs": 1,
        "copies": 3,
        "augmentation": {"rotation": 5.0},
    }
    data = {**TABLE["data"], "leak": "augment-before-split"}
    table = {**TABLE, "data": data, "classifiers": [classifier]}
    folder = run_study(parse_experiment(table), Options(tmp_path, data_dir=digits, jobs=2))
    splits = pd.read_parquet(folder / "data" / "splits.parquet")
    trained = set(splits.loc[splits["split"] == "train", "path"])
    tested = set(splits.loc[splits["split"] == "test", "path"])
    assert trained & tested
    assert "leak" in (folder / "report.md").read_text().lower()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "digit"}, ["digit", "does not exist", "--data-dir"]),
        ({"classes": {"real": "real", "blured": "generated"}, "held_out": []},
         ["'blured'", "did you mean 'blurred'"]),
    ],
)  # fmt: skip
def test_bad_data_is_one_sentence(change, words, digits, tmp_path) -> None:
    table = {**TABLE, "data": {**TABLE["data"], **change}}
    with pytest.raises(GandetectError) as raised:
        run_study(parse_experiment(table), Options(tmp_path, data_dir=digits, jobs=2))
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_a_network_that_cannot_be_built_is_said_before_anything_is_read(tmp_path) -> None:
    one = {"recipe": "resnet18", "image_size": 16}
    with pytest.raises(GandetectError, match="image_size is 16; resnet18 takes 32 pixels"):
        run_study(parse_experiment({**TABLE, "classifiers": [one]}), Options(tmp_path))
    part = {"recipe": "resnet18", "trainable": ["layer5"], "weights": "none"}
    with pytest.raises(GandetectError, match="'layer5' names nothing in resnet18"):
        run_study(parse_experiment({**TABLE, "classifiers": [part]}), Options(tmp_path))
    assert not [*tmp_path.iterdir()]


def test_training_gans_that_there_are_none_of_is_refused(tmp_path) -> None:
    options = Options(tmp_path, stop_after="gans")
    with pytest.raises(GandetectError, match=r"no \[\[gans\]\] to train"):
        run_study(parse_experiment(TABLE), options)
