"""Detectors that were trained with labels: their own sources, their splits, their thresholds."""

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate, tidy
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from gandetect.config import parse_experiment
from gandetect.report.facts import detectors_of
from gandetect.statistics.scored_detectors import discriminator_facts

CHOOSING = ("real:validation", "generated:validation", "generated:training")


@pytest.fixture
def with_classifier(make_scores):
    """The classifier `c`, trained on `a`'s fakes, beside the discriminators `a` and `b`."""
    table = make_scores(np.random.default_rng(1))
    mine = table[table["detector"] == "a"].assign(detector="c")
    extra = [
        mine[mine["source"] == like].assign(source=source)
        for source, like in zip(
            CHOOSING, ("real:training", "generated:a", "generated:b"), strict=True
        )
    ]
    return pd.concat([table, mine, *extra], ignore_index=True)


FACTS = {
    **{name: discriminator_facts(name) for name in ("a", "b")},
    "c": {"kind": "classifier", "recipe": "cnn-small", "own": ["generated:a"]},
}


def evaluated(table):
    return evaluate(table, calibrated_fpr=0.05, detectors=FACTS)


def test_a_classifiers_own_sources_are_those_it_was_trained_on(with_classifier):
    roles = {
        c["source"]: c["role"] for c in evaluated(with_classifier)["cells"] if c["detector"] == "c"
    }
    assert roles["generated:a"] == "own"
    assert roles["generated:b"] == "other"


def test_images_that_chose_anything_are_in_no_cell_and_no_pair(with_classifier):
    metrics = evaluated(with_classifier)
    assert not {cell["source"] for cell in metrics["cells"]} & {*CHOOSING, "real:calibration"}
    assert not {pair["generated"] for pair in metrics["pairs"]} & set(CHOOSING)


def test_only_validation_images_move_youdens_threshold(with_classifier):
    def cut(table):
        rows = evaluated(table)["operating_points"]
        return next(row["youden"] for row in rows if row["detector"] == "c")

    before = cut(with_classifier)
    test = ~with_classifier["source"].isin(["real:validation", "generated:validation"])
    assert cut(with_classifier.assign(score=with_classifier["score"] + 5.0 * test)) == before
    assert cut(with_classifier.assign(score=with_classifier["score"] + 5.0 * ~test)) != before


def test_discriminators_have_no_youden_point(with_classifier):
    rows = evaluated(with_classifier)["operating_points"]
    assert {row["detector"] for row in rows if "youden" in row} == {"c"}


def test_without_calibration_reals_validation_reals_set_the_false_alarms(with_classifier):
    table = with_classifier[with_classifier["source"] != "real:calibration"]
    row = next(r for r in evaluated(table)["operating_points"] if r["detector"] == "c")
    assert row["calibrated_on"] == "real:validation"
    assert row["calibration_flagged"]["calibrated"] <= 0.05


def test_split_figures_are_scikit_learns(with_classifier):
    metrics = evaluated(with_classifier)
    row = next(
        r for r in metrics["splits"]
        if (r["detector"], r["split"], r["operating_point"]) == ("c", "test", "native")
    )  # fmt: skip
    chosen = with_classifier[
        (with_classifier["detector"] == "c")
        & with_classifier["source"].isin(["generated:a", "real:in-distribution"])
    ]
    truth = (chosen["label"] == "generated").to_numpy()
    answer = (chosen["score"] > 0).to_numpy()
    assert row["precision"] == pytest.approx(precision_score(truth, answer))
    assert row["recall"] == pytest.approx(recall_score(truth, answer))
    assert row["specificity"] == pytest.approx(recall_score(~truth, ~answer))
    assert row["f1"] == pytest.approx(f1_score(truth, answer))
    assert row["accuracy"] == pytest.approx(np.mean(truth == answer))
    assert row["auroc"] == pytest.approx(roc_auc_score(truth, chosen["score"]))
    assert np.sum(row["confusion"]) == row["n"] == len(chosen)


def test_the_upper_bound_is_never_below_any_operating_point(with_classifier):
    metrics = evaluated(with_classifier)
    bound = next(row["accuracy"] for row in metrics["upper_bound"] if row["detector"] == "c")
    tested = [r for r in metrics["splits"] if (r["detector"], r["split"]) == ("c", "test")]
    assert {row["operating_point"] for row in tested} == {"native", "calibrated", "youden"}
    assert all(row["accuracy"] <= bound for row in tested)


def test_the_tidy_table_holds_the_splits(with_classifier):
    table = tidy(evaluated(with_classifier))
    found = set(table.loc[table["kind"] == "split", "metric"])
    assert {"training: auroc", "validation: f1", "test: accuracy"} <= found


def test_detectors_know_their_own_sources():
    gans = [{"architecture": "dcgan-bn"}, {"architecture": "dcgan-plain"}]
    one = {"recipe": "cnn-small", "fakes_from": ["dcgan-plain"]}
    facts = detectors_of(parse_experiment({"name": "x", "gans": gans, "classifiers": [one]}))
    assert facts["cnn-small"]["own"] == ["generated:dcgan-plain"]
    assert facts["dcgan-bn"] == {
        "kind": "discriminator",
        "recipe": None,
        "own": ["generated:dcgan-bn"],
    }


def test_held_out_fakes_are_nobodys_own():
    classes = {"photo": "real", "painted": "generated", "rendered": "generated"}
    data = {"name": "folder", "path": "x", "classes": classes, "held_out": ["rendered"]}
    experiment = parse_experiment(
        {"name": "x", "data": data, "classifiers": [{"recipe": "resnet18"}]}
    )
    assert detectors_of(experiment)["resnet18"]["own"] == ["generated:painted"]
