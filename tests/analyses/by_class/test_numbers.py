"""False alarms by class: the shares, their intervals, and images that have no class."""

import numpy as np
import pandas as pd
import pytest
from score_tables import runs_of

from gandetect.analyses.by_class.numbers import by_class, by_class_across, class_thresholds, numbers
from gandetect.analyses.study import ScoredStudy
from gandetect.errors import DataError
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.intervals import wilson
from gandetect.statistics.operating_points import calibrate

CLASSES = pd.DataFrame({
    "source": ["real:in-distribution"] * 60 + ["real:held-out"] * 70,
    "index": [*range(60), *range(70)],
    "class_name": ["Coat"] * 20 + ["Dress"] * 40 + ["Bag"] * 70,
})  # fmt: skip


def cuts(seeds=(0,), **points):
    return {(name, seed): points or {"native": 0.0} for name in ("a", "b") for seed in seeds}


def across(scores, classes, thresholds):
    return by_class_across(scores, classes, runs_of(scores, thresholds))


def picked(rows, **wanted):
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def test_shares_are_those_of_the_class_and_its_own_images(scores):
    rows = by_class(scores, CLASSES, cuts(native=0.0, calibrated=0.7))
    (row,) = picked(rows, detector="a", class_name="Dress", operating_point="calibrated")
    of_source = scores[(scores["detector"] == "a") & (scores["source"] == "real:in-distribution")]
    called = of_source.loc[of_source["index"] >= 20, "score"] > 0.7
    assert (row["flagged"], row["n"]) == (called.mean(), 40)
    assert row["ci95"] == wilson(int(called.sum()), 40)
    assert not row["held_out"]
    assert [row["held_out"] for row in picked(rows, class_name="Bag")] == [True] * 4


def test_a_score_at_the_threshold_is_not_delayed(scores):
    scores["score"] = 0.5
    assert {row["flagged"] for row in by_class(scores, CLASSES, cuts(native=0.5))} == {0.0}


def test_the_order_of_rows_does_not_matter(make_scores):
    scores = make_scores(np.random.default_rng(1), seeds=(0, 1))
    shuffled = scores.sample(frac=1, random_state=3)
    for function in (by_class, across):
        first, second = (function(table, CLASSES, cuts((0, 1))) for table in (scores, shuffled))
        assert first == second


def test_over_seeds_stand_the_mean_and_every_run(make_scores):
    scores = make_scores(np.random.default_rng(1), seeds=(0, 1, 2))
    single = by_class(scores, CLASSES, cuts((0, 1, 2)))
    (row,) = picked(across(scores, CLASSES, cuts((0, 1, 2))), detector="b",
                    class_name="Coat")  # fmt: skip
    runs = [one["flagged"] for one in picked(single, detector="b", class_name="Coat")]
    assert (row["flagged"], row["seeds"]) == (runs, [0, 1, 2])
    assert row["mean"] == pytest.approx(np.mean(runs))
    assert row["ci95"][0] < row["mean"] < row["ci95"][1]
    assert row["covers"] == "runs and test images"


def test_one_run_has_wilsons_interval_over_images(scores):
    (row,) = picked(across(scores, CLASSES, cuts()), detector="a", class_name="Bag")
    (single,) = picked(by_class(scores, CLASSES, cuts()), detector="a", class_name="Bag")
    assert (row["ci95"], row["covers"]) == (single["ci95"], "test images")


def test_runs_that_answer_the_same_images_alike_do_not_multiply_them(scores):
    """Twelve equal runs know no more of the images than one."""
    copies = pd.concat([scores.assign(detector_seed=seed) for seed in range(12)])
    (row,) = picked(across(copies, CLASSES, cuts(range(12))), detector="a",
                    class_name="Bag")  # fmt: skip
    (single,) = picked(by_class(scores, CLASSES, cuts()), detector="a", class_name="Bag")
    widths = [high - low for low, high in (row["ci95"], single["ci95"])]
    assert widths[0] > 0.9 * widths[1]


def test_fakes_and_training_images_have_no_class_and_are_left_alone(scores):
    rows = by_class(scores, CLASSES, cuts())
    assert {row["source"] for row in rows} == {"real:in-distribution", "real:held-out"}


def test_images_that_chose_the_threshold_are_not_judged_by_it(scores):
    apart = pd.DataFrame({"source": "real:calibration", "index": range(100), "class_name": "Coat"})
    assert by_class(scores, pd.concat([CLASSES, apart]), cuts()) == by_class(
        scores, CLASSES, cuts()
    )


def test_an_image_without_a_class_is_named(scores):
    with pytest.raises(DataError, match=r"image 69 of 'real:held-out'.* classes\.parquet"):
        by_class(scores, CLASSES[:-1], cuts())


def test_each_class_has_a_threshold_of_its_own_or_says_what_it_takes(scores):
    names = ["Coat"] * 18 + ["Dress"] * 82
    apart = pd.DataFrame({"source": "real:calibration", "index": range(100), "class_name": names})
    study = ScoredStudy(scores, CalibrationRule(0.05), classes=pd.concat([CLASSES, apart]))
    rows = [row for row in class_thresholds(study, study.classes) if row["detector"] == "a"]
    own = scores[scores["detector"] == "a"].set_index("source")
    reals, fakes = own.loc["real:calibration"], own.loc["generated:a", "score"]
    cut = calibrate(reals.loc[reals["index"] >= 18, "score"], 0.05)
    common = np.mean(fakes > calibrate(reals["score"], 0.05))
    about = {"detector": "a", "detector_seed": 0, "needed": 19, "caught_in_common": common}
    assert rows == [
        {**about, "class_name": "Coat", "n_calibration": 18, "threshold": None, "caught": None},
        {**about, "class_name": "Dress", "n_calibration": 82, "threshold": cut,
         "caught": np.mean(fakes > cut)},
    ]  # fmt: skip
    assert list(class_thresholds(study, CLASSES)) == []


def test_reals_that_chose_a_cross_fitted_threshold_are_not_judged_by_it(scores):
    rest = scores[scores["source"] != "real:calibration"]
    found = numbers(ScoredStudy(rest, CalibrationRule(0.05), classes=CLASSES))
    assert {row["operating_point"] for row in found["by_class"]} == {"native"}
    assert {row["n_calibration"] for row in found["class_thresholds"]} == {20, 40}
