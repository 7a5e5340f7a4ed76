import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from gandetect.errors import DataError, UsageError
from gandetect.statistics.operating_points import (
    calibrate,
    conformal_rank,
    least_images,
    oracle,
    youden,
)

# Few distinct values, so that ties are the rule and not the exception.
tied = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=60)
smooth = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=60)


SHARES = st.one_of(st.floats(0.001, 0.999), st.sampled_from([0.01, 0.05, 0.07, 0.29, 0.57]))


@given(st.one_of(tied, smooth), SHARES)
def test_a_new_real_is_flagged_with_at_most_that_probability(scores, fpr):
    """Of n + 1 exchangeable scores, each is as likely as any other to be the new one."""
    flagged = 0
    for new in range(len(scores)):
        cut = calibrate([*scores[:new], *scores[new + 1 :]], fpr) if len(scores) > 1 else None
        flagged += cut is not None and scores[new] > cut
    assert flagged / len(scores) <= fpr


@given(st.one_of(tied, smooth), SHARES)
def test_no_lower_threshold_would_do(scores, fpr):
    n, cut = len(scores), calibrate(scores, fpr)
    if cut is None:
        assert 1 / (n + 1) > fpr
    else:
        above = np.count_nonzero(np.asarray(scores) >= cut)
        assert (above + 1) / (n + 1) > fpr


@pytest.mark.parametrize("n", [1, 2, 18, 19, 20, 99, 100, 999, 7000])
@pytest.mark.parametrize("percent", [1, 5, 7, 10, 29, 57, 58, 95])
def test_the_rank_is_that_of_exact_arithmetic(n, percent):
    exact = math.ceil((1 - Fraction(percent, 100)) * (n + 1))
    assert conformal_rank(n, percent / 100) == (exact if exact <= n else None)


@pytest.mark.parametrize("fpr", [0.5, 0.29, 0.1, 0.05, 0.01, 1 / 3, 0.99, 0.0001])
def test_no_fewer_images_would_do(fpr):
    n = least_images(fpr)
    assert calibrate(np.arange(n), fpr) == n - 1
    assert n == 1 or calibrate(np.arange(n - 1), fpr) is None
    assert n - 1 < max(1 / fpr - 1, 1) <= n + 1e-9


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


@pytest.mark.parametrize("fpr", [-0.1, 0.0, 1.0, float("nan")])
def test_impossible_share_is_an_error(fpr):
    for asked in (lambda: calibrate([0.0], fpr), lambda: least_images(fpr)):
        with pytest.raises(UsageError, match=r"fpr is .*0 < fpr < 1"):
            asked()


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


@pytest.mark.parametrize("fake", [1.0, 1.5, -3.0, 1e-300])
def test_a_cut_between_neighbouring_floats_catches_the_fake_and_passes_the_real(fake):
    real = np.nextafter(fake, -np.inf)
    assert real <= youden([fake], [real]) < fake
