"""Several choices of held-out classes: differences by class, the four shares, their intervals."""

import json

import numpy as np
import pytest

from gandetect.evaluation.sweep import Chosen, compare_choices, sweep_table
from gandetect.statistics.intervals import difference

NAMES = "abcdefghij"
GROUPS = ("abc", "def", "ghi", "jad")  # the last is filled up with a and d


def chosen(held_out, delayed, seeds=(0,), shares=None) -> Chosen:
    """A study in which `delayed(name, unknown, seed)` of a class's images are delayed."""
    rows = [
        {
            "detector": "d", "detector_seed": seed, "class_name": name,
            "source": "real:held-out" if name in held_out else "real:in-distribution",
            "held_out": name in held_out, "operating_point": "native",
            "delayed": delayed(name, name in held_out, seed),
            "n": 6000 if name in held_out else 600,
        }
        for name in NAMES for seed in seeds
    ]  # fmt: skip
    shares = shares or {"own": [0.8], "other": [0.5], "in-distribution": [0.9], "held-out": [0.7]}
    cells = [
        {"detector": "d", "source": role, "role": role, "operating_point": "native",
         "correct": values, "ci95": [0.4, 0.95], "n": [1000] * len(values)}
        for role, values in {**shares, "training": [0.9]}.items()
    ]  # fmt: skip
    return Chosen(tuple(held_out), {"across_seeds": cells}, rows)


def by_unknown(name, unknown, seed):
    return 0.4 if unknown else 0.1


def of_class(results, name):
    return next(row for row in results["by_class"] if row["class_name"] == name)


def test_what_unknown_classes_cost_is_found():
    results = compare_choices([chosen(group, by_unknown) for group in GROUPS])
    row = of_class(results, "b")
    assert row["trained"] == {"choices": [2, 3, 4], "delayed": [0.1] * 3, "n": [600] * 3,
                              "mean": pytest.approx(0.1)}  # fmt: skip
    assert (row["held_out"]["choices"], row["held_out"]["mean"]) == ([1], 0.4)
    assert row["difference"] == pytest.approx(0.3)
    assert of_class(results, "a")["held_out"]["choices"] == [1, 4]
    (average,) = results["on_average"]
    assert average["differences"] == pytest.approx([0.3] * 4)


def test_a_class_that_is_hard_in_itself_is_no_difference():
    def hard(name, unknown, seed):
        return 0.6 if name == "g" else 0.05

    results = compare_choices([chosen(group, hard) for group in GROUPS])
    assert of_class(results, "g")["difference"] == pytest.approx(0)
    assert results["on_average"][0]["difference"] == pytest.approx(0)


def test_where_choices_agree_to_the_digit_the_chance_of_images_is_left():
    results = compare_choices([chosen(group, by_unknown) for group in GROUPS])
    row = of_class(results, "b")
    assert row["ci95"] == pytest.approx(difference(2400, 6000, 180, 1800))
    assert row["covers"] == "choices and images"


def test_choices_that_agree_to_the_digit_still_have_intervals_with_a_width():
    sure = {"own": [1.0], "held-out": [0.0]}
    results = compare_choices([chosen(group, by_unknown, shares=sure) for group in GROUPS])
    own, unknown = results["shares_across"]
    assert 0.98 < own["ci95"][0] < own["ci95"][1] == 1
    assert 0 == unknown["ci95"][0] < unknown["ci95"][1] < 0.02
    low, high = results["on_average"][0]["ci95"]
    assert 0.25 < low < 0.3 < high < 0.35


def test_choices_that_disagree_widen_the_interval_as_students_t_does():
    levels = dict(zip(GROUPS, (0.4, 0.02, 0.1, 0.18), strict=True))
    choices = [chosen(group, lambda name, unknown, seed, level=level: level)
               for group, level in levels.items()]  # fmt: skip
    row = of_class(compare_choices(choices), "b")  # held out in the first, trained on in the rest
    # t(0.975, 2 degrees) x the standard deviation 0.08 x sqrt(1 + 1/3)
    reach = 4.302653 * 0.08 * np.sqrt(4 / 3)
    assert row["ci95"] == pytest.approx([0.3 - reach, 0.3 + reach], abs=1e-6)


def test_two_choices_have_an_interval_over_images_alone_and_one_has_none():
    two = compare_choices([chosen("abcde", by_unknown), chosen("fghij", by_unknown)])
    assert of_class(two, "a")["covers"] == "images"
    assert of_class(two, "a")["ci95"] == difference(2400, 6000, 60, 600)
    one = compare_choices([chosen("abc", by_unknown)])
    assert (of_class(one, "a")["difference"], of_class(one, "a")["ci95"]) == (None, None)
    assert one["on_average"] == []
    assert one["shares_across"][0]["ci95"] is None


def test_seeds_of_a_choice_count_as_one_choice():
    choices = [
        chosen(group, lambda name, unknown, seed: 0.1 * seed, seeds=(1, 3)) for group in GROUPS
    ]
    row = of_class(compare_choices(choices), "b")
    assert row["trained"]["delayed"] == pytest.approx([0.2] * 3)


def test_shares_by_choice_and_how_they_spread():
    own = ([0.6, 0.8], [0.7, 0.9], [0.5, 0.7], [0.8, 0.8])
    choices = [chosen(group, by_unknown, shares={"own": values, "held-out": [0.5, 0.5]})
               for group, values in zip(GROUPS, own, strict=True)]  # fmt: skip
    results = compare_choices(choices)
    assert [row["role"] for row in results["shares"][:2]] == ["own", "held-out"]  # no training
    row = next(row for row in results["shares_across"] if row["role"] == "own")
    assert row["choices"] == pytest.approx([0.7, 0.8, 0.6, 0.8])
    assert (row["low"], row["high"]) == (pytest.approx(0.6), pytest.approx(0.8))
    assert row["sd"] == pytest.approx(np.std([0.7, 0.8, 0.6, 0.8], ddof=1))
    assert row["sd_expected"] == pytest.approx(np.sqrt((0.01 + 0.01 + 0.01 + 0) / 4))
    assert row["ci95"][0] < row["mean"] < row["ci95"][1]


def test_one_seed_cannot_say_what_training_alone_would_do():
    results = compare_choices([chosen(group, by_unknown) for group in GROUPS])
    assert {row["sd_expected"] for row in results["shares_across"]} == {None}


def test_the_numbers_can_be_written_and_the_table_holds_them_all():
    results = compare_choices([chosen(group, by_unknown) for group in GROUPS])
    json.dumps(results, allow_nan=False)
    table = sweep_table(results)
    counts = table["figure"].value_counts()
    assert (counts["delayed when held out"], counts["delayed when trained on"]) == (12, 28)
    assert (counts["difference"], counts["mean difference"], counts["correct: own"]) == (10, 1, 4)
    shares = table[table["figure"] == "delayed when held out"]
    assert shares["value"].eq(0.4).all()
    assert shares["n"].eq(6000).all()
