"""What calibrated thresholds promise, for all reals, for each class, and out of fold."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from gandetect.errors import DataError, UsageError
from gandetect.statistics.calibrated import CalibrationRule, _folds, calibrated, cross_fitted
from gandetect.statistics.operating_points import (
    calibrate,
    conformal_rank,
    flagged_at_most,
    least_images,
)

tied = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=60)
SHARES = st.floats(0.01, 0.99)


def table(scores, source="real:calibration") -> pd.DataFrame:
    return pd.DataFrame({"source": source, "index": range(len(scores)), "score": scores})


def named(names, source="real:calibration", column="class_name") -> pd.DataFrame:
    return pd.DataFrame({"source": source, "index": range(len(names)), column: names})


# Confidence: exact by the binomial law of how many of n scores lie above a quantile.


@given(st.integers(1, 300), SHARES, st.floats(0.5, 0.99))
def test_a_confident_cut_flags_too_many_as_rarely_as_it_says(n, fpr, confidence):
    def sure(rank):
        return binom.sf(n - rank, n, fpr)  # P(more than n - rank of n above the (1 - fpr) quantile)

    rank = conformal_rank(n, fpr, confidence)
    if rank is None:
        assert 1 - (1 - fpr) ** n < confidence + 1e-9
    else:
        assert sure(rank) >= confidence - 1e-9
        assert rank == 1 or sure(rank - 1) < confidence + 1e-9


@given(st.integers(1, 200), st.data())
def test_what_is_flagged_at_most_is_clopper_and_pearsons_bound(n, data):
    rank = data.draw(st.integers(1, n))
    bound = flagged_at_most(n, rank)
    assert binom.cdf(n - rank, n, bound) == pytest.approx(0.05)


def test_images_that_a_confident_cut_needs_are_wilks_number():
    assert least_images(0.05, 0.95) == 59
    assert least_images(0.01, 0.95) == 299
    assert least_images(0.05, 0.95) == math.ceil(math.log(0.05) / math.log(0.95))


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1, float("nan")])
def test_impossible_confidence_is_an_error(confidence):
    with pytest.raises(UsageError, match="confidence is"):
        calibrate([0.0], 0.05, confidence)


def test_one_score_and_equal_scores():
    assert CalibrationRule(0.5).choose(np.zeros(1)).threshold == 0.0
    assert CalibrationRule(0.4).choose(np.zeros(1)).threshold is None
    assert CalibrationRule(0.05, 0.95).choose(np.full(59, 2.0)).threshold == 2.0


def test_a_cut_says_what_it_promises_or_what_it_would_take():
    found = CalibrationRule(0.05).choose(np.arange(100.0))
    promised = {"expected_flagged": 5 / 101, "flagged_at_most": flagged_at_most(100, 96)}
    about = {"calibrated_on": "real:calibration", "n_calibration": 100, "rank": 96}
    assert found.facts == {**about, **promised}
    few = CalibrationRule(0.05, 0.95).choose(np.arange(58.0))
    assert few.threshold is None
    assert few.facts == {"calibrated_on": "real:calibration", "n_calibration": 58}
    assert few.why_not == (
        "a threshold that, with 95 % confidence, flags at most 5 % of new reals takes at least 59 "
        "calibration reals, and there are 58"
    )


# By class.


@given(tied, st.sampled_from([0.1, 0.3, 0.5]), st.integers(1, 4))
def test_every_class_is_promised_the_share(scores, fpr, classes):
    names = [f"c{i % classes}" for i in range(len(scores))]
    rule = CalibrationRule(fpr, by_class=True)
    found = rule.choose(np.array(scores), names)
    own = {
        name: calibrate([s for s, of in zip(scores, names, strict=True) if of == name], fpr)
        for name in names
    }
    assert {name: cut.threshold for name, cut in found.classes.items()} == own
    missing = [name for name, cut in own.items() if cut is None]
    assert found.threshold == (None if missing else max(own.values()))
    for name in own:
        assert (f"class {name!r}" in found.why_not) == (name in missing)
    if not missing:
        assert found.expected_flagged <= fpr


def test_no_reals_and_no_classes_give_no_cut_and_the_reason():
    cut = CalibrationRule(by_class=True).choose(np.empty(0), [], [])
    assert cut.threshold is None
    assert "of each class, and there are none" in cut.why_not


def test_nothing_lies_above_more_than_all_scores():
    assert flagged_at_most(0, 1) == flagged_at_most(5, 6) == 0.0


def test_classes_are_those_of_the_calibration_reals_and_of_the_tests():
    scores, names = np.arange(40.0), ["Bag"] * 20 + ["Coat"] * 20
    rule = CalibrationRule(0.05, by_class=True)
    classes = pd.concat([named(names), named(["Bag", "Coat"], "real:in-distribution")])
    found = calibrated(table(scores), rule, classes)
    assert (found.threshold, found.classes["Bag"].threshold) == (39.0, 19.0)
    more = pd.concat([classes, named(["Bag", "Coat", "Shirt"], "real:in-distribution")])
    none = calibrated(table(scores), rule, more)
    assert none.threshold is None
    assert none.why_not.endswith("19 calibration reals of each class, and class 'Shirt' has 0")
    assert calibrated(table(scores), rule).why_not == "the classes of its reals are unknown"
    with pytest.raises(DataError, match="1 of 40 images of 'real:calibration' have no class_name"):
        calibrated(table(scores), rule, named(names[:39]))


# Out of fold.


def test_fakes_meet_the_cut_of_all_reals_and_reals_that_of_others():
    scores = np.random.default_rng(0).normal(size=200)
    found = cross_fitted(scores, CalibrationRule(0.1))
    assert found.threshold == calibrate(scores, 0.1)
    folds = list(_folds(200, None))
    assert sorted(np.concatenate([fold for _, fold in folds])) == list(range(200))
    for rest, fold in folds:
        assert (len(rest), len(fold), *np.intersect1d(rest, fold)) == (160, 40)
        expected = scores[fold] - calibrate(scores[rest], 0.1)
        np.testing.assert_array_equal(found.out_of_fold[fold], expected)


def test_groups_stay_whole():
    scores = np.random.default_rng(1).normal(size=120)
    groups = [str(i % 12) for i in range(120)]
    cuts = scores - cross_fitted(scores, CalibrationRule(0.2), groups).out_of_fold
    assert all(np.ptp(cuts[i::12]) < 1e-9 for i in range(12))
    assert len({*np.round(cuts, 9)}) > 1


def test_reals_of_one_group_cannot_be_judged_by_others():
    found = cross_fitted(np.arange(100.0), CalibrationRule(), ["same"] * 100)
    assert (found.threshold, found.out_of_fold) == (None, None)
    assert "one group" in found.why_not


def test_a_fold_that_leaves_too_few_says_so():
    assert cross_fitted(np.arange(24.0), CalibrationRule()).threshold == 23.0
    few = cross_fitted(np.arange(23.0), CalibrationRule())
    assert (few.threshold, few.n) == (None, 23)
    assert few.why_not.endswith("at least 19 calibration reals, and there are 18")


def test_out_of_fold_reals_are_flagged_as_rarely_as_promised_whatever_their_order():
    """Exact over all orders of six scores: every image is as likely as any other in every place."""
    rule = CalibrationRule(0.4)
    flagged = [
        np.mean(cross_fitted(np.array(order, float), rule).out_of_fold > 0)
        for order in permutations(range(6))
    ]
    assert np.mean(flagged) <= 0.4


def test_splits_apart_are_used_before_test_reals():
    both = [
        table(np.arange(30.0) + shift, f"real:{name}")
        for shift, name in ((0, "in-distribution"), (10, "validation"), (20, "calibration"))
    ]
    for last, cut in ((1, 29.0), (2, 39.0), (3, 49.0)):
        found = calibrated(pd.concat(both[:last]), CalibrationRule())
        assert (found.threshold, found.out_of_fold is None) == (cut, last > 1)
    assert calibrated(table([1.0], "real:held-out"), CalibrationRule()) is None


def test_labels_follow_the_index_and_not_the_order_of_rows():
    scores = np.arange(40.0)
    groups = named([str(i // 4) for i in range(40)], "real:in-distribution", "group")
    images = table(scores, "real:in-distribution")
    first = calibrated(images, CalibrationRule(), groups=groups)
    again = calibrated(images.sample(frac=1, random_state=0), CalibrationRule(),
                       groups=groups.sample(frac=1, random_state=1))  # fmt: skip
    np.testing.assert_array_equal(first.out_of_fold, again.out_of_fold)
