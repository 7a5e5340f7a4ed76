"""Runs side by side: intervals of differences, what counts as moved, and what is only in one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from gandetect.analyses.compare.numbers import (
    comparison_table,
    p_from_interval,
    side_by_side,
)
from gandetect.statistics.intervals import difference, square_and_add, wilson


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0000)),
    ],
)
def test_shares_give_the_published_intervals(first, second, expected) -> None:
    """Newcombe 1998, table II, method 10."""
    (a, n), (b, m) = first, second
    found = square_and_add(b / m, wilson(b, m), a / n, wilson(a, n))
    np.testing.assert_allclose(found, expected, atol=5e-5)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_shares_give_the_same_as_counts_do(n, m, data) -> None:
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = square_and_add(b / m, wilson(b, m), a / n, wilson(a, n))
    np.testing.assert_allclose(found, difference(a, n, b, m), atol=1e-12)
    assert found[0] <= a / n - b / m <= found[1]


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        a, b = rng.binomial(200, 0.9), rng.binomial(400, 0.7)
        low, high = square_and_add(b / 400, wilson(b, 400), a / 200, wilson(a, 200))
        hits += low <= 0.2 <= high
    assert 0.935 < hits / 2000 < 0.97


def test_means_of_few_runs_are_rather_too_wide_than_too_narrow() -> None:
    rng = np.random.default_rng(0)
    reach = float(student.ppf(0.975, 4)) / math.sqrt(5)
    hits = 0
    for _ in range(1000):
        sides = rng.normal((0.5, 0.8), (0.02, 0.06), (5, 2)).T
        means, errors = sides.mean(axis=1), reach * sides.std(axis=1, ddof=1)
        bounds = [[mean - e, mean + e] for mean, e in zip(means, errors, strict=True)]
        low, high = square_and_add(means[0], bounds[0], means[1], bounds[1])
        hits += low <= 0.3 <= high
    assert 0.94 < hits / 1000 < 0.99


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.floats(1e-6, 1), st.sampled_from([1, 4, math.inf]))
def test_the_p_value_and_the_interval_say_the_same(centre, below, above, freedom) -> None:
    interval = [centre - below, centre + above]
    if min(abs(bound) for bound in interval) > 1e-9:
        beyond = not interval[0] <= 0 <= interval[1]
        assert (p_from_interval(centre, interval, freedom) < 0.05) == beyond


def test_few_seeds_prove_less_by_the_same_interval() -> None:
    p = [p_from_interval(0.3, [0.2, 0.4], freedom) for freedom in (math.inf, 9, 4, 1)]
    assert p == sorted(p)
    assert p[0] < 1e-6
    assert p[-1] > 0.01
    assert p_from_interval(-0.3, [-0.4, -0.2]) == pytest.approx(p[0])
    assert p_from_interval(0.0, [-0.1, 0.1]) == 1
    assert p_from_interval(0.1, [0.1, 0.1]) == 0


def cell(source: str, right: int, n: int = 1000, detector: str = "dcgan-bn", **more) -> dict:
    return {
        "detector": detector,
        "source": source,
        "role": "own",
        "operating_point": "native",
        "seeds": [0],
        "correct": [right / n],
        "mean": right / n,
        "ci95": wilson(right, n),
        "covers": "images",
        **more,
    }


def pair(source: str, auroc: float) -> dict:
    half = 0.01
    return {
        "detector": "dcgan-bn",
        "generated": source,
        "real": "real:held-out",
        "role": "own",
        "seeds": [0],
        "auroc": [auroc],
        "mean_auroc": auroc,
        "ci95": {"auroc": [auroc - half, auroc + half]},
        "covers": {"auroc": "images"},
    }


def metrics(cells=(), pairs=(), quality=()) -> dict:
    return {"across_seeds": cells, "pairs_across_seeds": pairs, "quality": list(quality)}


def test_every_run_is_compared_with_the_first_and_only_what_moved_is_called_moved() -> None:
    runs = {
        "a": metrics([cell("one", 800), cell("two", 500)], [pair("one", 0.8)]),
        "b": metrics([cell("one", 805), cell("two", 700)], [pair("one", 0.9)]),
        "c": metrics([cell("one", 600), cell("two", 500)], [pair("one", 0.8)]),
    }
    found = side_by_side(runs)
    moved = [(row["run"], row["source"], row["difference"] > 0)
             for row in found["cells"] if row.get("moved")]  # fmt: skip
    assert moved == [("b", "two", True), ("c", "one", False)]
    assert not [row for row in found["cells"] if row["run"] == "a" and "difference" in row]
    (row,) = [row for row in found["cells"] if (row["run"], row["source"]) == ("c", "one")]
    assert row["baseline"] == 0.8
    assert row["difference"] == pytest.approx(-0.2)
    np.testing.assert_allclose(row["difference_ci95"], difference(600, 1000, 800, 1000))
    assert [(s["run"], s["metric"], s["compared"], s["moved"]) for s in found["summary"]] == [
        ("b", "correct", 2, 1), ("b", "auroc", 1, 1), ("c", "correct", 2, 1), ("c", "auroc", 1, 0),
    ]  # fmt: skip
    assert found["summary"][0]["by_chance"] == pytest.approx(0.1)


def test_many_cells_in_which_nothing_changed_are_seldom_called_moved() -> None:
    rng = np.random.default_rng(0)
    alarms = beyond = 0
    for _ in range(100):
        sides = [metrics([cell(str(i), int(right)) for i, right in enumerate(draw)])
                 for draw in rng.binomial(1000, 0.7, (2, 20))]  # fmt: skip
        (summary, _) = side_by_side(dict(zip("ab", sides, strict=True)))["summary"]
        alarms += summary["moved"] > 0
        beyond += summary["beyond"]
    assert alarms <= 12
    assert 60 < beyond < 140  # 5 % of 2,000: what goes without correction


def test_what_covers_images_alone_is_never_said_to_cover_runs() -> None:
    several = {"seeds": [0, 1, 2], "covers": "runs and images"}
    once, often = metrics([cell("x", 500)]), metrics([cell("x", 700, **several)])
    for other, covers in ((once, "images"), (often, "runs and images")):
        found = side_by_side({"a": often, "b": other})
        assert found["cells"][1]["difference_covers"] == covers
        assert found["summary"][0]["covers"] == covers


def test_what_only_some_runs_have_is_listed_and_not_compared() -> None:
    runs = {
        "a": metrics([cell("x", 500), cell("old", 500)]),
        "b": metrics([cell("x", 500), cell("x", 500, detector="new")]),
    }
    found = side_by_side(runs)
    assert [row["source"] for row in found["cells"] if "difference" in row] == ["x"]
    assert found["alone"] == [
        {"kind": "detector", "name": "new", "runs": ["b"]},
        {"kind": "source", "name": "old", "runs": ["a"]},
    ]


def test_runs_without_anything_in_common_are_no_error() -> None:
    found = side_by_side({"a": metrics([cell("x", 500)]), "b": metrics()})
    assert [row["compared"] for row in found["summary"]] == [0, 0]
    assert len(comparison_table(found)) == 1


def test_generators_are_averaged_over_seeds_with_their_extremes() -> None:
    rows = [{"gan": "g", "seed": s, "fid": 10.0 + s, "kid": None} for s in (0, 2)]
    (found,) = side_by_side({"a": metrics(quality=rows)})["quality"]
    assert (found["fid"], found["fid_range"], found["kid"]) == (11, [10, 12], None)


def test_the_table_holds_every_figure_of_every_run() -> None:
    quality = [{"gan": "g", "seed": 0, "fid": 10.0, "kid": 0.1}]
    run = metrics([cell("x", 500)], [pair("x", 0.8)], quality)
    table = comparison_table(side_by_side({"a": run, "b": run}))
    assert table["metric"].tolist() == ["correct"] * 2 + ["auroc"] * 2 + ["fid", "kid"] * 2
    assert table["difference"].notna().tolist() == [False, True] * 2 + [False] * 4
    assert not table["moved"].dropna().any()
    assert table["low"][0] == wilson(500, 1000)[0]
