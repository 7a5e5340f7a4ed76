"""A weighted sum of one term is what the runs give, and a difference knows what both share."""

import numpy as np
import pytest

from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.weighted_sums import Measure, WeightedSums

SEEDS = (0, 1, 2)
CAUGHT, AREA = Measure("correct", "native"), Measure("auroc", real="real:in-distribution")


def runs_of(name, rng, *, same_fakes=False, constant=False):
    images = {}
    for seed in SEEDS:
        fakes = np.ones(40) if constant else rng.normal(0.5, 1, 40)
        reals = -np.ones(30) if constant else rng.normal(-0.5, 1, 30)
        images[seed] = {
            "generated:a": ScoredImages(np.arange(40), fakes),
            "real:in-distribution": ScoredImages(np.arange(30), reals),
        }
    return DetectorRuns(
        name, ("generated:a",), {seed: {"native": 0.0} for seed in SEEDS}, images, same_fakes
    )


def statistic(terms, measure, *runs):
    sums = WeightedSums({one.detector: one for one in runs})
    return sums.statistic([(w, name, "generated:a") for w, name in terms], SEEDS, measure)


@pytest.mark.parametrize("same_fakes", [True, False])
@pytest.mark.parametrize("constant", [True, False])
def test_one_term_is_what_the_runs_give(same_fakes, constant):
    one = runs_of("x", np.random.default_rng(0), same_fakes=same_fakes, constant=constant)
    found = statistic([(1.0, "x")], CAUGHT, one)
    expected = one.share_correct(SEEDS, "generated:a", "native")
    np.testing.assert_allclose(found.values, expected.values)
    np.testing.assert_allclose(found.image_covariance, expected.image_covariance, atol=1e-15)
    found = statistic([(1.0, "x")], AREA, one)
    expected = one.auroc(SEEDS, "generated:a", "real:in-distribution")
    np.testing.assert_allclose(found.values, expected.values)
    np.testing.assert_allclose(found.image_covariance, expected.image_covariance, atol=1e-15)


def test_a_detector_minus_itself_is_nothing():
    one = runs_of("x", np.random.default_rng(0))
    found = statistic([(1.0, "x"), (-1.0, "x")], CAUGHT, one)
    np.testing.assert_allclose(found.values, 0.0, atol=1e-15)
    np.testing.assert_allclose(found.image_covariance, 0.0, atol=1e-15)


def test_a_mean_of_two_that_share_no_images_has_half_their_mean_variance():
    rng = np.random.default_rng(0)
    first, second = runs_of("x", rng), runs_of("y", rng)
    found = statistic([(0.5, "x"), (0.5, "y")], CAUGHT, first, second)
    each = [statistic([(1.0, one.detector)], CAUGHT, one) for one in (first, second)]
    np.testing.assert_allclose(found.values, (each[0].values + each[1].values) / 2)
    # Fakes of one seed are the same images to both detectors, so their answers are not apart.
    answers = [
        [one.correct(seed, "generated:a", "native") for seed in SEEDS] for one in (first, second)
    ]
    both = [np.stack(pair).mean(0).var(ddof=1) / 40 for pair in zip(*answers, strict=True)]
    np.testing.assert_allclose(np.diag(found.image_covariance), both)
    assert np.count_nonzero(found.image_covariance) == len(SEEDS)  # other runs, other fakes
