"""What other calibration images would change: exact where the theory is, and shared by runs."""

import numpy as np
import pytest
from scipy.stats import beta

from gandetect.statistics.bootstrap import Statistic, over_runs
from gandetect.statistics.detector_runs import DetectorRuns, ScoredImages
from gandetect.statistics.redrawn import (
    DRAWS,
    ImageSet,
    best_cuts,
    counts,
    order_statistics,
    share_above,
)

REAL, TEST, FAKE = "real:calibration", "real:in-distribution", "generated:a"


def images(n, run=None, source=REAL):
    return ImageSet(source, np.arange(n).tobytes(), run)


@pytest.mark.parametrize("above", [0, 4])
def test_new_reals_are_flagged_as_the_beta_distribution_says(above):
    """Whatever the scores: the share above an order statistic is Beta(above + 1, n - above)."""
    n, rng = 60, np.random.default_rng(0)
    scores, many = np.exp(rng.standard_normal(n)), np.exp(rng.standard_normal(50_000))
    cut = float(np.sort(scores)[n - 1 - above])
    pool = [(images(n), scores), (images(len(many), source=TEST), many)]
    flagged = share_above(order_statistics(scores, cut, pool), many)
    expected = beta(above + 1, n - above)
    for share in (0.1, 0.5, 0.975):
        assert np.quantile(flagged, share) == pytest.approx(expected.ppf(share), rel=0.08)


def test_a_cut_may_lie_above_every_score_that_was_seen():
    scores = np.random.default_rng(0).standard_normal(20)
    cuts = order_statistics(scores, float(scores.max()), [(images(20), scores)])
    assert 0.3 < np.mean(cuts > scores.max()) < 0.7
    assert np.isfinite(cuts).all()


def one(scores, run=None):
    return order_statistics(scores, float(np.sort(scores)[-6]), [(images(100, run), scores)])


def test_runs_that_share_calibration_images_move_together_as_far_as_they_agree():
    rng = np.random.default_rng(0)
    scores = rng.standard_normal(100)
    agreeing, others = scores + 0.01 * rng.standard_normal(100), rng.standard_normal(100)
    assert np.corrcoef(one(scores), one(agreeing))[0, 1] > 0.95
    assert abs(np.corrcoef(one(scores), one(others))[0, 1]) < 0.35
    assert abs(np.corrcoef(one(scores, 0), one(agreeing, 1))[0, 1]) < 0.2


def runs_of(rng, *, shared, runs=3):
    parts = rng.standard_normal((runs, 100))
    calibration = parts[[0] * runs] if shared else parts
    test = rng.standard_normal(500)
    found = {}
    for seed in range(runs):
        offset = 0 if shared else 1000 * seed  # of calibration images: tests are shared
        found[seed] = {
            REAL: ScoredImages(np.arange(100) + offset, calibration[seed]),
            TEST: ScoredImages(np.arange(500), test),
            FAKE: ScoredImages(np.arange(500), 1 + rng.standard_normal(500)),
        }
    cuts = {seed: {"native": 0.5, "calibrated": float(np.sort(of[REAL].scores)[-6])}
            for seed, of in found.items()}  # fmt: skip
    return DetectorRuns("a", (FAKE,), cuts, found, same_fakes=False)


def test_the_covariance_off_the_diagonal_is_that_of_shared_calibration_images():
    for shared, low, high in ((True, 0.9, 1.0), (False, -0.2, 0.2)):
        runs = runs_of(np.random.default_rng(1), shared=shared)
        moved = runs.share_correct([0, 1, 2], FAKE, "calibrated").calibration
        assert low < np.corrcoef(moved)[0, 1] <= high
    assert runs.share_correct([0, 1, 2], FAKE, "native").calibration is None


def test_reals_and_fakes_move_against_each_other_and_around_their_shares():
    runs = runs_of(np.random.default_rng(1), shared=True)
    shares = [runs.share_correct([0], name, "calibrated") for name in (TEST, FAKE)]
    accepted, caught = (one.calibration[0] for one in shares)
    assert np.corrcoef(accepted, caught)[0, 1] < -0.9
    assert [accepted.mean(), caught.mean()] == pytest.approx([one.mean for one in shares], abs=0.2)


def test_the_interval_of_the_procedure_is_wider_and_says_what_it_covers():
    runs = runs_of(np.random.default_rng(1), shared=True)
    found = runs.share_correct([0, 1, 2], TEST, "calibrated")
    assert found.covers == "runs, calibration and test images"
    assert np.ptp(found.ci95()) > np.ptp(over_runs(found.values, found.image_covariance))
    assert runs.share_correct([0], TEST, "calibrated").covers == "calibration and test images"
    assert Statistic(np.ones(1), np.eye(1)).covers == "test images"


def test_a_resample_draws_as_many_images_and_equal_sets_the_same_ones():
    drawn = counts(images(50))
    assert drawn.shape == (DRAWS, 50)
    assert set(drawn.sum(axis=1)) == {50}
    assert np.array_equal(drawn, counts(images(50)))
    assert not np.array_equal(drawn, counts(images(50, run=0)))


def test_the_best_cut_is_drawn_around_the_one_that_was_chosen():
    rng = np.random.default_rng(0)
    fakes, reals = rng.normal(2, 1, 2000), rng.normal(0, 1, 2000)
    cuts = best_cuts((images(2000, source="generated:validation"), fakes), (images(2000), reals))
    assert cuts.mean() == pytest.approx(1.0, abs=0.1)
    assert 0.03 < cuts.std() < 0.25
    dear = best_cuts(
        (images(2000, source="generated:validation"), fakes), (images(2000), reals), (1.0, 20.0)
    )
    assert dear.mean() > cuts.mean() + 0.5


@pytest.mark.parametrize("n", [20, 100])
def test_the_promise_at_the_calibrated_threshold_is_covered(n):
    """Wide margins: `python -m benchmarks.coverage` measures it."""
    rng = np.random.default_rng(n)
    k = int(np.ceil(0.95 * (n + 1)))
    hits = fixed = 0
    for _ in range(60):
        scores = {REAL: rng.standard_normal(n), TEST: rng.standard_normal(400)}
        of = {name: ScoredImages(np.arange(len(one)), one) for name, one in scores.items()}
        cut = {"calibrated": float(np.sort(scores[REAL])[k - 1])}
        found = DetectorRuns("a", (), {0: cut}, {0: of}, False).share_correct(
            [0], TEST, "calibrated"
        )
        low, high = found.ci95()
        hits += low <= k / (n + 1) <= high
        low, high = over_runs(found.values, found.image_covariance)
        fixed += low <= k / (n + 1) <= high
    assert hits >= 0.88 * 60
    assert fixed < 0.85 * 60
