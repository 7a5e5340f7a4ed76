"""All further figures from one table of scores, and what happens where some cannot be had."""

import json

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate, tidy

from gandetect.errors import UsageError
from gandetect.statistics.cost_model import CostModel
from gandetect.statistics.scored_detectors import discriminator_facts

FACTS = {name: discriminator_facts(name) for name in ("a", "b")}


@pytest.fixture
def scores(make_scores) -> pd.DataFrame:
    """Two runs, with fakes that were drawn for calibration."""
    table = make_scores(np.random.default_rng(0), seeds=(0, 1))
    fresh = table[table["source"] == "real:calibration"].assign(
        source="generated:calibration", label="generated", score=lambda t: t["score"] + 1.5
    )
    return pd.concat([table, fresh], ignore_index=True)


def further(scores, **more):
    return evaluate(scores, detectors=FACTS, without=(), **more)


def test_everything_is_json_and_nothing_is_missing(scores):
    found = further(scores)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["calibration"]
    assert found["k_shot"]
    assert found["costs"]
    assert found["cost_model"] == {"prevalence": 0.02, "cost_miss": 20.0, "cost_flag": 1.0}


def test_without_a_calibration_split_the_gap_is_named_and_the_rest_is_made(scores):
    chosen = scores["source"].isin(["real:calibration", "generated:calibration"])
    found = further(scores[~chosen])
    assert found["calibration"] == found["costs"] == []
    assert set(found["not_measured"]) >= {"calibration", "costs", "k_shot", "low_fpr"}
    assert all(isinstance(text, str) for texts in found["not_measured"].values() for text in texts)
    assert evaluate(scores[~chosen], calibrated_fpr=0.05)["cells"]


def test_a_source_of_fewer_than_20_images_is_a_gap_and_costs_no_other(scores):
    few = scores["source"].eq("generated:b") & scores["index"].ge(19)
    found = further(scores[~few])
    generated = {row["generated"] for row in found["calibration"] if row["detector"] == "a"}
    assert generated == {"generated:a"}
    assert "generated:b" in json.dumps(found["not_measured"])


def test_constant_scores_still_give_a_report(scores):
    found = further(scores.assign(score=0.0))
    json.dumps(found, allow_nan=False)


def test_a_dearer_miss_never_lets_more_fakes_pass(scores):
    caught = [
        [row["caught"] for row in further(scores, cost_model=CostModel(0.1, miss, 1.0))["costs"]]
        for miss in (1.0, 10.0, 100.0)
    ]
    assert all(low <= high for low, high in zip(caught[0], caught[1], strict=True))
    assert all(low <= high for low, high in zip(caught[1], caught[2], strict=True))
    assert caught[0] != caught[2]


@pytest.mark.parametrize("prevalence", [0.0, 1.0, -0.1, 2.0])
def test_a_prevalence_that_is_none_is_refused(prevalence):
    with pytest.raises(UsageError, match="prevalence is"):
        CostModel(prevalence, 20.0, 1.0)


def test_the_tidy_table_holds_what_was_computed(scores):
    metrics = further(scores)
    table = tidy(metrics)
    assert {"runs: cell", "runs: pair", "comparison", "calibration", "cost", "k-shot"} <= set(
        table["kind"]
    )
    cell = table[(table["kind"] == "runs: cell")].iloc[0]
    assert cell["low"] <= cell["value"] <= cell["high"]


def test_every_cost_stands_in_the_tidy_table_with_its_images_and_its_interval(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05) | further(scores)
    table = tidy(metrics)
    found = table[table["kind"] == "cost"]
    assert len(found) == 2 * len(metrics["costs"])
    keys = ["detector", "detector_seed", "source", "real_source", "metric"]
    by_key = found.set_index(keys)
    for row in metrics["costs"]:
        for name in ("cost", "precision"):
            key = (row["detector"], row["detector_seed"], row["generated"], row["real"], name)
            one = by_key.loc[key]
            assert (one["value"], one["n"]) == (row[name], row["n_generated"] + row["n_real"])
            assert [one["low"], one["high"]] == row["ci95"][name]
