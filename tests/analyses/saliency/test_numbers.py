"""Windows cover all of an image, maps stand where the windows were, and ranks are Spearman's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from gandetect.analyses.saliency import numbers
from gandetect.analyses.study import ScoredStudy

RNG = np.random.default_rng


@pytest.mark.parametrize("side", [8, 16, 28, 31, 32, 64, 65, 100, 128, 224])
def test_windows_cover_every_pixel_and_none_beyond(side) -> None:
    starts, window = numbers.starts_of(side), numbers.window_of(side)
    covered = np.zeros(side, int)
    for start in starts:
        assert 0 <= start <= side - window
        covered[start : start + window] += 1
    assert covered.min() >= 1
    assert len(starts) <= 15  # or the scores of one image are too many


def test_each_window_in_turn_is_that_of_the_mean() -> None:
    image, mean = RNG(0).integers(0, 256, (2, 3, 28, 28), dtype=np.uint8)
    covered = numbers.occluded(image, mean)
    assert covered.shape == (81, 3, 28, 28)
    expected = image.copy()
    expected[:, 6:10, 21:25] = mean[:, 6:10, 21:25]
    np.testing.assert_array_equal(covered[2 * 9 + 7], expected)


def test_a_pixel_has_the_mean_of_the_windows_over_it() -> None:
    map_ = np.zeros((9, 9))
    map_[0, 1] = 6.0  # rows 0 to 3, columns 3 to 6
    spread = numbers.by_pixel(map_, 28)
    assert spread[0, 4] == 6.0  # under this window alone
    assert spread[0, 3] == spread[3, 4] == 3.0  # under another one, too
    assert spread[3, 3] == 1.5
    assert np.count_nonzero(spread) == 16
    np.testing.assert_allclose(numbers.by_pixel(np.full((2, 9, 9), 2.5), 28), 2.5)


def test_correlations_are_spearmans_of_the_sizes() -> None:
    first, second = RNG(1).normal(size=(2, 5, 9, 9))
    first[0], second[0] = np.round(first[0]), np.round(second[0])  # ties
    found = numbers.rank_correlations(first, second)
    expected = [
        spearmanr(np.abs(a).ravel(), np.abs(b).ravel()).statistic
        for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(numbers.rank_correlations(first, -first), 1)


def test_a_map_without_ranks_has_no_correlation() -> None:
    maps = RNG(2).normal(size=(1, 9, 9))
    assert np.isnan(numbers.rank_correlations(maps, np.zeros((1, 9, 9)))).all()


def measured(arrays, own=("generated:a",), known=True) -> list[dict]:
    study = ScoredStudy.__new__(ScoredStudy)
    facts = {"d": {"own": list(own)}} if known else {}
    vars(study).update(saliency={("d", 3): arrays}, facts=facts)
    return numbers.numbers(study)["saliency"]


def corner(n: int = 4) -> np.ndarray:
    """Maps that change in the corner alone, by 2 in the first image, by 3 in the second, …"""
    maps = np.zeros((n, 9, 9), np.float32)
    maps[:, 0, 0] = -(2.0 + np.arange(n))
    return maps


def test_what_changes_at_the_border_alone_is_counted_there() -> None:
    arrays = {"generated:a/maps": corner(), "generated:a/pixels": np.abs(corner())}
    (row,) = measured(arrays)
    assert row["largest"] == 3.5
    assert row["border"] == 1.0
    assert row["border_windows"] == pytest.approx(32 / 81)
    assert row["like_pixels"] == pytest.approx(1)
    assert row["like_shuffled"] is row["like_shuffled_ci95"] is None
    assert (row["detector"], row["detector_seed"], row["source"], row["n"]) == (
        "d", 3, "generated:a", 4)  # fmt: skip


def test_an_interval_of_a_correlation_is_that_of_its_mean() -> None:
    maps, other = RNG(3).normal(size=(2, 12, 9, 9)).astype(np.float32)
    (row,) = measured({"generated:a/maps": maps, "generated:a/shuffled": other})
    each = numbers.rank_correlations(maps, other)
    assert row["like_shuffled"] == pytest.approx(each.mean())
    low, high = row["like_shuffled_ci95"]
    assert high - low == pytest.approx(2 * 1.96 * each.std(ddof=1) / np.sqrt(12), rel=1e-3)


def test_sources_come_in_the_order_of_every_table_and_unknown_detectors_not_at_all() -> None:
    names = ("real:held-out", "generated:b", "generated:a", "real:in-distribution")
    arrays = {f"{name}/maps": corner() for name in names}
    assert [row["source"] for row in measured(arrays)] == [
        "generated:a", "generated:b", "real:in-distribution", "real:held-out"]  # fmt: skip
    assert measured(arrays, known=False) == []


def test_a_map_of_nothing_has_no_border_and_no_row_of_it() -> None:
    (row,) = measured({"generated:a/maps": np.zeros((3, 9, 9), np.float32)})
    assert row["border"] is None
    assert [one["metric"] for one in numbers.rows({"saliency": [row]})] == ["largest"]
