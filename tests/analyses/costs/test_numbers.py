import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandetect.analyses.calibration.numbers import fit
from gandetect.analyses.costs.numbers import costs
from gandetect.errors import UsageError
from gandetect.statistics.cost_model import CostModel, bayes_threshold, expected
from gandetect.statistics.intervals import wilson
from gandetect.statistics.scored_detectors import ScoredDetector

MARKET = {"prevalence": 0.02, "cost_miss": 20.0, "cost_flag": 1.0}
OWN, OTHER = "generated:a", "generated:b"


def subject(rng, own=2.0, **changes) -> ScoredDetector:
    sizes = {
        OWN: (own, 900),
        OTHER: (0.0, 700),
        "generated:calibration": (own, 2000),
        "real:calibration": (0.0, 2000),
        "real:in-distribution": (0.0, 900),
        "real:held-out": (1.0, 800),
    }
    sources = {name: np.sort(rng.normal(mean, 1, n)) for name, (mean, n) in sizes.items()}
    kept = {name: scores for name, scores in (sources | changes).items() if scores is not None}
    return ScoredDetector("a", 0, 3, (OWN,), kept, {"native": 0.0})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def of(rows, generated=OWN, real="real:in-distribution"):
    (row,) = [row for row in rows if (row["generated"], row["real"]) == (generated, real)]
    return row


def test_a_good_detector_costs_less_than_doing_nothing_and_a_blind_one_more(rng):
    rows, gaps = costs([subject(rng)], CostModel(**MARKET))
    assert gaps == []
    assert of(rows)["ci95"]["cost"][1] < of(rows)["let_through"] == pytest.approx(400.0)
    # Fakes that look like reals are not caught, and honest uploads are flagged all the same.
    assert of(rows, OTHER)["cost"] > 400.0
    assert of(rows)["flag_all"] == pytest.approx(980.0)


def test_the_cost_is_counted_by_hand():
    fakes, reals = np.array([-1.0, 1.0, 2.0, 3.0]), np.array([-3.0, -2.0, -1.0, 0.5, 4.0])
    row = expected(fakes, reals, 0.0, CostModel(0.1, 5.0, 2.0))
    # 1,000 uploads: 100 fakes, of which 25 are missed; 900 honest, of which 360 are flagged.
    assert row["cost"] == pytest.approx(25 * 5 + 360 * 2)
    assert row["precision"] == pytest.approx(75 / (75 + 360))
    assert (row["caught"], row["flagged"]) == (0.75, 0.4)


def test_a_precision_lies_between_those_of_the_shares_bounds():
    row = expected(np.array([1.0] * 30 + [-1.0] * 20), np.array([1.0] * 6 + [-1.0] * 54), 0.0,
                   CostModel(0.1, 5.0, 2.0))  # fmt: skip
    caught, flagged = 30 / 50, 6 / 60
    assert row["precision"] == pytest.approx(0.1 * caught / (0.1 * caught + 0.9 * flagged))
    low, high = row["ci95"]["precision"]
    # No further off than where both shares are at their worse bound, no nearer than one alone.
    (few, many), (rare, often) = wilson(30, 50), wilson(6, 60)

    def precision(of_fakes, of_reals):
        return 0.1 * of_fakes / (0.1 * of_fakes + 0.9 * of_reals)

    assert precision(few, often) < low < min(precision(few, flagged), precision(caught, often))
    assert max(precision(many, flagged), precision(caught, rare)) < high < precision(many, rare)


def test_a_cost_below_one_is_a_cost_and_a_detector_that_cannot_be_judged_stops_no_other(rng):
    blind = subject(rng, **{"generated:calibration": None})
    rows, gaps = costs([blind, subject(rng)], CostModel(0.02, 0.5, 0.01))
    assert len(gaps) == 1
    assert {row["generated"] for row in rows} == {OWN, OTHER}


def test_the_cut_is_chosen_on_calibration_images_alone(rng):
    one = subject(rng)
    tests = {name: one.sources[name] + 5 for name in (OWN, OTHER, "real:in-distribution")}
    before, after = (
        costs([one], CostModel(**MARKET))[0],
        costs([subject(rng, **one.sources | tests)], CostModel(**MARKET))[0],
    )
    assert of(before)["threshold"] == of(after)["threshold"]
    assert of(before)["cost"] != of(after)["cost"]


def test_the_oracle_is_never_dearer(rng):
    for row in costs([subject(rng)], CostModel(**MARKET))[0]:
        assert row["oracle_cost"] <= min(row["cost"], row["let_through"], row["flag_all"]) + 1e-9


def test_the_cut_found_is_near_the_one_that_theory_names(rng):
    # Normal groups two apart have log-odds 2 x - 2, whatever scores show them.
    fakes, reals = rng.normal(2, 1, 40_000), rng.normal(0, 1, 40_000)
    sources = {"generated:calibration": fakes, "real:calibration": reals,
               OWN: fakes[:50], "real:in-distribution": reals[:50]}  # fmt: skip
    rows, _ = costs([ScoredDetector("a", 0, 3, (OWN,), sources, {})], CostModel(**MARKET))
    bayes = bayes_threshold(**MARKET)
    assert bayes == pytest.approx(math.log(0.98 / 0.4))
    assert 2 * rows[0]["threshold"] - 2 == pytest.approx(bayes, abs=0.25)
    assert fit("platt", fakes, reals)(np.array([rows[0]["threshold"]])) == pytest.approx(
        bayes, abs=0.25
    )


def test_dearer_misses_lower_the_cut_and_dearer_delays_raise_it(rng):
    one = subject(rng)

    def cut(**changes):
        return of(costs([one], CostModel(**MARKET | changes))[0])["threshold"]

    assert cut(cost_miss=100.0) < cut() < cut(cost_flag=5.0)
    assert cut(prevalence=0.2) < cut()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prevalence": 0.0}, "prevalence is 0.0"),
        ({"prevalence": 2}, r"above 0 and below 1 \(2 % is 0.02\)"),
        ({"prevalence": math.nan}, "prevalence is nan"),
        ({"cost_miss": 0.0}, "cost_miss is 0.0; expected a finite cost above 0"),
        ({"cost_flag": -1.0}, "cost_flag is -1.0"),
        ({"cost_flag": math.inf}, "cost_flag is inf"),
        ({"cost_miss": 1e300}, r"cost_miss is 1e\+300; .* at most 1e\+12"),
    ],
)
def test_numbers_out_of_range_are_refused(changes, said):
    with pytest.raises(UsageError, match=said):
        costs([], CostModel(**MARKET | changes))


@settings(max_examples=30)
@given(
    st.lists(st.integers(-3, 3).map(float), min_size=20, max_size=60),
    st.lists(st.integers(-3, 3).map(float), min_size=20, max_size=60),
    st.floats(-4, 4),
)
def test_intervals_hold_what_they_are_of(fakes, reals, cut):
    row = expected(np.array(fakes), np.array(reals), cut, CostModel(**MARKET))
    for name, interval in row["ci95"].items():
        if row[name] is None:
            assert row["caught"] == row["flagged"] == 0.0
        else:
            assert interval[0] - 1e-9 <= row[name] <= interval[1] + 1e-9
            assert name != "precision" or 0.0 <= interval[0] <= interval[1] <= 1.0


def test_the_intervals_cover_the_truth_about_as_often_as_they_say(rng):
    market = CostModel(**MARKET)
    caught, flagged = 0.6, 0.05
    cost = 400 * (1 - caught) + 980 * flagged
    precision = 0.02 * caught / (0.02 * caught + 0.98 * flagged)
    hits = np.zeros(2)
    for _ in range(200):
        fakes = (rng.random(300) < caught).astype(float)
        reals = (rng.random(250) < flagged).astype(float)
        ci95 = expected(fakes, reals, 0.5, market)["ci95"]
        hits += [low <= true <= high for true, (low, high) in
                 ((cost, ci95["cost"]), (precision, ci95["precision"]))]  # fmt: skip
    assert (hits / 200 > 0.91).all()
    assert (hits / 200 < 0.99).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"generated:calibration": None}, "no images of generated:calibration were scored"),
        ({OTHER: np.arange(3.0)}, "generated:b has 3 images, fewer than 20"),
        ({"real:in-distribution": None, "real:held-out": None}, "no generated and real test"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(rng, changes, said):
    rows, gaps = costs([subject(rng, **changes)], CostModel(**MARKET))
    assert said in gaps[0]
    assert all(row["generated"] != OTHER for row in rows)
