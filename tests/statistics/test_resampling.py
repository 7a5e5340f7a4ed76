"""Figures on redrawn images: what repeating each image would give, without repeating it."""

import numpy as np
import pytest

from gandetect.statistics.decisions import confusion, general_figures
from gandetect.statistics.ranking import pair_metrics
from gandetect.statistics.redrawn import DRAWS, ImageSet, counts
from gandetect.statistics.resampling import from_draws, ranking_draws, redrawn_share, tail_of

SHIFT = 1.5


def sample(rng, source, n, shift=0.0):
    return ImageSet(source, np.arange(n).tobytes()), rng.normal(shift, 1, n)


@pytest.fixture
def both():
    rng = np.random.default_rng(0)
    return sample(rng, "generated:a", 900, SHIFT), sample(rng, "real:in-distribution", 700)


def test_each_draw_is_the_figure_of_its_images(both):
    drawn = ranking_draws(*map(tail_of, both))
    repeated = [
        pair_metrics(*(np.repeat(scores, counts(images)[row]) for images, scores in both))
        for row in range(30)
    ]
    for name, values in drawn.items():
        exact = np.array([one[name] for one in repeated])
        assert np.corrcoef(values[:30], exact)[0, 1] > 0.9
        assert values[:30].std() == pytest.approx(exact.std(), rel=0.2)
        assert values.mean() == pytest.approx(pair_metrics(both[0][1], both[1][1])[name], abs=0.03)


def test_a_share_is_spread_as_the_binomial_distribution_is(both):
    drawn = redrawn_share([both[0]], SHIFT)
    share = np.mean(both[0][1] > SHIFT)
    assert drawn.mean() == pytest.approx(share, abs=0.005)
    assert drawn.std() == pytest.approx(np.sqrt(share * (1 - share) / 900), rel=0.15)


@pytest.mark.parametrize("scores", [np.zeros(50), np.arange(2.0), np.ones(1), np.zeros(70_000)])
def test_few_and_equal_scores_are_counted_too(scores):
    found = tail_of((ImageSet("real:held-out", np.arange(len(scores)).tobytes()), scores))
    np.testing.assert_allclose(found.above[:, 0], 1)
    np.testing.assert_allclose(found.above[:, -1], 0)
    np.testing.assert_allclose(found.between.sum(axis=1), 1)
    assert found.points.shape == (found.between.shape[1],)


def test_runs_that_share_images_have_a_covariance_and_equal_answers_leave_doubt():
    rng = np.random.default_rng(0)
    common, apart = rng.normal(0, 0.01, DRAWS), rng.normal(0, 0.01, (2, DRAWS))
    shared = from_draws([0.5, 0.6], [common + apart[0], common + apart[1]], 1000)
    assert 0.3 < shared.image_covariance[0, 1] / shared.image_covariance[0, 0] < 0.7
    sure = from_draws([1.0], [np.ones(DRAWS)], 50)
    assert sure.image_covariance[0, 0] == pytest.approx(2 / 54**2)
    assert sure.calibration is None
    moved = from_draws([0.5], [common], 50, [common + 3.0])
    np.testing.assert_allclose(moved.calibration, [common + 3.0])


def test_the_figures_of_many_draws_are_those_of_each():
    rng = np.random.default_rng(0)
    fakes, reals = rng.normal(1, 1, 30), rng.normal(0, 1, 20)
    cuts = [-9.0, 0.0, 0.7, 9.0]
    tables = [confusion(fakes, reals, cut) for cut in cuts]
    together = general_figures([t[1][1] for t in tables], [t[0][0] for t in tables], 30, 20)
    for row, ((rr, _), (_, gg)) in enumerate(tables):
        for name, value in general_figures(gg, rr, 30, 20).items():
            assert together[name][row] == pytest.approx(float(value))
