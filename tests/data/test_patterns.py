"""How many names a `group_pattern` fits is counted by class, and too few are refused."""

from __future__ import annotations

import pytest

from gandetect.data.patterns import pattern_fit
from gandetect.errors import UsageError

PATHS = [f"real/scene{n}_a.png" for n in range(9)] + [f"fake/gen-{n}.png" for n in range(3)]
CLASSES = ["real"] * 9 + ["fake"] * 3


def test_names_are_counted_by_class() -> None:
    fit = pattern_fit(PATHS, CLASSES, "^(scene[0-9]+)_")
    assert (fit.fits, fit.files) == (9, 12)
    assert fit.facts()["classes"]["fake"] == {"files": 3, "fits": 0, "unlike": "gen-0.png"}
    assert "'fake': 0 of 3, 'real': 9 of 9" in fit.sentence()


def test_every_class_has_to_reach_the_share() -> None:
    paths = [*PATHS, *(f"real/scene{n}_b.png" for n in range(90))]  # 99 of 102 names fit
    fit = pattern_fit(paths, [*CLASSES, *["real"] * 90], "^(scene[0-9]+)_")
    with pytest.raises(UsageError, match=r"fits 99 of 102.*not 'gen-0.png'.*0.95 of every class"):
        fit.require(0.95)
    fit.require(0.0)


def test_the_share_itself_is_enough() -> None:
    fit = pattern_fit(["1_a", "2_a", "3_a", "b"], ["c"] * 4, "^[0-9]")
    fit.require(0.75)
    with pytest.raises(UsageError, match="fits 3 of 4"):
        fit.require(0.76)


def test_a_pattern_that_fits_no_name_is_refused_whatever_the_share() -> None:
    with pytest.raises(UsageError, match=r"fits 0 of 12 .* some of them"):
        pattern_fit(PATHS, CLASSES, "^xyz").require(0.0)


def test_an_empty_match_fits_nothing() -> None:
    assert pattern_fit(["a.png"], ["c"], "[0-9]*").fits == 0
