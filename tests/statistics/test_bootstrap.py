"""Intervals over runs and images: right on simulated studies whose truth is known."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta

from gandetect.errors import DataError
from gandetect.statistics.bootstrap import (
    Statistic,
    deviations,
    holm,
    mean_over_images,
    over_runs,
    p_value,
)


def simulated_study(rng, *, runs, images, centre, spread, same_images):
    """Answers `(runs, images)` of detectors whose share of right answers varies by run."""
    difficulty = rng.standard_normal((1 if same_images else runs, images))
    probability = expit(centre + spread * rng.standard_normal((runs, 1)) + difficulty)
    return (rng.random((runs, images)) < probability).astype(float)


def true_share(centre, spread):
    """The share over all runs and images there could be (Gauss-Hermite)."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    return float(weights @ expit(centre + np.hypot(spread, 1.0) * points) / weights.sum())


def covered(rng, studies, *, interval=over_runs, **design) -> float:
    truth = true_share(design["centre"], design["spread"])
    hits = 0
    for _ in range(studies):
        answers = simulated_study(rng, **design)
        found = mean_over_images(list(answers), same_images=design["same_images"])
        low, high = interval(found.values, found.image_covariance)
        hits += low <= truth <= high
    return hits / studies


def over_images_only(values, covariance):
    """What is usually reported: as if other runs would turn out the same."""
    mean, error = np.mean(values), np.sqrt(np.sum(covariance)) / len(values)
    return mean - 1.96 * error, mean + 1.96 * error


DESIGNS = [
    {"runs": runs, "images": 1000, "centre": centre, "spread": spread, "same_images": same}
    for runs in (3, 5, 10)
    for centre, spread in ((0.0, 0.5), (2.0, 0.3), (1.0, 1.0))
    for same in (False, True)
]


def test_most_intervals_of_simulated_studies_cover_the_truth():
    rng = np.random.default_rng(0)
    design = {"runs": 5, "images": 200, "centre": 1.0, "spread": 0.5, "same_images": True}
    assert 0.90 <= covered(rng, 200, **design) <= 0.99
    assert covered(rng, 200, interval=over_images_only, **design) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_93_to_97_of_100_intervals_cover_the_truth(design):
    share = covered(np.random.default_rng(1), 1000, **design)
    print(f"{design}: {100 * share:.1f} %")
    assert 0.93 <= share <= 0.97


def test_more_runs_make_a_narrower_interval():
    widths = []
    for runs in (2, 4, 20):
        low, high = over_runs([0.65, 0.75] * (runs // 2), np.diag([1e-6] * runs))
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]


def test_images_that_all_runs_share_widen_the_interval():
    values = [0.70, 0.72, 0.71]
    apart = over_runs(values, np.eye(3) * 1e-3)
    shared = over_runs(values, np.full((3, 3), 1e-3))
    assert shared[1] - shared[0] > 1.5 * (apart[1] - apart[0])


def test_a_share_that_calibration_images_move_from_end_to_end_is_covered():
    """Of one run, and the images move it far more on one side than on the other."""
    rng = np.random.default_rng(0)
    again = beta.ppf((np.arange(200) + 0.5) / 200, 0.7, 1.5)[None]
    ends = np.array([over_runs([one], [[1e-6]], again) for one in rng.beta(0.7, 1.5, 400)])
    truth = 0.7 / 2.2
    assert 0.93 <= np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) <= 0.97
    assert ends.min() >= 0
    assert ends.max() <= 1


def test_one_run_is_covered_over_images_only():
    answers = np.repeat([1.0, 0.0], [700, 300])
    found = mean_over_images([answers], same_images=True)
    low, high = over_runs(found.values, found.image_covariance)
    assert low == pytest.approx(0.671, abs=0.002)
    assert high == pytest.approx(0.728, abs=0.002)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_equal_answers_to_all_images_leave_room_for_doubt(share):
    found = mean_over_images([np.full(50, share)] * 3, same_images=True)
    low, high = over_runs(found.values, found.image_covariance)
    assert 0.0 <= low < high <= 1.0
    assert high - low > 0.02


def test_an_interval_holds_its_mean_and_stays_within_bounds():
    low, high = over_runs([0.99, 0.5, 0.999], np.diag([1e-5] * 3))
    assert 0 <= low < np.mean([0.99, 0.5, 0.999]) < high <= 1
    assert over_runs([-0.9, 0.9], np.diag([1e-5] * 2), share=False) == [-1.0, 1.0]


def test_equal_numbers_give_equal_intervals():
    assert over_runs([0.1, 0.2], np.eye(2) * 1e-4) == over_runs([0.1, 0.2], np.eye(2) * 1e-4)


def test_a_difference_beyond_chance_has_a_small_p_value():
    noise = np.diag([1e-4] * 5)
    assert p_value(Statistic(np.array([0.20, 0.21, 0.19, 0.22, 0.20]), noise)) < 0.001
    assert p_value(Statistic(np.array([0.20, -0.21, 0.19, -0.22, 0.02]), noise)) > 0.5


def test_holm_never_lowers_a_p_value_and_keeps_their_order():
    values = [0.001, 0.2, 0.03, 0.03]
    corrected = holm(values)
    assert all(after >= before for before, after in zip(values, corrected, strict=True))
    assert (
        np.argsort(corrected, kind="stable").tolist() == np.argsort(values, kind="stable").tolist()
    )
    assert corrected[0] == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("values", "covariance"),
    [
        ([], []),
        ([0.5], np.eye(2)),
        ([0.5, np.nan], np.eye(2)),
        ([0.5, 0.5], np.full((2, 2), np.inf)),
    ],
)
def test_what_is_no_statistic_is_refused(values, covariance):
    with pytest.raises(DataError, match=r"one value for each run|not finite"):
        over_runs(values, covariance)


def test_the_chance_of_images_is_the_variance_of_a_mean():
    rng = np.random.default_rng(0)
    runs = [rng.random(50) for _ in range(3)]
    together = mean_over_images(runs, same_images=True).image_covariance
    np.testing.assert_allclose(together, np.cov(np.stack(runs)) / 50)
    apart = mean_over_images(runs, same_images=False).image_covariance
    np.testing.assert_allclose(apart, np.diag([run.var(ddof=1) / 50 for run in runs]))
    unequal = mean_over_images([runs[0], runs[1][:20]], same_images=True).image_covariance
    np.testing.assert_allclose(np.diag(unequal), [runs[0].var(ddof=1) / 50,
                                                  runs[1][:20].var(ddof=1) / 20])  # fmt: skip


@pytest.mark.parametrize("n", [1, 6, 50])
def test_two_more_images_are_imagined_to_differ_where_all_were_answered_alike(n):
    found = mean_over_images([np.ones(n), np.zeros(n)], same_images=True)
    np.testing.assert_allclose(found.image_covariance, np.diag([2 / (n + 4) ** 2] * 2))


def widening(runs):
    """E of (S / (S - 1)) (S - 1) / chi^2 with S - 1 degrees of freedom: Student's t, squared."""
    return runs / (runs - 1) * (runs - 1) / (runs - 3)


@pytest.mark.parametrize("runs", [8, 15])
def test_runs_are_resampled_and_widened_as_students_t_is(runs):
    values = np.random.default_rng(1).normal(0.5, 0.1, runs)
    found = deviations(Statistic(values, np.zeros((runs, runs))))
    assert found.mean() == pytest.approx(0.0, abs=0.002)
    assert found.var() == pytest.approx(values.var() / runs * widening(runs), rel=0.05)


@pytest.mark.parametrize("runs", [8, 15])
def test_images_that_runs_share_are_drawn_once_more_and_own_ones_where_runs_are_equal(runs):
    own, shared = 4e-4, 1e-4
    covariance = np.full((runs, runs), shared) + np.diag([own - shared] * runs)
    found = deviations(Statistic(np.full(runs, 0.5), covariance))
    expected = own / runs * widening(runs) + shared
    assert found.var() == pytest.approx(expected, rel=0.05)
    values = np.random.default_rng(1).normal(0.5, 0.1, runs)
    apart = deviations(Statistic(values, np.diag([own] * runs)))
    assert np.array_equal(apart, deviations(Statistic(values, np.zeros((runs, runs)))))


def test_one_run_has_the_chance_of_its_images_alone():
    found = deviations(Statistic(np.array([0.5]), np.array([[4e-4]])))
    assert found.std() == pytest.approx(0.02, rel=0.03)
