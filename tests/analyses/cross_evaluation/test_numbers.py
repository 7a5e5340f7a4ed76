import json

import numpy as np
import pandas as pd
import pytest
from score_tables import evaluate, tidy

from gandetect.errors import DataError
from gandetect.statistics.calibrated import CalibrationRule, cross_fitted
from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.rows import chosen
from gandetect.statistics.scored_detectors import discriminator_facts, split_by_detector
from gandetect.statistics.scores import role_of


def test_every_detector_meets_every_source_at_both_operating_points(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    seen = {(c["detector"], c["source"], c["operating_point"]) for c in metrics["cells"]}
    sources = set(scores["source"]) - {"real:calibration"}
    assert seen == {
        (d, s, p) for d in ("a", "b") for s in sources for p in ("native", "calibrated")
    }


def test_metrics_have_the_documented_keys(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    assert (metrics["schema"], metrics["positive_class"]) == (3, "generated")
    assert set(metrics["cells"][0]) == {
        "detector", "detector_seed", "source", "role", "label", "n",
        "operating_point", "threshold", "correct", "ci95",
    }  # fmt: skip
    assert set(metrics["pairs"][0]) >= {
        "detector", "detector_seed", "generated", "real", "auroc", "average_precision",
        "fpr_at_95_tpr", "tpr_at_5_fpr", "ci95",
    }  # fmt: skip
    assert set(metrics["overall"][0]) >= {
        "detector", "detector_seed", "operating_point", "confusion", "classification_report",
    }  # fmt: skip
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_overall_is_own_generated_and_all_test_reals(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    row = next(r for r in metrics["overall"] if r["detector"] == "a")
    assert [sum(counts) for counts in row["confusion"]] == [60 + 70, 120]
    chosen = scores[
        (scores["detector"] == "a")
        & scores["source"].isin(["generated:a", "real:in-distribution", "real:held-out"])
    ]
    right = (chosen["score"] > 0) == (chosen["label"] == "generated")
    assert row["classification_report"]["accuracy"] == pytest.approx(right.mean())


def test_calibration_reals_choose_the_threshold_and_are_no_cell(scores):
    metrics = evaluate(scores, calibrated_fpr=0.05)
    assert "real:calibration" not in {cell["source"] for cell in metrics["cells"]}
    for row in metrics["operating_points"]:
        assert row["calibration_flagged"]["calibrated"] <= 0.05


def test_test_groups_never_move_the_threshold(scores):
    before = evaluate(scores, calibrated_fpr=0.05)["operating_points"]
    changed = scores.copy()
    changed.loc[changed["source"] != "real:calibration", "score"] += 7
    after = evaluate(changed, calibrated_fpr=0.05)["operating_points"]
    assert before == after


def test_without_calibration_reals_test_reals_are_judged_out_of_fold(scores):
    kept = scores[scores["source"] != "real:calibration"]
    where = (kept["detector"] == "a") & (kept["source"] == "real:in-distribution")
    reals = kept[where].sort_values("index")
    values = reals["score"].to_numpy()
    together = np.where(values >= np.quantile(values, 0.8), 0, np.arange(60)).tolist()
    groups = reals[["source", "index"]].assign(group=together)
    metrics = evaluate(kept, calibrated_fpr=0.05, groups=groups)
    (cut,) = {cell["threshold"] for cell in metrics["cells"]
              if (cell["detector"], cell["operating_point"]) == ("a", "calibrated")}  # fmt: skip
    assert cut == calibrate(values, 0.05)
    right = np.mean(cross_fitted(values, CalibrationRule(0.05), together).out_of_fold <= 0)
    assert right <= 0.8 < np.mean(values <= cut)  # the highest are judged by all others
    about = {"detector": "a", "operating_point": "calibrated", "source": "real:in-distribution"}
    assert [row["correct"] for row in chosen(metrics["cells"], **about)] == [right]
    (overall,) = chosen(metrics["overall"], detector="a", operating_point="calibrated")
    (other,) = chosen(metrics["cells"], **about | {"source": "real:held-out"})
    accepted = right * len(values) + other["correct"] * other["n"]
    assert overall["confusion"][0][0] == round(accepted)
    (row,) = chosen(metrics["across_seeds"], **about)
    assert row["mean"] == right


def test_without_any_reals_to_calibrate_on_only_the_native_point_is_reported(scores):
    kept = scores[~scores["source"].isin(["real:calibration", "real:in-distribution"])]
    metrics = evaluate(kept, calibrated_fpr=0.05)
    assert {cell["operating_point"] for cell in metrics["cells"]} == {"native"}
    assert "no reals were scored" in metrics["not_measured"]["operating_points"][0]


def test_only_the_last_epoch_counts(scores):
    earlier = scores.assign(epoch=1, score=99.0)
    both = pd.concat([earlier, scores], ignore_index=True)
    assert evaluate(both, calibrated_fpr=0.05) == evaluate(scores, calibrated_fpr=0.05)


def test_row_order_and_category_columns_change_nothing(scores):
    shuffled = scores.sample(frac=1, random_state=0)
    for column in ("detector", "source", "label"):
        shuffled[column] = shuffled[column].astype("category")
    assert evaluate(shuffled, calibrated_fpr=0.05) == evaluate(scores, calibrated_fpr=0.05)


def test_several_seeds_keep_every_value_beside_the_mean(make_scores):
    scores = make_scores(np.random.default_rng(3), seeds=(0, 1, 2))
    metrics = evaluate(scores, calibrated_fpr=0.05)
    row = metrics["across_seeds"][0]
    assert row["seeds"] == [0, 1, 2]
    assert row["mean"] == pytest.approx(np.mean(row["correct"]))


def test_constant_scores_still_give_every_number(scores):
    metrics = evaluate(scores.assign(score=0.0), calibrated_fpr=0.05)
    json.dumps(metrics, allow_nan=False)
    assert {pair["auroc"] for pair in metrics["pairs"]} == {0.5}


def test_a_source_alone_gives_cells_and_nothing_that_needs_two(scores):
    metrics = evaluate(scores[scores["source"] == "real:held-out"], calibrated_fpr=0.05)
    assert metrics["cells"]
    assert metrics["pairs"] == metrics["overall"] == metrics["training_gap"] == []


def test_roles_depend_on_who_asks():
    assert role_of("generated:a", ["generated:a"]) == "own"
    assert role_of("generated:a", ["generated:b"]) == "other"
    assert role_of("real:training", ["generated:b"]) == "training"
    assert role_of("generated:validation", ["generated:b"]) == "validation"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="score"), "no column score"),
        (lambda t: t.iloc[:0], "no rows"),
        (lambda t: t.assign(score=np.where(t.index == 7, np.nan, t["score"])), "1 of 1040"),
        (lambda t: t.assign(score=np.inf), "not finite"),
        (lambda t: t.assign(score="many"), "not finite"),
        (lambda t: t.assign(label="fake"), "label 'fake'"),
        (lambda t: t.assign(source="", label="real"), "source ''"),
        (lambda t: t.assign(source="real-held-out"), "did you mean 'real:held-out'"),
        (lambda t: t.assign(source="generated:", label="generated"), "source 'generated:'"),
        (lambda t: t.assign(label="real"), "labelled 'real'"),
        (lambda t: t.assign(label=None), "without a label"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "scored twice"),
    ],
)
def test_a_table_that_cannot_be_evaluated_is_refused_in_one_sentence(scores, change, message):
    with pytest.raises(DataError, match=message):
        evaluate(change(scores), calibrated_fpr=0.05)


def test_tidy_holds_one_row_a_number(scores):
    quality = [{"gan": "a", "seed": 0, "fid": 12.5, "kid": 0.1, "kid_std": None}]
    metrics = evaluate(scores, calibrated_fpr=0.05, quality=quality)
    table = tidy(metrics)
    cells = table[table["kind"] == "cell"]
    assert len(cells) == len(metrics["cells"])
    assert cells["value"].tolist() == [cell["correct"] for cell in metrics["cells"]]
    assert (cells["low"] <= cells["value"]).all()
    assert (table["kind"] == "pair").sum() == 4 * len(metrics["pairs"])
    assert table.loc[table["metric"] == "fid", "value"].tolist() == [12.5]
    assert table["value"].notna().all()


def test_a_better_fake_gets_a_lower_score_and_so_a_worse_auroc(scores) -> None:
    """Sign convention: higher is more likely generated, so fooling a detector lowers a score."""
    generated = scores["label"] == "generated"
    fooling = scores.assign(score=scores["score"] - 2.0 * generated)
    before, after = (evaluate(table, calibrated_fpr=0.05) for table in (scores, fooling))
    for pair, fooled in zip(before["pairs"], after["pairs"], strict=True):
        assert fooled["auroc"] < pair["auroc"]
    for cell, fooled in zip(before["cells"], after["cells"], strict=True):
        change = fooled["correct"] - cell["correct"]
        assert change < 0 if cell["label"] == "generated" else change == 0


def test_a_detector_that_the_study_does_not_name_is_one_sentence(scores) -> None:
    first, *others = sorted(set(scores["detector"]))
    facts = {first: discriminator_facts(first)}
    with pytest.raises(DataError, match=f"a detector {others[0]!r} that the study does not name"):
        split_by_detector(scores, facts, CalibrationRule(0.05))


def test_reals_of_any_name_are_a_group_of_their_own(scores):
    further = scores[scores["source"] == "real:held-out"].assign(source="real:coco")
    metrics = evaluate(pd.concat([scores, further], ignore_index=True))
    cells = {c["source"]: c for c in metrics["cells"] if c["detector"] == "a"}
    assert cells["real:coco"]["role"] == "other-source"
    assert cells["real:coco"]["correct"] == cells["real:held-out"]["correct"]
    areas = {p["real"]: p["auroc"] for p in metrics["pairs"] if p["generated"] == "generated:a"}
    assert areas["real:coco"] == areas["real:held-out"] != areas["real:in-distribution"]


def test_where_nobody_says_what_a_detector_knows_no_generator_is_own_or_other(scores):
    known = {name: {"kind": "discriminator", "recipe": None, "own": None} for name in "ab"}
    metrics = evaluate(scores, detectors=known)
    roles = {c["role"] for c in metrics["cells"]}
    assert roles == {"generated", "in-distribution", "held-out", "training"}
    assert [sum(counts) for counts in metrics["overall"][0]["confusion"]] == [60 + 70, 120 + 80]
