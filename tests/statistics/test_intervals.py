import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandetect.errors import DataError
from gandetect.statistics.intervals import difference, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_published_values(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_share_and_is_never_a_point(case):
    successes, n = case
    low, high = wilson(successes, n)
    assert 0.0 <= low <= successes / n <= high <= 1.0
    assert low < high


def test_empty_group_is_an_error():
    with pytest.raises(DataError, match="empty group"):
        wilson(0, 0)


@pytest.mark.parametrize(
    ("first", "n", "second", "m", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17, 873-890), table II, method 10.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_difference_agrees_with_published_values(first, n, second, m, low, high):
    assert difference(first, n, second, m) == pytest.approx([low, high], abs=5e-5)


def test_wilson_covers_what_it_promises():
    rng = np.random.default_rng(0)
    draws = rng.binomial(200, 0.1, size=500)
    covered = [low <= 0.1 <= high for low, high in (wilson(int(k), 200) for k in draws)]
    assert 0.92 <= np.mean(covered) <= 0.98
