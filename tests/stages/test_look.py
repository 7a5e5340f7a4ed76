"""What scoring keeps to be looked at: the right images, and the true nearest neighbours."""

import numpy as np
import pytest

from gandetect.sources import ImageSet
from gandetect.sources.generators import GeneratedSource
from gandetect.sources.splits import SplitSource
from gandetect.stages import look


def images(n, seed=0, shape=(1, 28, 28)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def brute_force(one, among) -> tuple[int, float]:
    distances = [float(np.sqrt(((one.astype(float) - other) ** 2).mean())) for other in among]
    return int(np.argmin(distances)), min(distances)


@pytest.mark.parametrize("name", ["generated:dcgan-bn", "real:held-out"])
def test_the_surest_wrong_the_surest_right_and_the_nearest_to_zero_are_kept(name):
    scores = np.random.default_rng(1).normal(0, 2, 300)
    right = scores > 0 if name.startswith("generated") else scores <= 0
    kept = look.chosen(name, scores, 25)
    by_sureness = sorted(range(300), key=lambda place: -abs(scores[place]))
    assert kept[look.MISTAKES].tolist() == [p for p in by_sureness if not right[p]][:25]
    assert kept[look.SUREST].tolist() == [p for p in by_sureness if right[p]][:12]
    assert kept[look.HARDEST].tolist() == by_sureness[::-1][:12]


def test_where_nothing_is_wrong_no_mistake_is_kept():
    kept = look.chosen("generated:dcgan-bn", np.array([0.5, 3.0, 0.0]), 25)
    assert {file: places.tolist() for file, places in kept.items()} == {
        look.MISTAKES: [], look.SUREST: [1, 0], look.HARDEST: [2, 0, 1],
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 40, 40)])
def test_the_nearest_image_is_that_of_a_search_through_all(shape):
    ours, among = images(5, 1, shape), images(300, 2, shape)
    places, distances = look.nearest(ours, among)
    expected = [brute_force(one, among) for one in ours]
    assert list(zip(places.tolist(), distances.tolist(), strict=True)) == [
        (place, pytest.approx(distance, rel=1e-12)) for place, distance in expected
    ]


def test_one_grey_level_in_one_pixel_decides_also_among_the_farthest_images(monkeypatch):
    monkeypatch.setattr(look, "CHUNK", 2)  # the winner stands in a later part
    black, white = (np.full((1, 1, 28, 28), level, np.uint8) for level in (0, 255))
    nearer = white.copy()
    nearer[..., 7, 7] = 254
    among = np.concatenate([white, white, white, nearer, nearer])
    places, distances = look.nearest(black, among)
    assert places.tolist() == [3]
    assert distances[0] == np.sqrt((783 * 255**2 + 254**2) / 784)


def _drawn(seed: int) -> GeneratedSource:
    return GeneratedSource("generated:dcgan-bn", seed, "dcgan-bn", "evaluation")


def test_a_copied_training_image_is_found_and_counted():
    training, fakes = images(400, 3), images(60, 4)
    fakes[41] = training[7]
    scores = np.linspace(-3, 3, 60)[::-1].copy()
    scores[41] = -9.0  # and it convinced the discriminator most
    scored = [
        (_drawn(5), ImageSet(images(60, 9)), np.zeros(60)),
        (_drawn(0), ImageSet(fakes), scores),
        (SplitSource("in-distribution"), ImageSet(images(80, 5)), np.zeros(80)),
    ]
    arrays, figures = look.neighbours(scored, "generated:dcgan-bn", 0, training)
    assert (arrays["best/indices"][0], arrays["best/neighbour_indices"][0]) == (41, 7)
    assert arrays["best/distances"][0] == 0
    np.testing.assert_array_equal(arrays["best/neighbours"][0], training[7])
    assert (figures["fakes"]["copies"], figures["reals"]["copies"]) == (1, 0)
    assert (figures["fakes"]["n"], figures["reals"]["n"]) == (60, 80)
    assert figures["fakes"]["smallest"] == 0


def test_the_interval_of_a_median_has_the_ranks_of_the_sign_test():
    values = np.random.default_rng(0).permutation(np.arange(1.0, 11))
    assert look.median_interval(values) == [2, 9]  # as tabulated for 10 values
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        low, high = look.median_interval(rng.exponential(size=200))
        covered += low <= np.log(2) <= high
    assert covered > 0.93 * 400
