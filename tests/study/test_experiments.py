"""The experiment files: they load, they hold the published figures, and they run to a report."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from labelled_layouts import EXPERIMENTS, LAYOUTS, make_photographs, overrides

from gandetect.config import RECIPES, Experiment, LabelledDataConfig, load_experiment
from gandetect.data.images import find_images
from gandetect.engine import Context
from gandetect.events import Event
from gandetect.sources.labelled import read_table
from gandetect.stages.labelled_data import LabelledData
from gandetect.study import Options, run_study

FILES = sorted(EXPERIMENTS.glob("*.toml"))


def _no_warning(event: Event) -> None:
    assert event["event"] != "warning", event["message"]


# What the sources print: the accuracy on training, validation and test images (S2, S5) ...
ACCURACIES = {
    "cidaut": {
        "efficientnet-b2": (0.9981, 0.7639, 0.7808),
        "efficientnet-b2-augmented": (0.9782, 0.7361, 0.7083),
        "efficientnet-b0": (0.9940, 0.8361, 0.7778),
        "efficientnet-b0-head": (0.8860, 0.7917, 0.7808),
        "efficientnet-b0-head-100-epochs": (0.9282, 0.8611, 0.7920),
        "efficientnet-b0-head-512": (0.9981, 1.0, 0.9792),
    },
    "faces-cnn": {
        "cnn-small": (None, None, 0.57),
        "cnn-deep": (None, None, 0.53),
        "cnn-deep-augmented": (0.9562, 0.94, 0.948),
        "resnet18": (None, None, None),
    },
}
# ... and figures on test images, with the class that the source calls positive (S3, S4).
TEST_FIGURES = {
    "faces-resnet50": {
        "resnet50-faces": (
            "generated",
            {"accuracy": 0.68, "f1": 0.6225, "recall": 0.7042},
        ),
    },
    "ai-vs-real-resnet50": {
        "resnet50-frozen": (
            "real",
            {"accuracy": 0.675, "auroc": 0.74, "precision": 0.693, "recall": 0.627, "f1": 0.659},
        ),
        "resnet50-finetuned": (
            "real",
            {
                "accuracy": 0.773,
                "auroc": 0.863,
                "precision": 0.843,
                "recall": 0.671,
                "f1": 0.747,
                "specificity": 0.875,
            },
        ),
        "resnet50-staged": (
            "generated",
            {"precision": 0.98, "recall": 0.96, "f1": 0.97, "auroc": 0.99},
        ),
    },
}
WITH_A_POSITIVE_CLASS = {"precision", "recall", "f1", "specificity"}


def experiment(name: str) -> Experiment:
    return load_experiment(EXPERIMENTS / f"{name}.toml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_loads_under_its_own_name_and_says_what_it_asks(path) -> None:
    loaded = load_experiment(path)
    assert loaded.name == path.stem
    assert loaded.question.endswith(("?", ")"))
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_listed(path) -> None:
    assert f"`{path.name}`" in (EXPERIMENTS / "README.md").read_text(encoding="utf-8")


def test_every_recipe_is_used_and_told() -> None:
    used = {one.recipe for path in FILES for one in load_experiment(path).classifiers}
    assert used == set(RECIPES)
    readme = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert [recipe for recipe in RECIPES if f"`{recipe}`" not in readme] == []


@pytest.mark.parametrize("name", ACCURACIES)
def test_published_accuracies_stand_in_the_file(name) -> None:
    found = {
        one.name: tuple(
            next(
                (p.value for p in one.published if (p.metric, p.split) == ("accuracy", split)), None
            )
            for split in ("training", "validation", "test")
        )
        for one in experiment(name).classifiers
    }
    assert found == ACCURACIES[name]


@pytest.mark.parametrize("name", TEST_FIGURES)
def test_published_test_figures_stand_in_the_file_with_their_positive_class(name) -> None:
    found = {}
    for one in experiment(name).classifiers:
        assert {figure.split for figure in one.published} == {"test"}
        positive = {f.positive for f in one.published if f.metric in WITH_A_POSITIVE_CLASS}
        assert len(positive) == 1
        found[one.name] = (positive.pop(), {f.metric: f.value for f in one.published})
    assert found == TEST_FIGURES[name]


def test_only_figures_that_mean_the_same_are_called_comparable() -> None:
    comparable = {
        (path.stem, one.name, figure.split, figure.metric)
        for path in FILES
        for one in load_experiment(path).classifiers
        for figure in one.published
        if figure.comparable
    }
    assert comparable == {
        *(("cidaut", name, "test", "accuracy") for name in ACCURACIES["cidaut"]),
        ("faces-cnn", "cnn-small", "test", "accuracy"),
        ("faces-cnn", "cnn-deep", "test", "accuracy"),
    }


def test_what_is_not_comparable_says_why() -> None:
    for path in FILES:
        for one in load_experiment(path).classifiers:
            assert all(figure.comparable or figure.note for figure in one.published), path


def test_the_leak_is_all_that_tells_the_cautionary_tale_from_the_honest_one() -> None:
    leaky, honest = (
        tomllib.loads((EXPERIMENTS / f"{name}.toml").read_text(encoding="utf-8"))
        for name in ("leak", "leak-honest")
    )
    assert leaky["data"].pop("leak") == "augment-before-split"
    for table in (leaky, honest):
        del table["name"], table["question"]
    assert leaky == honest


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("patches") / "made"
    make_photographs(folder, size=32, limit=24)
    return folder


@pytest.mark.parametrize("name", LAYOUTS)
def test_reads_and_splits_a_folder_of_its_layout(name, patches, tmp_path) -> None:
    data = experiment(name).data
    assert isinstance(data, LabelledDataConfig)
    LAYOUTS[name](tmp_path / "data" / data.path, patches)
    (tmp_path / "run" / "data").mkdir(parents=True)
    run = tmp_path / "run"
    context = Context(run, run / "data", tmp_path / "data", tmp_path, "cpu", 1, 1, 1, _no_warning)
    LabelledData(data, copies=1).run(context)
    labels = read_table(run).groupby("split")["label"].unique()
    assert {split: set(found) for split, found in labels.items() if split != "held-out"} == {
        split: {"real", "generated"} for split in ("train", "validation", "test")
    }
    if data.unlabelled is not None:
        assert list(find_images([tmp_path / "data" / data.path / data.unlabelled]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*no calibrated threshold", "ignore:.*are copies of real")
@pytest.mark.parametrize("name", LAYOUTS)
def test_runs_to_a_report_on_a_small_folder_of_its_layout(name, patches, tmp_path) -> None:
    changes = overrides(experiment(name).classifiers)
    small = load_experiment(EXPERIMENTS / f"{name}.toml", changes)
    small = small.model_copy(update={"variants": ()})
    assert isinstance(small.data, LabelledDataConfig)
    LAYOUTS[name](tmp_path / "data" / small.data.path, patches)
    options = Options(tmp_path / "runs", data_dir=tmp_path / "data", jobs=2, home=EXPERIMENTS)
    run = run_study(small, options)
    assert (run / "report.html").stat().st_size > 0
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    tested = {row["detector"] for row in metrics["splits"] if row["split"] == "test"}
    assert tested >= {one.name for one in small.classifiers}
    assert json.loads((run / "data.json").read_text(encoding="utf-8"))["left_out"] == []


def test_every_experiment_on_labelled_images_has_a_layout() -> None:
    labelled = {p.stem for p in FILES if isinstance(load_experiment(p).data, LabelledDataConfig)}
    assert labelled == set(LAYOUTS)
