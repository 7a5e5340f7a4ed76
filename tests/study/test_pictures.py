"""Studies of one's own pictures: real photographs in colour, decoded once, split by photograph."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_layouts import EXPERIMENTS, photographs_module
from PIL import Image
from shortcuts import Kept, in_this_process, make_stages, without_audits, without_figures

from gandetect import runs
from gandetect.config import Experiment, load_experiment, parse_experiment
from gandetect.data.stored import StoredImages
from gandetect.detectors.folder import load_detector
from gandetect.errors import DataError, GandetectError, UsageError
from gandetect.sources import picture_cache
from gandetect.sources.splits import OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.study import Options, plan_study, run_study
from gandetect.study.compose import compose

DATA = {
    "name": "folder",
    "path": "photos",
    "image_size": 32,
    "held_out": ["instrument"],
    "group_pattern": "^([a-z]+)-",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    photographs_module().make_kinds(folder, size=32)
    for path in folder.rglob("*.png"):  # every fourth patch is enough
        if int(path.stem.rpartition("-")[2]) % 4:
            path.unlink()
    return folder


@pytest.fixture
def data_dir(made, tmp_path) -> Path:
    """A data folder of one's own, its files linked."""
    shutil.copytree(made, tmp_path / "data" / "photos", copy_function=shutil.copy2)
    return tmp_path / "data"


def experiment(**data) -> Experiment:
    table = {
        "name": "tiny-photos",
        "data": {**DATA, **data},
        "gans": [
            {"architecture": "dcgan-bn", "epochs": 1, "steps_per_epoch": 2, "batch_size": 16},
            {"architecture": "dense", "epochs": 1, "steps_per_epoch": 2, "batch_size": 16},
        ],
        "classifiers": [
            {"recipe": "cnn-small", "fakes_from": ["dcgan-bn"], "epochs": 1, "max_images": 60}
        ],
        "quality": {"classifier_epochs": 1, "generated": 100},
        "evaluation": {"own_generated": 60, "other_generated": 60, "overlap": "allow"},
    }
    return parse_experiment(table)


class Prepared:
    """The splits that the data stage of a study leaves, and its digest."""

    def __init__(self, data_dir: Path, listener: Kept | None = None, **data) -> None:
        run, stage = data_dir / "run", ClassData(experiment(**data).data)
        cache = make_stages(run, data_dir, stage, listener=listener or Kept())
        self.digest = runs.read_json(run / "data" / "record.json")["digest"]
        self.splits = OpenSplits(run / "data", cache)
        self.training = self.splits.images("training")


prepare = Prepared


def forbid_decoding(monkeypatch) -> None:
    def decode(*given, **options):
        raise AssertionError("pictures are decoded again")

    monkeypatch.setattr(picture_cache, "decode_pictures", decode)


def test_photographs_stay_whole_and_the_kinds_held_out_are_not_trained_on(data_dir) -> None:
    images = prepare(data_dir)
    assert isinstance(images.training, StoredImages)
    assert images.training.shape[1:] == (3, 32, 32)
    table = pd.read_parquet(data_dir / "run" / "data" / "splits.parquet")
    files = pd.read_parquet(next((data_dir / "cache").glob("photos-*")) / "files.parquet")
    table["photograph"] = files["path"].str.extract(r"/([a-z]+)-")[0].to_numpy()[table["index"]]
    sides = table.groupby("photograph")["split"].nunique()
    assert len(sides) == 10
    assert (sides == 1).all()
    by_kind = table.groupby("split")["class_name"].unique().map(list).to_dict()
    assert by_kind["held-out"] == ["instrument"]
    assert by_kind["train"] == by_kind["in-distribution"] == by_kind["calibration"] == ["everyday"]


def test_stored_pixels_are_those_of_the_files(data_dir) -> None:
    images = prepare(data_dir)
    table = pd.read_parquet(data_dir / "run" / "data" / "splits.parquet")
    files = pd.read_parquet(next((data_dir / "cache").glob("photos-*")) / "files.parquet")
    row = table[table["split"] == "train"]["index"].iloc[3]
    with Image.open(data_dir / "photos" / files["path"][row]) as picture:
        np.testing.assert_array_equal(images.training[3], np.asarray(picture).transpose(2, 0, 1))


def test_what_was_decoded_is_not_decoded_again_even_if_files_were_copied(
    data_dir, tmp_path, monkeypatch
) -> None:
    digest = prepare(data_dir).digest
    forbid_decoding(monkeypatch)
    assert prepare(data_dir).digest == digest
    for path in (data_dir / "photos").rglob("*.png"):
        os.utime(path, (1, 1))  # touched: the same bytes, as content tells
    assert prepare(data_dir).digest == digest
    assert prepare(data_dir, test_fraction=0.2).digest != digest  # another split of the same pixels


def test_another_picture_or_another_size_is_another_cache(data_dir) -> None:
    before = prepare(data_dir)
    victim = sorted((data_dir / "photos" / "everyday").iterdir())[0]
    Image.new("RGB", (32, 32), "red").save(victim)
    assert prepare(data_dir).digest != before.digest
    prepare(data_dir, image_size=64, fit="stretch")
    assert len(list((data_dir / "cache").glob("photos-*"))) == 3


def test_a_cache_that_was_cut_off_is_named_and_made_afresh(data_dir) -> None:
    digest = prepare(data_dir).digest
    file = next((data_dir / "cache").glob("photos-*")) / "images.npy"
    whole = runs.file_digest(file)
    with file.open("r+b") as opened:
        opened.truncate(1000)
    listener = Kept()
    assert prepare(data_dir, listener).digest == digest
    assert "'images.npy' was changed or truncated; it is built again" in listener.warnings[0]
    assert runs.file_digest(file) == whole


def test_pixels_that_were_changed_in_place_are_found_by_a_new_study(data_dir) -> None:
    prepare(data_dir)
    file = next((data_dir / "cache").glob("photos-*")) / "images.npy"
    facts = file.stat()
    pixels = bytearray(file.read_bytes())
    pixels[-1] ^= 1
    with file.open("r+b") as opened:
        opened.write(pixels)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(DataError, match=r"1 of .* decoded pictures in .* are not those"):
        prepare(data_dir, test_fraction=0.2)


def test_an_interrupted_cache_leaves_nothing_that_could_be_taken_for_one(
    data_dir, monkeypatch
) -> None:
    def interrupt(paths, target, **options):
        target.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(picture_cache, "decode_pictures", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(data_dir)
    assert [path.name for path in (data_dir / "cache").iterdir()] in ([], [".lock"])
    left = data_dir / "cache" / ".photos-building.0123abcd.tmp"  # of a process that was killed
    left.mkdir()
    prepare(data_dir)
    assert not left.exists()


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_record_or_listing_is_as_good_as_none(data_dir, content) -> None:
    digest = prepare(data_dir).digest
    cache = next((data_dir / "cache").glob("photos-*"))
    next((data_dir / "cache" / "listing").iterdir()).write_text(content)
    assert prepare(data_dir).digest == digest
    (cache / "record.json").write_text(content)
    listener = Kept()
    assert prepare(data_dir, listener).digest == digest
    assert "it is built again" in listener.warnings[0]


def test_what_cannot_be_read_is_named_and_read_when_it_can_be(
    data_dir, without_privileges, monkeypatch
) -> None:
    monkeypatch.chdir(data_dir)
    folder = data_dir / "photos" / "everyday"
    os.mkfifo(folder / "pipe.png")
    (folder / "lost.png").symlink_to("nowhere")
    secret = folder / "coffee-000.png"
    secret.chmod(0)
    for path in [data_dir, *data_dir.rglob("*")]:
        if path.is_dir():
            path.chmod(0o777)
    before, after = Kept(), Kept()
    with without_privileges():
        first = prepare(Path(), before)
    assert "3 file(s) are left out: everyday/coffee-000.png: cannot be read" in before.warnings[0]
    secret.chmod(0o644)
    with without_privileges():
        assert prepare(Path(), after).digest != first.digest
    assert "2 file(s) are left out: everyday/lost.png" in after.warnings[0]


def test_the_first_images_of_a_split_are_of_all_its_photographs(data_dir) -> None:
    images = prepare(data_dir)
    files = pd.read_parquet(next((data_dir / "cache").glob("photos-*")) / "files.parquet")
    photographs = files["path"].str.extract(r"/([a-z]+)-")[0].to_numpy()
    first, whole = (
        set(photographs[rows]) for rows in (images.training.rows[:60], images.training.rows)
    )
    assert first == whole
    assert len(whole) == 5


def test_a_detector_remembers_how_pictures_were_made_to_fit(data_dir) -> None:
    for given, fit in (({"image_size": 28, "fit": "crop"}, "crop"), ({}, "pad")):
        (score, *_) = compose(experiment(**given)).report.scores
        assert score.preprocessing.fit == fit


def test_without_room_it_is_said_before_anything_is_decoded(data_dir, monkeypatch) -> None:
    forbid_decoding(monkeypatch)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1_000_000))
    with pytest.raises(UsageError, match=r"decoded pictures needs 0.00 GB in .* 0.00 GB are free"):
        prepare(data_dir)


def test_pictures_that_cannot_be_decoded_are_named_and_left_out(data_dir) -> None:
    folder = data_dir / "photos" / "everyday"
    (folder / "china-999.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    listener = Kept()
    images = prepare(data_dir, listener)
    assert "1 file(s) are left out: everyday/china-999.png" in listener.warnings[0]
    facts = runs.read_json(data_dir / "run" / "data" / "data.json")
    assert [entry["path"] for entry in facts["left_out"]] == ["everyday/china-999.png"]
    assert facts["files"]["sizes"] == {
        "32 x 32": len(images.splits.images("training", "held-out")) + _others(facts)
    }


def test_files_that_are_no_pictures_are_told_and_pictures_need_no_suffix(data_dir) -> None:
    folder = data_dir / "photos" / "everyday"
    picture = sorted(folder.glob("*.png"))[0]
    picture.rename(folder / "no-suffix")
    (folder / "notes.txt").write_text("words")
    listener = Kept()
    prepare(data_dir, listener)
    assert listener.warnings[0] == "1 file is no picture: .txt"
    facts = runs.read_json(data_dir / "run" / "data" / "data.json")
    assert facts["left_out"] == []


def test_every_row_of_a_split_has_the_pixels_of_its_file_whatever_was_left_out(data_dir) -> None:
    """A file that cannot be decoded, in the middle, must not shift those behind it."""
    folder = data_dir / "photos" / "everyday"
    victim = sorted(folder.glob("*.png"))[5]
    victim.write_bytes(b"\x89PNG\r\n\x1a\nno more")
    images = prepare(data_dir)
    table = pd.read_parquet(data_dir / "run" / "data" / "splits.parquet")
    files = pd.read_parquet(next((data_dir / "cache").glob("photos-*")) / "files.parquet")
    paths = files.loc[files["error"].isna(), "path"].tolist()
    for split, name in (("train", "training"), ("held-out", "held-out")):
        rows = table[table["split"] == split]
        pixels = images.splits.images(name)
        order = np.argsort(images.splits.rows(name))  # the table stands in the order of the files
        for place, row in zip(order.tolist(), rows.sort_values("index")["index"], strict=True):
            with Image.open(data_dir / "photos" / paths[row]) as picture:
                expected = np.asarray(picture).transpose(2, 0, 1)
            np.testing.assert_array_equal(pixels[place], expected)


def _others(facts) -> int:
    counts = facts["counts"]["everyday"]
    return counts["in-distribution"] + counts["calibration"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_size": 64}, "has 32 x 32 pixels and image_size is 64; say how"),
        ({"image_size": 30}, "image_size is 30, .* such as 28 or 32"),
        ({"image_size": 300}, "less than or equal to 128"),
        ({"held_out": ["instruments"]}, "not in folder; its classes are: everyday, instrument"),
        ({"classes": ["everyday", "eye"]}, "class 'eye' has no folder in"),
        ({"classes": ["everyday", "everyday"]}, "names 'everyday' twice"),
        ({"test_fraction": 0.6, "calibration_fraction": 0.5}, "leave nothing to train on"),
        ({"path": "fotos"}, "folder .*fotos' of pictures cannot be read"),
        ({"group_pattern": "("}, "is not a regular expression"),
        ({"group_pattern": "xyz"}, r"fits 0 of [0-9,]+ file names"),
    ],
)
def test_bad_input_is_one_clear_sentence(data_dir, change, said) -> None:
    def run() -> None:
        plan_study(experiment(**change), Options(data_dir / "runs", data_dir))
        prepare(data_dir, **change)

    with pytest.raises(GandetectError, match=said):
        run()


def test_pictures_without_gans_need_labels_and_with_gans_they_have_none() -> None:
    labelled = {"name": "folder", "path": "photos", "classes": {"a": "real", "b": "generated"}}
    with pytest.raises(UsageError, match=r"\[\[gans\]\] make the fakes of a study, and these data"):
        parse_experiment({"name": "x", "data": labelled, "gans": [{"architecture": "dcgan-bn"}]})
    with pytest.raises(UsageError, match="pictures of a folder are all real, and there are no"):
        parse_experiment({"name": "x", "data": DATA})


def test_a_cnn_sees_the_size_of_the_data_unless_it_says_another() -> None:
    table = {"name": "x", "data": {**DATA, "image_size": 64}, "gans": [{"architecture": "vae"}]}
    cnn = {"recipe": "cnn-small", "fakes_from": ["vae"]}
    others = [{**cnn, "name": "b", "image_size": 48}, {**cnn, "name": "c", "recipe": "resnet18"}]
    sizes = [
        one.image_size
        for one in parse_experiment({**table, "classifiers": [cnn, *others]}).classifiers
    ]
    assert sizes == [64, 48, 64]
    grey = {**table, "data": {"name": "digits", "held_out": [8]}, "classifiers": [cnn]}
    assert parse_experiment(grey).classifiers[0].image_size == 28
    assert (
        parse_experiment({**table, "data": {}, "classifiers": [cnn]}).classifiers[0].image_size
        == 28
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "photos"])
def test_the_experiment_runs_to_a_report(name, data_dir, tmp_path) -> None:
    small = [
        f"gans.{number}.{key}" for number in (0, 1) for key in ("epochs=2", "steps_per_epoch=5")
    ]
    small += ["classifiers.0.epochs=1", "evaluation.own_generated=60", "quality.generated=100"]
    loaded = load_experiment(EXPERIMENTS / f"{name}.toml", small)
    run = run_study(loaded, Options(tmp_path / "runs", data_dir, jobs=2))
    assert (run / "report.html").stat().st_size > 0


def test_a_study_in_colour_is_complete_and_its_detector_takes_colour(
    data_dir, monkeypatch, tmp_path
) -> None:
    in_this_process(monkeypatch)
    without_figures(monkeypatch)
    without_audits(monkeypatch)
    # What pages of studies in colour say: tests/toys.
    monkeypatch.setattr("gandetect.analyses.build.PARTS", ())
    folder = run_study(experiment(), Options(tmp_path / "runs", data_dir, "cpu", 1), Kept())
    scores = pd.read_parquet(folder / "scores.parquet")
    assert set(scores["detector"]) == {"dcgan-bn", "dense", "cnn-small"}
    assert np.isfinite(scores["score"]).all()
    detector = load_detector(folder / "detectors" / "dcgan-bn" / "seed-0")
    assert detector.description.preprocessing.channels == 3
    assert detector.description.preprocessing.image_size == 32
    with Image.open(folder / "gans" / "dcgan-bn" / "seed-0" / "samples.gif") as animation:
        assert np.ptp(np.asarray(animation.convert("RGB")), axis=2).any(), "it lost its colours"
    assert (folder / "report.html").exists()
