"""Cells, pairs, tables and comparisons over several training runs."""

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate
from sklearn.metrics import roc_auc_score

from gandetect.analyses.comparisons.numbers import compare_all
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.scores import OTHER_SEED, source_keys

SEEDS = (0, 1, 2)


@pytest.fixture
def scores(make_scores) -> pd.DataFrame:
    return make_scores(np.random.default_rng(3), seeds=SEEDS)


def with_another_generator(scores: pd.DataFrame) -> pd.DataFrame:
    """The own generator of the next seed joins, and is harder to catch."""
    own = scores[scores["source"] == "generated:" + scores["detector"].astype(str)]
    another = own.assign(source_seed=(own["source_seed"] + 1) % 3, score=own["score"] - 2.0)
    return pd.concat([scores, another], ignore_index=True)


def test_every_cell_has_an_interval_that_covers_runs_and_images(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    for row in metrics["across_seeds"]:
        chosen = row["operating_point"] != "native"
        assert row["covers"] == f"runs{', calibration' * chosen} and test images"
        assert row["ci95"][0] <= row["mean"] <= row["ci95"][1]
        assert row["mean"] == pytest.approx(np.mean(row["correct"]))
    assert {len(row["correct"]) for row in metrics["across_seeds"]} == {3}


def test_one_seed_is_said_to_cover_images_only(scores):
    metrics = evaluate(scores[scores["detector_seed"] == 0], calibrated_fpr=0.05)
    assert {(row["operating_point"], row["covers"]) for row in metrics["across_seeds"]} == {
        ("native", "test images"), ("calibrated", "calibration and test images"),
    }  # fmt: skip
    cells = {(c["detector"], c["source"], c["operating_point"]): c for c in metrics["cells"]}
    row = metrics["across_seeds"][0]
    assert row["ci95"] == cells[row["detector"], row["source"], row["operating_point"]]["ci95"]


def test_pairs_and_tables_have_a_mean_and_an_interval(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    pair = metrics["pairs_across_seeds"][0]
    single = [
        p["auroc"]
        for p in metrics["pairs"]
        if all(p[key] == pair[key] for key in ("detector", "generated", "real"))
    ]
    assert pair["auroc"] == single
    assert pair["ci95"]["auroc"][0] < pair["mean_auroc"] < pair["ci95"]["auroc"][1]
    accuracy = next(r for r in metrics["overall_across_seeds"] if r["metric"] == "accuracy")
    assert accuracy["ci95"][0] < accuracy["mean"] < accuracy["ci95"][1]


def test_a_generator_of_another_run_is_a_source_of_its_own(scores):
    table = with_another_generator(scores)
    assert set(source_keys(table)) - set(scores["source"]) == {
        f"generated:{name}{OTHER_SEED}" for name in "ab"
    }
    metrics = evaluate(table, calibrated_fpr=0.05)
    rows = {
        r["role"]: r
        for r in metrics["across_seeds"]
        if (r["detector"], r["operating_point"]) == ("a", "native")
    }
    assert rows["own-other-seed"]["mean"] < rows["own"]["mean"]
    before = evaluate(scores, calibrated_fpr=0.05)
    assert metrics["overall"] == before["overall"]


def test_the_auroc_of_a_run_is_scikit_learns(scores):
    pair = evaluate(scores, calibrated_fpr=0.05)["pairs_across_seeds"][0]
    mine = scores[(scores["detector"] == pair["detector"]) & (scores["detector_seed"] == 1)]
    both = mine[mine["source"].isin([pair["generated"], pair["real"]])]
    expected = roc_auc_score(both["label"] == "generated", both["score"])
    assert pair["auroc"][1] == pytest.approx(expected)


def runs_of(name, shift, rng, *, seeds=SEEDS, own=("generated:a",), noise=None):
    """DetectorRuns whose scores are a common part, a shift, and some noise of their own."""
    images = {}
    for seed in seeds:
        common = np.random.default_rng([seed, 1])
        images[seed] = {
            "generated:a": ScoredImages(np.arange(400), common.normal(1.0, 1, 400) + shift),
            "real:in-distribution": ScoredImages(
                np.arange(300), np.random.default_rng(9).normal(-1.0, 1, 300)
            ),
        }
        if noise:
            images[seed]["generated:a"].scores[:] += rng.normal(0, noise)
    return DetectorRuns(
        name, own, {seed: {"native": 0.0} for seed in seeds}, images, same_fakes=False
    )


def verdicts(rows):
    return {(row["source"], row["metric"]): row["verdict"] for row in rows}


def test_a_clearly_better_detector_is_named():
    rng = np.random.default_rng(0)
    better, worse = runs_of("better", 1.0, rng), runs_of("worse", 0.0, rng)
    rows = compare_all({"better": better, "worse": worse})
    found = verdicts(rows)
    assert found["generated:a", "auroc"] == "better"
    assert found["generated:a", "correct (native)"] == "better"
    # Both answer the same reals alike.
    assert found["real:in-distribution", "correct (native)"] is None
    assert all(row["p_holm"] >= row["p"] for row in rows)


def test_runs_that_disagree_cannot_tell():
    rng = np.random.default_rng(4)
    rows = compare_all({"a": runs_of("a", 0.0, rng, noise=1.5), "b": runs_of("b", 0.1, rng)})
    assert verdicts(rows)["generated:a", "auroc"] is None


def test_one_run_gives_no_verdict_however_large_the_difference():
    rng = np.random.default_rng(0)
    rows = compare_all({
        "a": runs_of("a", 3.0, rng, seeds=(0,)), "b": runs_of("b", 0.0, rng, seeds=(0,)),
    })  # fmt: skip
    assert {row["covers"] for row in rows} == {"test images"}
    assert set(verdicts(rows).values()) == {None}


def test_pairing_counts_only_images_that_both_have_scored():
    rng = np.random.default_rng(0)
    a, b = runs_of("a", 0.5, rng), runs_of("b", 0.0, rng)
    for seed in SEEDS:
        b.images[seed]["generated:a"] = b.images[seed]["generated:a"].only(np.arange(50, 250))
    row = next(r for r in compare_all({"a": a, "b": b}) if r["metric"] == "auroc")
    for seed, difference in zip(SEEDS, row["differences"], strict=True):
        reals = a.images[seed]["real:in-distribution"].scores
        labels = np.repeat([1, 0], [200, 300])
        scores = [
            np.concatenate(
                [runs.images[seed]["generated:a"].only(np.arange(50, 250)).scores, reals]
            )
            for runs in (a, b)
        ]
        assert difference == pytest.approx(
            roc_auc_score(labels, scores[0]) - roc_auc_score(labels, scores[1])
        )


def test_every_figure_of_a_classification_report_has_its_mean_over_runs(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    for row in metrics["overall_across_seeds"]:
        kind, _, figure = row["metric"].partition(": ")
        mine = [
            one
            for one in metrics["overall"]
            if all(one[key] == row[key] for key in ("detector", "operating_point"))
        ]
        runs = [one["classification_report"] for one in mine]
        values = [one[kind][figure] if figure else one[kind] for one in runs]
        assert row["mean"] == pytest.approx(np.mean(values))
    names = {row["metric"] for row in metrics["overall_across_seeds"]}
    assert {"accuracy", "generated: recall", "real: precision", "macro avg: f1-score"} <= names
