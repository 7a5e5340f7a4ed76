"""Images from elsewhere as columns of a study: those that another run has generated, and others."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from shortcuts import context_in, in_this_process, without_audits, without_figures

import gandetect
from gandetect.cli import main
from gandetect.config import parse_experiment
from gandetect.config.variants import expand
from gandetect.detectors.folder import load_detector
from gandetect.report.facts import same_fakes_of
from gandetect.sources.foreign import ForeignSource
from gandetect.study import Options, run_study
from gandetect.study.compose import compose

N = 60
BASE = {
    "data": {"name": "digits", "held_out": ["9"]},
    "gans": [{"architecture": "dense", "epochs": 2, "steps_per_epoch": 2, "batch_size": 16}],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {"own_generated": 30, "other_generated": 30, "training_reals": 30},
}
TABLE = {
    **BASE,
    "name": "with-others",
    "sources": [
        {"name": "folder", "label": "generated", "path": "fakes", "train": True,
         "test_fraction": 0.5},
        {"name": "table", "label": "generated", "path": "table/images.parquet"},
        {"name": "function", "label": "generated", "count": 30,
         "object": "generators_of_others:seeded"},
        {"name": "photos", "label": "real", "path": "photos.npz"},
    ],
    "classifiers": [
        {"recipe": "cnn-small", "fakes_from": ["folder", "dense"], "epochs": 1, "max_images": 60}
    ],
    "detectors": [
        {"kind": "fine-tuned", "name": "tuned", "gan": "dense", "fakes_from": ["folder"],
         "updates": 2, "n_images": 40, "keep": "best"}
    ],
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _shortcuts():
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_figures(patch)
        without_audits(patch)
        place = Path(__file__).parents[1] / "sources"
        patch.setattr(sys, "path", [str(place), *sys.path])
        yield


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    """A study that makes the generator."""
    experiment = parse_experiment({**BASE, "name": "first"})
    return run_study(experiment, Options(tmp_path_factory.mktemp("first"), stop_after="gans"))


@pytest.fixture(scope="module")
def data_dir(first, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("data")
    generate(first, place / "fakes")
    generate(first, place / "table", "--format", "parquet", "--epoch", "1")
    photos = np.random.default_rng(0).integers(0, 99, (N, 3, 20, 30), dtype=np.uint8)
    np.savez(place / "photos.npz", photos)
    return place


@pytest.fixture(scope="module")
def run(data_dir, tmp_path_factory) -> Path:
    options = Options(tmp_path_factory.mktemp("runs"), data_dir=data_dir)
    return run_study(parse_experiment(TABLE), options)


def generate(run: Path, out: Path, *flags: str, code: int = 0) -> str:
    generator = str(run / "gans" / "dense" / "seed-0")
    asked = ["generate", generator, "--count", str(N), "--out", str(out), "--seed", "7", *flags]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize("detector", ["dense", "cnn-small", "tuned"])
@pytest.mark.parametrize("source", ["generated:folder", "generated:table"])
def test_what_was_generated_scores_as_in_memory(run, first, detector, source) -> None:
    epoch = 1 if source.endswith("table") else None
    folder = first / "gans" / "dense" / "seed-0"
    images = gandetect.generate_images(str(folder), N, seed=7, epoch=epoch)
    scores = pd.read_parquet(run / "scores.parquet")
    scored = scores[(scores["detector"] == detector) & (scores["source"] == source)]
    loaded = load_detector(run / "detectors" / detector / "seed-0")
    expected = loaded.decision_function(images[scored["index"].to_numpy()])
    np.testing.assert_allclose(scored["score"], expected, rtol=1e-5, atol=1e-5)


def test_every_detector_is_scored_on_the_test_part_of_every_source(run) -> None:
    scores = pd.read_parquet(run / "scores.parquet")
    counts = pd.crosstab(scores["source"], scores["detector"])
    expected = {"generated:folder": 30, "generated:table": N, "generated:function": 30,
                "real:photos": N}  # fmt: skip
    for source, count in expected.items():
        assert set(counts.loc[source]) == {count}, source


def pixels_by_split(run: Path) -> dict[str, set[bytes]]:
    place, parts = "sources/folder/28px", {}
    for split in ("train", "validation", "test"):
        part = ForeignSource("generated:folder", 0, place, split).open(run, run)
        parts[split] = {one.tobytes() for one in part.array()[part.all_rows()]}
    return parts


def test_training_and_test_images_are_not_the_same(run) -> None:
    parts = pixels_by_split(run).values()
    assert sum(map(len, parts)) == len(set.union(*parts)) == N


def test_no_test_image_is_learnt_and_each_maker_gives_as_many(run, data_dir) -> None:
    (stage,) = compose(parse_experiment(TABLE)).classifiers
    context = replace(context_in(run), cache=data_dir / "cache")
    loaded = stage.examples.load(stage.config, 0, context)
    parts = pixels_by_split(run)
    for examples, own in ((loaded.training, "train"), (loaded.validation, "validation")):
        fakes = [one.tobytes() for one in examples.pixels()[examples.label == 1]]
        assert sum(one in parts[own] for one in fakes) == len(fakes) // 2
        others = set.union(*(parts[split] for split in parts if split != own))
        assert not others & set(fakes)


def test_who_learns_from_a_source_knows_it(run) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    own = {row["detector"]: row["own"] for row in metrics["detectors"]}
    assert own["cnn-small"] == ["generated:folder", "generated:dense"]
    assert own["tuned"] == ["generated:dense", "generated:folder"]
    roles = {(row["detector"], row["source"]): row["role"] for row in metrics["cells"]}
    assert roles["cnn-small", "generated:folder"] == "own"
    assert roles["tuned", "generated:folder"] == "own"
    assert roles["dense", "generated:folder"] == "other"
    assert roles["tuned", "generated:table"] == "other"


def test_it_is_reported_as_any_other_source(run) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert "photos" in {row["class_name"] for row in metrics["by_class"]}
    report = (run / "report.md").read_text()
    assert "Real, photos" in report.split("\n\n## ")[1]
    assert "Generated by table" in report
    assert "| folder | generated | 24 | 6 | 30 | 0 |" in report
    with np.load(run / "detectors" / "dense" / "seed-0" / "hardest.npz") as kept:
        assert "generated:folder/images" in kept.files
        assert "real:photos/images" in kept.files
    with np.load(run / "data-samples.npz") as samples:
        assert samples["real:photos"].shape == (10, 1, 28, 28)


def test_fakes_from_elsewhere_are_audited_and_the_same_for_every_seed() -> None:
    experiment = parse_experiment({**TABLE, "seeds": [0, 1]})
    report = compose(experiment).report
    audited = {(one.generated.name, getattr(one.generated, "split", "")) for one in report.audits}
    assert {("generated:folder", "train"), ("generated:table", "test")} <= audited
    assert "real:photos" not in {name for name, _ in audited}
    for stage in report.scores:
        seeds = {one.name: one.seed for one in stage.sources if isinstance(one, ForeignSource)}
        assert seeds["generated:folder"] == stage.trained.seed
        assert seeds["real:photos"] == 0
    assert set(same_fakes_of(experiment)) >= {"generated:folder", "generated:table"}


def test_the_same_command_changes_nothing_and_another_file_makes_it_afresh(run, data_dir) -> None:
    record = run / "sources" / "table" / "28px" / "record.json"
    before, options = record.read_bytes(), Options(run.parent, data_dir=data_dir)
    assert run_study(parse_experiment(TABLE), options) == run
    assert record.read_bytes() == before


def test_the_same_seed_gives_the_same_files(first, data_dir, tmp_path) -> None:
    generate(first, tmp_path / "again")
    files = sorted((tmp_path / "again").iterdir())
    assert len(files) == N
    assert all(one.read_bytes() == (data_dir / "fakes" / one.name).read_bytes() for one in files)
    drawn = gandetect.generate_images(first / "gans" / "dense" / "seed-0", N, seed=7)
    with Image.open(files[4]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), drawn[4, 0])
    assert not np.array_equal(
        gandetect.generate_images(first / "gans" / "dense" / "seed-0", N, seed=8), drawn
    )


def test_scores_and_a_walk_stand_beside_them(run, first, tmp_path) -> None:
    detector, walk = run / "detectors" / "dense" / "seed-0", tmp_path / "walk.gif"
    flags = ["--score", str(detector), "--interpolate", str(walk)]
    said = generate(first, tmp_path / "scored", *flags)
    assert "60 images of seed 7 in 61 file(s)" in said
    table = pd.read_csv(tmp_path / "scored" / "scores.csv")
    images = gandetect.generate_images(first / "gans" / "dense" / "seed-0", N, seed=7)
    expected = load_detector(detector).decision_function(images)
    np.testing.assert_allclose(table["score"], expected, atol=1e-5)
    assert list(table["path"][:2]) == ["000000.png", "000001.png"]
    with Image.open(walk) as picture:
        assert picture.n_frames > 10


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--epoch", "9"], "has no epoch 9; it has: 1, 2"),
        (["--interpolate", "walk.png"], "is no .gif file"),
        (["--score", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_generated_is_one_sentence(first, tmp_path, flags, sentence) -> None:
    out = tmp_path / "out"
    generator = str(first / "gans" / "dense" / "seed-0")
    asked = ["generate", generator, "--count", "2", "--out", str(out), *flags]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code in (1, 2)
    assert sentence in result.output
    assert not out.exists()


def test_nothing_is_overwritten_unasked(first, tmp_path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    assert "exists already; give another name, or --force" in generate(first, tmp_path, code=1)
    said = generate(first, tmp_path, "--force", code=1)
    assert "also holds other files, such as 'note.txt'" in said
    generate(first, tmp_path / "new")
    generate(first, tmp_path / "new", code=1)
    generate(first, tmp_path / "new", "--force", "--format", "parquet")
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["images.parquet"]


def test_a_folder_that_is_no_generator_is_told(run, tmp_path) -> None:
    for place in (run, tmp_path, run / "detectors" / "dense" / "seed-0"):
        result = CliRunner().invoke(
            main, ["generate", str(place), "--count", "1", "--out", str(tmp_path / "x")]
        )
        assert result.exit_code in (1, 2)
        assert "is no generator of a run" in result.output


@pytest.fixture(scope="module")
def labelled(data_dir, tmp_path_factory) -> Path:
    """A study of labelled images at two sizes, of which one classifier also learns the source."""
    rng = np.random.default_rng(0)
    for kind, most in (("real", 255), ("fake", 99)):
        (data_dir / "set" / kind).mkdir(parents=True)
        for number in range(N):
            pixels = rng.integers(0, most, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(data_dir / "set" / kind / f"{number}.png")
    cnn = {"recipe": "cnn-small", "epochs": 1, "batch_size": 16}
    table = {
        "name": "labelled",
        "data": {
            "name": "folder",
            "path": "set",
            "classes": {"real": "real", "fake": "generated"},
            "validation_fraction": 0.4,
        },
        "classifiers": [
            {**cnn, "name": "both", "image_size": 32, "fakes_from": ["folder"]},
            {**cnn, "name": "one", "image_size": 24},
        ],
        "sources": TABLE["sources"][:1],
    }
    options = Options(tmp_path_factory.mktemp("runs"), data_dir=data_dir)
    return run_study(parse_experiment(table), options)


@pytest.mark.filterwarnings("ignore:The probe", "ignore:.* has no calibrated threshold")
def test_on_labelled_images_a_source_is_a_column_and_can_be_learnt(labelled) -> None:
    metrics = json.loads((labelled / "metrics.json").read_text())
    own = {row["detector"]: row["own"] for row in metrics["detectors"]}
    assert own == {"both": ["generated:fake", "generated:folder"], "one": ["generated:fake"]}
    counts = {(row["detector"], row["source"]): (row["n"], row["role"]) for row in metrics["cells"]}
    assert counts["both", "generated:folder"] == (30, "own")
    assert counts["one", "generated:folder"] == (30, "other")
    table = pd.read_parquet(labelled / "data" / "splits.parquet")
    trained = {
        name: json.loads((labelled / f"classifiers/{name}/seed-0/record.json").read_text())["n"]
        for name in ("both", "one")
    }
    assert trained["one"] == (table["split"] == "train").sum()
    assert trained["both"] == trained["one"] + 24
    scores = pd.read_parquet(labelled / "scores.parquet")
    validation = scores[scores["source"] == "generated:validation"].groupby("detector").size()
    assert validation["both"] == validation["one"] + 6
    report = (labelled / "report.md").read_text()
    assert "Generated by folder" in report
    assert "Fakes of class fake" in report


def test_left_out_it_stays_a_source_of_the_variant() -> None:
    changes = {"classifiers": [{"name": "cnn-small", "fakes_from": ["dense"]}]}
    parts = expand(parse_experiment({**TABLE, "variants": [{"name": "v", "changes": changes}]}))
    assert parts["v"].sources == parts["baseline"].sources
    assert [one.name for one in parts["v"].classifiers] == ["cnn-small"]
    assert parts["v"].known_to("cnn-small") == ("dense",)
    assert parts["v"].gans[0].role == "source"
