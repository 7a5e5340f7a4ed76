import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandetect.analyses.k_shot.numbers import k_shot
from gandetect.statistics.operating_points import best_cuts, youden
from gandetect.statistics.scored_detectors import ScoredDetector

NEW = "generated:b"
scores = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=25)


def subject(rng, own=3.0, new=1.0, seed=0, n_new=1500, spread=1.0, **changes) -> ScoredDetector:
    sizes = {
        "generated:a": (own, 300),
        NEW: (new, n_new),
        "generated:calibration": (own, 1000),
        "real:calibration": (0.0, 1000),
        "real:in-distribution": (0.0, 800),
        "real:held-out": (0.5, 300),
    }
    found = {name: np.sort(spread * rng.normal(m, 1, n)) for name, (m, n) in sizes.items()}
    kept = {name: values for name, values in (found | changes).items() if values is not None}
    return ScoredDetector("a", seed, 3, ("generated:a",), kept, {"native": 0.0})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def by_k(rows):
    return {row["k"]: row for row in rows if row["source"] == NEW}


@given(st.lists(scores, min_size=1, max_size=4), scores)
def test_every_row_has_the_cut_that_youden_chooses(rows, reals):
    shortest = min(map(len, rows))
    fakes = np.array([row[:shortest] for row in rows])
    assert best_cuts(fakes, np.array(reals)).tolist() == [youden(row, reals) for row in fakes]


@given(scores, scores, st.floats(0.01, 100), st.floats(0.01, 100))
def test_no_cut_is_better_than_the_best_by_its_weights(fakes, reals, of_fakes, of_reals):
    fakes, reals = np.array(fakes), np.array(reals)

    def gain(cut):
        return of_fakes * np.mean(fakes > cut) + of_reals * np.mean(reals <= cut)

    (cut,) = best_cuts(fakes[None], reals, (of_fakes, of_reals))
    assert gain(cut) >= max(gain(other) for other in np.arange(-7, 8) + 0.25) - 1e-9


def test_labels_move_the_cut_to_where_the_new_fakes_are(rng):
    found = by_k(k_shot([subject(rng)])[0])
    # The old cut lies at 1.5, the best one at 0.5, where 69 % of either label are right.
    assert found[0]["balanced_accuracy"] == pytest.approx(0.62, abs=0.03)
    assert found[1000]["balanced_accuracy"] == pytest.approx(0.69, abs=0.02)
    assert found[10]["balanced_accuracy"] < found[1000]["balanced_accuracy"]


def test_draws_agree_better_the_more_labels_they_have_and_none_beats_the_oracle_by_much(rng):
    found = by_k(k_shot([subject(rng)])[0])
    widths = [found[k]["high"] - found[k]["low"] for k in (10, 100, 1000)]
    assert widths[0] > widths[1]
    assert all(found[k]["low"] <= found[k]["balanced_accuracy"] <= found[k]["high"]
               for k in (10, 100, 1000))  # fmt: skip
    assert all(row["balanced_accuracy"] <= row["oracle"] + 0.005 for row in found.values())
    assert found[0]["low"] < found[0]["balanced_accuracy"] < found[0]["high"]
    assert (found[0]["draws"], found[10]["draws"]) == (0, 200)


def test_drawn_fakes_do_not_judge(rng):
    # Each fake lies twice as high as the last, so the cut under the lowest one drawn misses all
    # below it: 20 / 21 of them on average, which is 1 in 21 of those left but 1 in 42 of all.
    zeros = {"real:calibration": np.zeros(50), "real:in-distribution": np.zeros(50)}
    one = subject(rng, **{NEW: 2.0 ** np.arange(40)}, **zeros)
    row = by_k(k_shot([one], shots=(20,), draws=2000)[0])[20]
    assert row["n_generated"] == 20
    assert row["balanced_accuracy"] == pytest.approx(1 - 1 / 42, abs=0.004)


def test_the_same_seed_draws_the_same_and_another_does_not(rng):
    one = subject(rng)
    assert k_shot([one]) == k_shot([one])
    assert by_k(k_shot([one])[0])[10] != by_k(k_shot([one], seed=1)[0])[10]


def test_the_cut_is_not_chosen_on_test_reals(rng):
    one = subject(rng)
    other = {**one.sources, "real:in-distribution": one.sources["real:in-distribution"] + 100}
    row = by_k(k_shot([subject(rng, **other)], shots=(100,))[0])[100]
    # Fakes are caught as before and every test real is flagged.
    assert row["balanced_accuracy"] < 0.5


@pytest.mark.parametrize(
    ("changes", "ks", "said"),
    [
        ({"generated:calibration": None}, {10, 100, 1000}, "no cut before the first new label"),
        ({"real:calibration": None}, set(), "fewer than 20 calibration reals"),
        ({NEW: np.arange(119.0)}, {0, 10}, "119 images, too few to draw 100 or 1,000"),
        ({NEW: np.arange(12.0)}, set(), "generated:b has 12 images, fewer than 20"),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence_and_no_row(rng, changes, ks, said):
    rows, gaps = k_shot([subject(rng, **changes)])
    assert {row["k"] for row in rows} == ks
    assert said in " ".join(gaps)


def test_constant_scores_are_a_sentence(rng):
    assert k_shot([subject(rng, spread=0.0)]) == ([], ["a, seed 0: all its scores are equal"])


def test_own_fakes_are_not_new(rng):
    assert {row["source"] for row in k_shot([subject(rng)])[0]} == {NEW}
