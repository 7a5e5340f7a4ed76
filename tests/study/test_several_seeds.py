"""A study with two seeds and everything that is scored beyond the last epoch, on real images."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shortcuts import context_in, in_this_process, with_linear_audits, without_figures

from gandetect.config import parse_experiment
from gandetect.data import overlap
from gandetect.errors import DataError
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.splits import SplitSource
from gandetect.stages import look
from gandetect.stages.class_data import ClassData
from gandetect.stages.overlap import CheckOverlap
from gandetect.study import Options, run_study

TABLE = {
    "name": "tiny-seeds",
    "seeds": [3, 5],
    "data": {"max_images": 1500},
    "gans": [
        {"architecture": "dcgan-bn", "epochs": 3, "steps_per_epoch": 2, "batch_size": 8},
        {"architecture": "dense", "epochs": 1, "steps_per_epoch": 2, "batch_size": 8},
    ],
    "classifiers": [
        {"recipe": "cnn-small", "name": "cnn", "fakes_from": ["dcgan-bn", "dense"],
         "epochs": 1, "max_images": 200},
    ],
    "quality": {"classifier_epochs": 1, "generated": 100},
    "evaluation": {
        "own_generated": 120, "other_generated": 60, "trajectory": "every 2",
        "trajectory_images": 50, "perturbations": ["noise"], "perturbed_images": 40,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        without_figures(patch)
        with_linear_audits(patch)
        return run_study(parse_experiment(TABLE), Options(tmp_path_factory.mktemp("runs"), jobs=2))


@pytest.fixture(scope="module")
def scores(run) -> pd.DataFrame:
    return pd.read_parquet(run / "scores.parquet")


@pytest.fixture(scope="module")
def metrics(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_the_generator_of_the_other_seed_is_met(scores):
    own = scores[(scores["detector"] == "dcgan-bn") & (scores["source"] == "generated:dcgan-bn")]
    counts = own.groupby(["detector_seed", "source_seed"]).size().to_dict()
    assert counts == {(3, 3): 120, (3, 5): 60, (5, 5): 120, (5, 3): 60}


def test_fakes_for_calibration_are_fresh_and_shared_among_generators(run, scores):
    gan = run / "generated" / "dcgan-bn" / "seed-3"
    drawn = [np.load(gan / name / "images.npy") for name in ("evaluation", "calibration")]
    flat = [{image.tobytes() for image in images} for images in drawn]
    assert not flat[0] & flat[1]
    fresh = scores[scores["source"] == "generated:calibration"]
    reals = scores[(scores["source"] == "real:calibration")].groupby("detector").size()
    assert fresh.groupby("detector").size().to_dict() == reals.to_dict()


def test_epochs_are_scored_as_the_final_detector_was(run, scores):
    table = pd.read_parquet(run / "trajectory.parquet")
    kept = table.groupby("detector")["epoch"].unique().map(sorted).to_dict()
    assert kept == {"dcgan-bn": [2, 3], "dense": [1]}
    on = ["detector", "detector_seed", "epoch", "source", "source_seed", "index"]
    both = table[table["source_epoch"] == 0].merge(scores, on=on, suffixes=("", "_final"))
    assert set(both["source"]) >= {"real:in-distribution", "real:held-out", "real:calibration"}
    np.testing.assert_allclose(both["score"], both["score_final"], rtol=1e-4, atol=1e-4)


def test_unprocessed_images_have_the_scores_of_the_study(run, scores):
    table = pd.read_parquet(run / "perturbed.parquet")
    assert set(table["perturbation"]) == {"none", "noise"}
    as_they_are = table[table["perturbation"] == "none"]
    on = ["detector", "detector_seed", "source", "source_seed", "index"]
    both = as_they_are.merge(scores, on=on, suffixes=("", "_study"))
    assert len(both) == len(as_they_are)
    np.testing.assert_allclose(both["score"], both["score_study"], rtol=1e-4, atol=1e-4)
    noisy = table[(table["perturbation"] == "noise") & (table["level"] == 20)]
    assert not np.allclose(noisy["score"].to_numpy(), as_they_are["score"].to_numpy())


def test_classes_are_those_of_the_images(run):
    classes = pd.read_parquet(run / "classes.parquet")
    held_out = {"Sneaker", "Bag", "Ankle boot"}
    assert set(classes.loc[classes["source"] == "real:held-out", "class_name"]) == held_out
    familiar = set(classes.loc[classes["source"] == "real:in-distribution", "class_name"])
    assert len(familiar) == 7
    assert not familiar & held_out


def test_every_generator_of_every_seed_is_audited(run):
    rows = json.loads((run / "audit.json").read_text())["rows"]
    assert {(row["source"], row["seed"]) for row in rows} == {
        (f"generated:{name}", seed) for name in ("dcgan-bn", "dense") for seed in (3, 5)
    }


def test_metrics_hold_all_that_was_computed(metrics):
    assert metrics["schema"] == 3
    for key in ("comparisons", "pairs_across_seeds", "overall_across_seeds", "calibration",
                "low_fpr", "k_shot", "costs", "by_class", "trajectories", "robustness", "audit",
                "audit_checks", "overlap", "cost_model"):  # fmt: skip
        assert metrics[key], key
    assert {row["covers"] for row in metrics["across_seeds"]} == {
        "runs and test images", "runs, calibration and test images"
    }  # fmt: skip


def test_the_report_shows_all_of_it(run):
    text = (run / "report.md").read_text()
    for title in (
        "Chance: runs and comparisons",
        "Chance: epochs",
        "Shortcuts: copies, order and trivial probes",
        "Shortcuts: processed images",
        "Real images flagged, by class",
        "Costs",
        "Probability calibration",
    ):
        assert f"### {title}" in text
    assert "could not be made" not in text
    assert "with nothing changed but the seed" in text


def test_overlapping_splits_stop_a_study_unless_it_is_told_to_go_on(run, tmp_path, monkeypatch):
    duplicate = overlap.Duplicate("held-out", 0, "training", 1, 0.0)
    monkeypatch.setattr("gandetect.stages.overlap.find_duplicates", lambda *_: [duplicate])
    data = ClassData(parse_experiment(TABLE).data)
    context = context_in(run, tmp_path)
    with pytest.raises(DataError, match="also stand in training"):
        CheckOverlap("refuse", data).run(context)
    assert not [*tmp_path.iterdir()]
    CheckOverlap("allow", data).run(context)
    facts = json.loads((tmp_path / "overlap.json").read_text())
    assert facts["images"] == [["held-out", 0]]


def test_scoring_keeps_images_that_its_scores_can_be_recomputed_from(run, scores):
    folder = run / "detectors" / "dense" / "seed-3"
    record = json.loads((folder / "record.json").read_text())
    files = {look.MISTAKES, look.SUREST, look.HARDEST}
    assert set(record["files"]) >= {*files, look.NEIGHBOURS, look.DISTANCES}
    table = scores[(scores["detector"] == "dense") & (scores["detector_seed"] == 3)]
    # Rows of another run are there, too, and must not be taken for its own.
    table = table[table["source_seed"].isin([0, 3])].set_index(["source", "index"])["score"]
    context = context_in(run)
    fakes = {
        f"generated:{name}": GeneratedSource(f"generated:{name}", 3, name, "evaluation", 60)
        for name in ("dcgan-bn", "dense")
    }
    reals = {f"real:{name}": SplitSource(name) for name in ("in-distribution", "held-out")}
    for file in files:
        with np.load(folder / file, allow_pickle=False) as kept:
            assert {key.split("/")[0] for key in kept.files} <= {*fakes, *reals}
            for name, source in {**fakes, **reals}.items():
                if f"{name}/indices" not in kept.files:
                    continue
                index, stored = kept[f"{name}/indices"], kept[f"{name}/scores"]
                np.testing.assert_allclose(stored, table[name].loc[index], rtol=1e-5)
                images = source.open(run, context.cache)
                few = index < len(images)
                np.testing.assert_array_equal(
                    kept[f"{name}/images"][few], images.array()[index[few]]
                )
    with np.load(folder / look.NEIGHBOURS, allow_pickle=False) as kept:
        best = table["generated:dense"].sort_values(kind="stable").index[:12]
        assert kept["best/indices"].tolist() == best.tolist()
