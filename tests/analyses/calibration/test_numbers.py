import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import brier_score_loss, log_loss

from gandetect.analyses.calibration.numbers import (
    METHODS,
    calibration,
    expected_error,
    fit,
    low_fpr,
    proper_scores,
    reliability,
)
from gandetect.errors import UsageError
from gandetect.statistics.scored_detectors import ScoredDetector

OWN = "generated:a"


def subject(rng, **changes) -> ScoredDetector:
    """Scores that separate the labels, stretched and shifted, so that they are no log-odds."""
    sizes = {
        OWN: (1.5, 900),
        "generated:b": (0.5, 700),
        "generated:a/other-seed": (1.0, 600),
        "generated:calibration": (1.5, 800),
        "real:calibration": (0.0, 1000),
        "real:in-distribution": (0.0, 500),
        "real:held-out": (0.4, 400),
    }
    sources = {name: np.sort(4 * rng.normal(mean, 1, n) + 3) for name, (mean, n) in sizes.items()}
    sources |= changes
    kept = {name: scores for name, scores in sources.items() if scores is not None}
    return ScoredDetector("a", 0, 3, (OWN,), kept, {"native": 0.0})


@pytest.fixture
def one(rng) -> ScoredDetector:
    return subject(rng)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def of(rows, method, **facts):
    wanted = {"generated": OWN, "real": "real:in-distribution", "method": method, **facts}
    (row,) = [r for r in rows if all(r[key] == value for key, value in wanted.items())]
    return row


def test_each_map_that_shifts_mends_scores_that_are_no_log_odds(one):
    rows, _, gaps = calibration([one])
    raw = of(rows, "none")
    for method in ("platt", "isotonic"):
        assert of(rows, method)["ece"] < 0.08 < 0.2 < raw["ece"]
        assert of(rows, method)["brier"] < raw["brier"]
        assert of(rows, method)["log_loss"] < raw["log_loss"]
    assert of(rows, "temperature")["log_loss"] < raw["log_loss"]
    assert gaps == []


def test_own_fakes_meet_both_groups_of_reals_and_others_the_familiar_one(one):
    rows, curves, _ = calibration([one])
    pairs = {(row["generated"], row["real"], row["role"]) for row in rows}
    assert pairs == {
        (OWN, "real:in-distribution", "own"),
        (OWN, "real:held-out", "own"),
        ("generated:a/other-seed", "real:in-distribution", "own-other-seed"),
        ("generated:b", "real:in-distribution", "other"),
    }
    assert len(rows) == len(curves) == len(pairs) * len(METHODS)


def test_nothing_is_fitted_on_a_test_group(one, rng):
    before = calibration([one])[0]
    moved = subject(rng, **{**one.sources, "generated:b": one.sources["generated:b"] + 9})
    after = calibration([moved])[0]
    for method in METHODS:
        assert of(before, method) == of(after, method)
        changed = {"generated": "generated:b"}
        assert of(before, method, **changed) != of(after, method, **changed)


def test_validation_images_stand_in_where_there_are_no_calibration_fakes(one):
    sources = dict(one.sources)
    sources["generated:validation"] = sources.pop("generated:calibration")
    assert calibration([ScoredDetector("a", 0, 3, (OWN,), sources, {})])[0] == []
    sources["real:validation"] = sources.pop("real:calibration")
    rows, _, gaps = calibration([ScoredDetector("a", 0, 3, (OWN,), sources, {})])
    assert gaps == []
    assert rows[0]["fitted_on"] == ["generated:validation", "real:validation"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"generated:calibration": None}, "no images of generated:calibration"),
        ({"real:calibration": np.arange(7.0)}, "real:calibration has 7 images"),
        ({"generated:b": np.arange(19.0)}, "generated:b has 19 images, fewer than 20"),
        (
            {"generated:calibration": np.zeros(50), "real:calibration": np.zeros(50)},
            "all its calibration scores are equal",
        ),
        ({"real:in-distribution": None, "real:held-out": None}, "no generated and real test"),
    ],
)
def test_what_cannot_be_calibrated_is_a_sentence_and_no_row(rng, changes, said):
    rows, _, gaps = calibration([subject(rng, **changes)])
    assert len(gaps) == 1
    assert said in gaps[0]
    assert bool(rows) == ("generated:b" in changes)
    assert "generated:b" not in {row["generated"] for row in rows}


def test_the_measures_are_scikit_learns_with_labels_of_equal_weight(rng):
    fakes, reals = rng.normal(1, 2, 300), rng.normal(-1, 2, 70)
    labels = np.repeat([1, 0], [300, 70])
    weights = np.repeat([1 / 300, 1 / 70], [300, 70])
    chances = expit(np.concatenate([fakes, reals]))
    found = proper_scores(fakes, reals)
    brier = brier_score_loss(labels, chances, sample_weight=weights)
    assert found["brier"] == pytest.approx(brier)
    assert found["log_loss"] == pytest.approx(log_loss(labels, chances, sample_weight=weights))


def test_always_saying_half_is_calibrated_and_worth_a_quarter():
    none = np.zeros(100)
    assert expected_error(reliability(none, none[:30])) == pytest.approx(0.0)
    assert proper_scores(none, none[:30])["brier"] == 0.25
    assert proper_scores(none, none[:30])["log_loss"] == pytest.approx(np.log(2))


def test_an_overconfident_detector_has_the_error_that_its_bins_show():
    # Half of either label is called 88 % generated, half 12 %: always 50 % in truth.
    scores = np.tile([-2.0, 2.0], 50)
    curve = reliability(scores, scores)
    assert curve["observed"] == pytest.approx([0.5, 0.5])
    assert expected_error(curve) == pytest.approx(expit(2.0) - 0.5)


def test_bins_have_equal_mass_and_both_labels_half_of_it(rng):
    curve = reliability(rng.normal(1, 1, 3000), rng.normal(0, 1, 150))
    assert len(curve["mass"]) == 15
    assert curve["mass"] == pytest.approx([1 / 15] * 15, abs=0.01)
    assert np.dot(curve["mass"], curve["observed"]) == pytest.approx(0.5)
    assert sum(curve["n"]) == 3150
    for share, (low, high) in zip(curve["observed"], curve["ci95"], strict=True):
        assert low - 1e-12 <= share <= high + 1e-12


def test_perfect_log_odds_are_called_nearly_perfect(rng):
    # Two normal groups a distance d apart have log-odds d x - d²/2.
    fakes, reals = (2 * rng.normal(mean, 1, 20_000) - 2 for mean in (2.0, 0.0))
    assert expected_error(reliability(fakes, reals)) < 0.01


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from([-9.0, -1.0, 0.0, 0.5, 2.0, 40.0]), min_size=20, max_size=40),
    st.lists(st.sampled_from([-50.0, -1.0, 0.0, 0.5, 3.0]), min_size=20, max_size=40),
)
def test_every_map_gives_finite_log_odds_and_hardly_a_worse_fit(fakes, reals):
    fakes, reals = np.array(fakes), np.array(reals)
    if np.ptp(np.concatenate([fakes, reals])) == 0:
        return
    for method in METHODS:
        to_log_odds = fit(method, fakes, reals)
        sides = to_log_odds(fakes), to_log_odds(reals)
        assert all(np.isfinite(side).all() for side in sides)
        # The targets are pulled a little towards one half, as is the isotonic map.
        assert method == "none" or proper_scores(*sides)["log_loss"] < np.log(2) + 0.01


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_groups_that_do_not_overlap_are_fitted_without_a_warning(method):
    to_log_odds = fit(method, np.linspace(5, 9, 50), np.linspace(-9, -5, 50))
    assert 2 < to_log_odds(np.array([9.0]))[0] < 100


def test_platt_finds_the_line_between_two_normal_groups(rng):
    # In units x of their spread the log-odds are 2 x - 2; scores are 4 x + 3.
    fakes, reals = (4 * rng.normal(mean, 1, 20_000) + 3 for mean in (2.0, 0.0))
    found = fit("platt", fakes, reals)(np.array([3.0, 7.0]))
    assert found == pytest.approx([-2.0, 0.0], abs=0.12)


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_both_labels_count_alike_however_many_images_each_has(method, rng):
    # One in 50 images is real, but log-odds are those of an upload that is as likely either.
    fakes, reals = rng.normal(1, 1, 20_000), rng.normal(-1, 1, 400)
    to_log_odds = fit(method, fakes, reals)
    assert to_log_odds(np.array([0.0]))[0] == pytest.approx(0.0, abs=0.5)


def test_an_unknown_method_is_refused():
    with pytest.raises(UsageError, match="'beta' is not known; expected: none, temperature"):
        fit("beta", np.arange(3.0), np.arange(3.0))


def test_low_fpr_cuts_delay_about_what_they_promise(one):
    rows, gaps = low_fpr([one])
    assert gaps == []
    for row in rows:
        low, high = row["ci95"]
        assert low <= row["called"] <= high
        assert row["n"] == len(one.sources[row["source"]])
        if row["role"] == "in-distribution":
            assert low - 0.01 <= row["fpr"] <= high + 0.01
    assert {row["role"] for row in rows} == {
        "own", "own-other-seed", "other", "in-distribution", "held-out",
    }  # fmt: skip
    calibration_reals = one.sources["real:calibration"]
    for row in rows:
        assert np.mean(calibration_reals > row["threshold"]) <= row["fpr"]


def test_too_few_calibration_reals_are_said_and_not_used(rng):
    rows, gaps = low_fpr([subject(rng, **{"real:calibration": np.arange(499.0)})])
    assert {row["fpr"] for row in rows} == {0.05}
    assert gaps == [
        "a, seed 0: a threshold that flags 1 % needs at least 500 calibration reals to mean "
        "anything, and there are 499"
    ]
    assert low_fpr([subject(rng, **{"real:calibration": None})]) == (
        [], ["a, seed 0: no calibration reals were scored"],
    )  # fmt: skip
