"""Variants that hold out other classes: differences by class, their mean, and their intervals."""

import numpy as np
import pytest

from gandetect.analyses.variants.classes import average_rows, class_rows
from gandetect.statistics.bootstrap import over_runs
from gandetect.statistics.intervals import difference

NAMES = "abcdefghij"
GROUPS = ("abc", "def", "ghi", "jad")  # the last is filled up with a and d


def chosen(held_out, flagged, seeds=(0,)) -> tuple[str, list[dict]]:
    """A study in which `flagged(name, unknown, seed)` of a class's images are flagged."""
    rows = [
        {
            "detector": "d", "detector_seed": seed, "class_name": name,
            "source": "real:held-out" if name in held_out else "real:in-distribution",
            "held_out": name in held_out, "operating_point": "native",
            "flagged": flagged(name, name in held_out, seed),
            "n": 6000 if name in held_out else 600,
        }
        for name in NAMES for seed in seeds
    ]  # fmt: skip
    return held_out, rows


def compare(*choices) -> tuple[list[dict], list[dict]]:
    classes = class_rows(dict(choices))
    return classes, average_rows(classes, [variant for variant, _ in choices])


def by_unknown(name, unknown, seed):
    return 0.4 if unknown else 0.1


def of_class(results, name):
    return next(row for row in results[0] if row["class_name"] == name)


def test_what_unknown_classes_cost_is_found():
    results = compare(*(chosen(group, by_unknown) for group in GROUPS))
    row = of_class(results, "b")
    assert row["trained"] == {"variants": ["def", "ghi", "jad"], "flagged": [0.1] * 3,
                              "n": [600] * 3, "mean": pytest.approx(0.1)}  # fmt: skip
    assert (row["held_out"]["variants"], row["held_out"]["mean"]) == (["abc"], 0.4)
    assert row["difference"] == pytest.approx(0.3)
    assert of_class(results, "a")["held_out"]["variants"] == ["abc", "jad"]
    (average,) = results[1]
    assert average["variants"] == list(GROUPS)
    assert average["differences"] == pytest.approx([0.3] * 4)


def test_a_class_that_is_hard_in_itself_is_no_difference():
    def hard(name, unknown, seed):
        return 0.6 if name == "g" else 0.05

    results = compare(*(chosen(group, hard) for group in GROUPS))
    assert of_class(results, "g")["difference"] == pytest.approx(0)
    assert results[1][0]["difference"] == pytest.approx(0)


def test_where_variants_agree_to_the_digit_the_chance_of_images_is_left():
    results = compare(*(chosen(group, by_unknown) for group in GROUPS))
    row = of_class(results, "b")
    assert row["ci95"] == pytest.approx(difference(2400, 6000, 180, 1800))
    assert row["covers"] == "variants and images"


def test_variants_that_agree_to_the_digit_still_have_a_mean_with_an_interval():
    def variance(share, n):
        imagined = (share * n + 2) / (n + 4)
        return imagined * (1 - imagined) / (n + 4)

    (average,) = compare(*(chosen(group, by_unknown) for group in GROUPS))[1]
    trained = {name: 600 * sum(name not in group for group in GROUPS) for name in NAMES}
    of_means = [sum(variance(0.4, 6000) + variance(0.1, trained[name]) for name in group) / 9
                for group in GROUPS]  # fmt: skip
    assert average["ci95"] == pytest.approx(over_runs([0.3] * 4, np.diag(of_means), share=False))


def test_variants_that_disagree_widen_the_interval_as_students_t_does():
    levels = dict(zip(GROUPS, (0.4, 0.02, 0.1, 0.18), strict=True))
    choices = [chosen(group, lambda name, unknown, seed, level=level: level)
               for group, level in levels.items()]  # fmt: skip
    row = of_class(compare(*choices), "b")  # held out in the first, trained on in the rest
    # t(0.975, 2 degrees) x the standard deviation 0.08 x sqrt(1 + 1/3)
    reach = 4.302653 * 0.08 * np.sqrt(4 / 3)
    assert row["ci95"] == pytest.approx([0.3 - reach, 0.3 + reach], abs=1e-6)


def test_two_variants_have_an_interval_over_images_alone_and_one_has_none():
    two = compare(chosen("abcde", by_unknown), chosen("fghij", by_unknown))
    assert of_class(two, "a")["covers"] == "images"
    assert of_class(two, "a")["ci95"] == difference(2400, 6000, 60, 600)
    one = compare(chosen("abc", by_unknown))
    assert (of_class(one, "a")["difference"], of_class(one, "a")["ci95"]) == (None, None)
    assert one[1] == []


def test_seeds_of_a_variant_count_as_one():
    choices = [
        chosen(group, lambda name, unknown, seed: 0.1 * seed, seeds=(1, 3)) for group in GROUPS
    ]
    row = of_class(compare(*choices), "b")
    assert row["trained"]["flagged"] == pytest.approx([0.2] * 3)
