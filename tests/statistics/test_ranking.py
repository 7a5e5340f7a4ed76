import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from gandetect.errors import DataError
from gandetect.statistics.ranking import auroc, curves, pair_metrics

values = st.one_of(
    st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=40),
    st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=40),
).map(np.asarray)


@given(values, values)
def test_auroc_is_scikit_learns(generated, real):
    labels = [1] * len(generated) + [0] * len(real)
    expected = roc_auc_score(labels, np.concatenate([generated, real]))
    area, (low, high) = auroc(generated, real)
    assert area == pytest.approx(expected, abs=1e-12)
    assert 0.0 <= low <= area <= high <= 1.0


@settings(max_examples=50)
@given(values, values)
def test_other_figures_obey_their_definitions(generated, real):
    result = pair_metrics(generated, real)
    labels = [1] * len(generated) + [0] * len(real)
    scores = np.concatenate([generated, real])
    cuts = [-np.inf, *np.unique(scores)]
    tpr = np.array([np.mean(generated > cut) for cut in cuts])
    fpr = np.array([np.mean(real > cut) for cut in cuts])
    assert result["fpr_at_95_tpr"] == fpr[tpr >= 0.95].min()
    assert result["tpr_at_5_fpr"] == tpr[fpr <= 0.05].max()
    assert result["average_precision"] == average_precision_score(labels, scores)


def test_auroc_is_high_when_generated_images_score_higher():
    high, low = np.array([2.0, 3.0, 4.0]), np.array([-2.0, -1.0, 0.0])
    assert auroc(high, low)[0] == 1.0
    assert auroc(low, high)[0] == 0.0


def test_a_better_fake_gets_a_lower_auroc():
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, 500)
    bad, good = rng.normal(2, 1, 500), rng.normal(0.5, 1, 500)
    assert auroc(good, real)[0] < auroc(bad, real)[0]


def test_large_log_odds_are_not_squashed():
    # A float32 sigmoid makes all of these 1.0, and the area 0.5.
    generated, real = np.array([200.0, 300.0]), np.array([50.0, 100.0])
    assert auroc(generated, real)[0] == 1.0


def test_perfect_separation_keeps_an_interval_that_is_no_point():
    area, (low, high) = auroc(np.arange(10.0) + 100, np.arange(10.0))
    assert (area, high) == (1.0, 1.0)
    assert low < 0.8


def test_constant_scores_are_a_coin_toss_with_an_interval():
    result = pair_metrics(np.zeros(50), np.zeros(50))
    assert result["auroc"] == 0.5
    assert result["fpr_at_95_tpr"] == 1.0
    assert result["tpr_at_5_fpr"] == 0.0
    low, high = result["ci95"]["auroc"]
    assert low < 0.5 < high


def test_delong_agrees_with_the_bootstrap():
    rng = np.random.default_rng(1)
    generated, real = rng.normal(1, 1, 150), rng.normal(0, 1.5, 200)
    area, (low, high) = auroc(generated, real)
    drawn = [auroc(rng.choice(generated, 150), rng.choice(real, 200))[0] for _ in range(1500)]
    expected = np.quantile(drawn, [0.025, 0.975])
    assert [low, high] == pytest.approx(expected, abs=0.01)
    assert low < area < high


def test_curves_run_from_corner_to_corner():
    rng = np.random.default_rng(2)
    drawn = curves(rng.normal(1, 1, 50), rng.normal(0, 1, 60))
    assert (drawn.fpr[0], drawn.tpr[0]) == (0.0, 0.0)
    assert (drawn.fpr[-1], drawn.tpr[-1]) == (1.0, 1.0)
    assert np.trapezoid(drawn.tpr, drawn.fpr) == pytest.approx(auroc(*_again())[0])


def _again():
    rng = np.random.default_rng(2)
    return rng.normal(1, 1, 50), rng.normal(0, 1, 60)


def test_an_empty_side_is_an_error():
    with pytest.raises(DataError, match="at least one of each"):
        pair_metrics(np.array([]), np.array([1.0]))


def test_rates_are_those_of_every_threshold_where_the_curve_is_a_straight_line():
    both = np.arange(20.0)
    found = pair_metrics(both, both)
    assert found["tpr_at_5_fpr"] == pytest.approx(0.05)
    assert found["fpr_at_95_tpr"] == pytest.approx(0.95)
