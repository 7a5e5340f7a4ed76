import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from gandetect.errors import DataError, UsageError
from gandetect.statistics.operating_points import calibrate, oracle, youden

# Few distinct values, so that ties are the rule and not the exception.
tied = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=60)
smooth = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=60)


@given(st.one_of(tied, smooth), st.floats(0.0, 0.999))
def test_never_more_than_fpr_of_the_reals_lie_above(scores, fpr):
    threshold = calibrate(scores, fpr)
    assert np.mean(np.asarray(scores) > threshold) <= fpr


@given(st.one_of(tied, smooth), st.floats(0.0, 0.999))
def test_no_smaller_threshold_would_do(scores, fpr):
    scores = np.asarray(scores)
    threshold = calibrate(scores, fpr)
    lower = np.nextafter(threshold, -np.inf)
    assert np.mean(scores > lower) > fpr


def test_exact_share_is_used_where_it_can_be():
    scores = np.arange(100.0)
    for fpr in (0.05, 0.07, 0.29, 0.57):
        assert np.mean(scores > calibrate(scores, fpr)) == fpr


def test_all_scores_equal_calls_no_real_generated():
    assert calibrate([2.5] * 10, 0.5) == 2.5


def test_order_does_not_matter():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=501).astype(np.float32)
    assert calibrate(scores, 0.05) == calibrate(np.sort(scores), 0.05)


def test_no_scores_is_an_error():
    with pytest.raises(DataError, match="no calibration scores"):
        calibrate([], 0.05)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error(bad):
    with pytest.raises(DataError, match="not finite"):
        calibrate([0.0, bad], 0.05)


@pytest.mark.parametrize("fpr", [-0.1, 1.0, float("nan")])
def test_impossible_share_is_an_error(fpr):
    with pytest.raises(UsageError, match="fpr is"):
        calibrate([0.0], fpr)


@given(st.one_of(tied, smooth), st.one_of(tied, smooth))
def test_no_cut_has_a_larger_youden_index(generated, real):
    fakes, reals = np.asarray(generated), np.asarray(real)

    def index(cut):
        return np.mean(fakes > cut) - np.mean(reals > cut)

    chosen = youden(fakes, reals)
    everywhere = [*fakes, *reals, min(*fakes, *reals) - 1]
    assert index(chosen) >= max(map(index, everywhere)) - 1e-9


def test_youden_is_scikit_learns_best_roc_point():
    rng = np.random.default_rng(0)
    fakes, reals = rng.normal(1, 1, 300), rng.normal(0, 1, 200)
    fpr, tpr, _ = roc_curve(np.repeat([1, 0], [300, 200]), np.r_[fakes, reals])
    cut = youden(fakes, reals)
    assert np.mean(fakes > cut) - np.mean(reals > cut) == pytest.approx((tpr - fpr).max())


@given(st.one_of(tied, smooth), st.one_of(tied, smooth))
def test_the_oracle_is_an_upper_bound_of_every_cuts_accuracy(generated, real):
    fakes, reals = np.asarray(generated), np.asarray(real)
    cut, accuracy = oracle(fakes, reals)
    everything = [*fakes, *reals, min(*fakes, *reals) - 1]
    shares = [np.sum(fakes > c) + np.sum(reals <= c) for c in everything]
    assert accuracy == pytest.approx(max(shares) / (len(fakes) + len(reals)))
    assert np.sum(fakes > cut) + np.sum(reals <= cut) == max(shares)


def test_choosing_a_cut_needs_both_kinds_of_image():
    with pytest.raises(DataError, match="0 generated and 2 real"):
        youden([], [1.0, 2.0])
