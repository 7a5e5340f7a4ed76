"""Copies of one picture are one group, and no split or fold ever divides a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from gandetect.data.groups import (
    cut_by_group,
    folds_by_group,
    groups_of,
    near_duplicate_pairs,
    split_by_group,
)
from gandetect.errors import DataError


def _table(names: Sequence[str], **columns: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame({"path": [f"real/{name}" for name in names], "group": ""})
    return table.assign(sha256=[f"digest of {name}" for name in names]).assign(**columns)


def test_files_alone_are_groups_alone() -> None:
    assert groups_of(_table(["a.png", "b.png"]), pattern=None).tolist() == [0, 1]
    assert groups_of(_table([]), pattern=None).tolist() == []


def test_exact_copies_are_one_group() -> None:
    table = _table(["a.png", "b.png", "c.png"], sha256=["x", "y", "x"])
    assert groups_of(table, pattern=None).tolist() == [0, 1, 0]


def test_equal_pixels_are_one_group_where_they_are_known() -> None:
    table = _table(["a.png", "b.bmp", "c.png"], pixels_sha256=["x", "x", "y"])
    assert groups_of(table, pattern=None).tolist() == [0, 0, 1]


def test_files_without_a_group_are_not_joined() -> None:
    table = _table(["a.png", "b.png", "c.png", "d.png"], group=["", "7", "", "7"])
    assert groups_of(table, pattern=None).tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^\d+", [0, 0, 1, 2]),  # all that matches, as there are no parentheses
        (r"^(\d+)_", [0, 0, 1, 2]),
        (r"_(?:edited)?(.)", [0, 0, 0, 1]),  # all that has an x after the bar
        (r"(zebra)?\d+", [0, 0, 1, 2]),  # parentheses that took no part
        (r"\d*", [0, 0, 1, 2]),  # matches nothing in "plain": which joins it with nobody
    ],
)
def test_a_pattern_joins_names(pattern: str, expected: list[int]) -> None:
    names = ["12_x.png", "12_editedx.png", "13_x.png", "plain.png"]
    assert groups_of(_table(names), pattern=pattern).tolist() == expected


def test_an_empty_match_joins_nobody() -> None:
    assert groups_of(_table(["a.png", "b.png", "1.png"]), pattern=r"\d*").tolist() == [0, 1, 2]


def test_a_pattern_reads_the_file_name_alone() -> None:
    table = _table(["1.png", "2.png"])
    assert groups_of(table, pattern=r"real|[12]").tolist() == [0, 1]


def test_what_joins_by_different_ways_is_one_group() -> None:
    table = _table(
        ["1_a.png", "1_b.png", "c.png", "d.png", "e.png"],
        sha256=["p", "q", "q", "r", "s"],
        group=["", "", "g", "g", ""],
    )
    joined = groups_of(table, pattern=r"^(\d)_", near=[(3, 4)])
    assert joined.tolist() == [0, 0, 0, 0, 0]


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 63)), max_size=30),
    st.integers(0, 8),
)
def test_near_hashes_are_the_groups_that_every_pair_gives(
    values: list[int], flips: list[tuple[int, int]], distance: int
) -> None:
    values += [values[i % len(values)] ^ (1 << bit) for i, bit in flips if values]
    hashes = np.array(values, dtype=np.uint64)
    every = [
        (i, j)
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if (values[i] ^ values[j]).bit_count() <= distance
    ]
    found = near_duplicate_pairs(hashes, distance)
    assert set(found) <= set(every)
    assert found == sorted(found)
    table = _table([f"{i}.png" for i in range(len(values))])
    expected = groups_of(table, pattern=None, near=every)
    assert groups_of(table, pattern=None, near=found).tolist() == expected.tolist()
    if len(set(values)) == len(values):
        assert found == every


def test_blank_pictures_do_not_make_a_pair_of_every_two() -> None:
    hashes = np.full(20_000, 1 << 63, dtype=np.uint64)
    hashes[7] ^= np.uint64(3)
    pairs = near_duplicate_pairs(hashes, 2)
    assert len(pairs) == len(hashes) - 1
    assert (0, 7) in pairs


def test_hashes_are_compared_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, 300, dtype=np.uint64)
    whole = near_duplicate_pairs(hashes, 22)
    monkeypatch.setattr("gandetect.data.groups.CHUNK", 1000)
    assert near_duplicate_pairs(hashes, 22) == whole
    assert len(whole) > 100


@st.composite
def grouped(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Classes and groups of up to five files; some groups hold files of several classes."""
    classes, groups = [], []
    for number in range(draw(st.integers(12, 60))):
        name = draw(st.sampled_from("ab"))
        for _ in range(draw(st.integers(1, 5))):
            mixed = draw(st.integers(0, 9)) == 0
            classes.append(draw(st.sampled_from("ab")) if mixed else name)
            groups.append(number)
    order = np.random.default_rng(draw(st.integers(0, 9))).permutation(len(groups))
    return np.array(classes)[order], np.array(groups)[order]


def _sides(groups: np.ndarray, sides: np.ndarray) -> pd.Series:
    return pd.Series(sides).groupby(groups).nunique()


@settings(max_examples=80)
@given(grouped(), st.sampled_from([0.1, 0.2, 0.3]), st.integers(0, 2**32))
def test_no_group_stands_on_two_sides_and_classes_keep_their_shares(
    files: tuple[np.ndarray, np.ndarray], fraction: float, seed: int
) -> None:
    classes, groups = files
    fractions = {"validation_fraction": fraction, "test_fraction": fraction}
    try:
        sides = split_by_group(classes, groups, **fractions, seed=seed)
    except DataError:
        fewest = min(len(set(groups[classes == name])) for name in "ab")
        assert fewest < 6  # with more of them every class must reach every side
        return
    assert len(sides) == len(classes)
    assert set(sides) == {"train", "validation", "test"}
    assert (_sides(groups, sides) == 1).all()
    pure = pd.Series(classes).groupby(groups).nunique().max() == 1
    for name in set(classes):
        ours = classes == name
        wanted = round(fraction * ours.sum())
        largest = np.bincount(groups[ours]).max()
        if pure:
            assert (sides[ours] == "test").sum() - wanted <= largest
            assert (sides[ours] == "validation").sum() - wanted <= largest
            assert wanted - (sides[ours] == "test").sum() <= largest
    again = split_by_group(classes, groups, **fractions, seed=seed)
    assert np.array_equal(again, sides)


def test_files_alone_are_split_to_the_file_as_scikit_learn_does() -> None:
    classes = np.repeat(["real", "fake"], [1081, 960])
    sides = split_by_group(
        classes, np.arange(2041), validation_fraction=0.1, test_fraction=0.1, seed=0
    )
    table = pd.crosstab(classes, sides)
    assert table.loc["real"].to_dict() == {"train": 865, "validation": 108, "test": 108}
    assert table.loc["fake"].to_dict() == {"train": 768, "validation": 96, "test": 96}
    _, theirs = train_test_split(classes, test_size=204, stratify=classes, random_state=0)
    assert table["test"].to_dict() == pd.Series(theirs).value_counts().to_dict()


def test_a_share_is_rounded_to_the_nearest_file() -> None:
    sides = split_by_group(
        ["a"] * 18, np.arange(18), validation_fraction=0.1, test_fraction=0.2, seed=0
    )
    assert [(sides == side).sum() for side in ("train", "validation", "test")] == [12, 2, 4]


def test_pairs_of_a_picture_and_its_edit_are_split_to_the_pair() -> None:
    classes, groups = np.tile(["real", "edited"], 100), np.repeat(np.arange(100), 2)
    sides = split_by_group(classes, groups, validation_fraction=0.1, test_fraction=0.2, seed=3)
    table = pd.crosstab(classes, sides)
    assert table.loc["real"].to_dict() == {"train": 70, "validation": 10, "test": 20}
    assert table.loc["edited"].to_dict() == table.loc["real"].to_dict()


def test_a_seed_changes_the_split_and_a_fraction_of_nothing_leaves_its_side_empty() -> None:
    classes, groups = np.repeat(["a", "b"], 50), np.arange(100)

    def split(seed: int) -> list[str]:
        return split_by_group(
            classes, groups, validation_fraction=0.2, test_fraction=0.0, seed=seed
        ).tolist()

    assert split(0) == split(0) != split(1)
    assert set(split(0)) == {"train", "validation"}


def test_chance_decides_who_is_tested_not_the_place_in_the_table() -> None:
    classes = np.repeat(["a", "b"], 500)
    sides = split_by_group(
        classes, np.arange(1000), validation_fraction=0.1, test_fraction=0.2, seed=0
    )
    tested = np.flatnonzero(sides[:500] == "test")
    assert 40 <= (tested < 250).sum() <= 60


def test_a_class_of_a_few_large_groups_still_reaches_every_side() -> None:
    classes = np.repeat(["a", "b"], [15, 100])
    groups = np.concatenate([np.repeat([0, 1, 2], 5), np.arange(3, 103)])
    sides = split_by_group(classes, groups, validation_fraction=0.1, test_fraction=0.1, seed=0)
    assert sorted(sides[:15]) == ["test"] * 5 + ["train"] * 5 + ["validation"] * 5


def test_a_side_that_rounding_left_empty_gets_a_group_of_the_side_that_holds_most() -> None:
    classes = np.repeat(["a", "b"], [100, 7])
    fractions = {"validation_fraction": 0.3, "test_fraction": 0.05}  # of seven: 5, 2 and none
    for seed in range(3):
        sides = split_by_group(classes, np.arange(107), **fractions, seed=seed)[100:]
        counts = {side: int((sides == side).sum()) for side in ("train", "validation", "test")}
        assert counts == {"train": 4, "validation": 2, "test": 1}


def test_a_class_of_too_few_groups_is_refused_with_its_numbers() -> None:
    classes = np.repeat(["photos", "fakes"], [30, 20])
    groups = np.concatenate([np.arange(30), np.full(20, 99)])
    with pytest.raises(DataError) as caught:
        split_by_group(classes, groups, validation_fraction=0.1, test_fraction=0.2, seed=0)
    assert "class 'fakes' has no image in the validation split" in str(caught.value)
    assert "its 20 file(s) are 1 group(s)" in str(caught.value)


def test_settled_files_bring_their_whole_group_and_count_towards_the_fraction() -> None:
    classes, groups = np.repeat(["a", "b"], 20), np.arange(40) // 2
    fixed = np.full(40, -1)
    fixed[[0, 2, 21, 22]] = 2
    sides = cut_by_group(classes, groups, {"validation": 0.1, "test": 0.2}, seed=0, fixed=fixed)
    assert sides[[0, 1, 2, 3, 20, 21, 22, 23]].tolist() == [2] * 8
    assert np.bincount(sides[:20]).tolist() == np.bincount(sides[20:]).tolist() == [14, 2, 4]


@settings(max_examples=40)
@given(grouped(), st.integers(2, 4), st.integers(0, 2**32))
def test_folds_hold_whole_groups_and_every_file_once(
    files: tuple[np.ndarray, np.ndarray], folds: int, seed: int
) -> None:
    classes, groups = files
    if min(len(set(groups[classes == name])) for name in set(classes)) < folds:
        with pytest.raises(DataError, match=f"fewer than the {folds} folds"):
            folds_by_group(classes, groups, folds, seed)
        return
    numbers = folds_by_group(classes, groups, folds, seed)
    assert set(numbers) == set(range(folds))
    assert (_sides(groups, numbers) == 1).all()
    assert np.array_equal(numbers, folds_by_group(classes, groups, folds, seed))


def test_folds_keep_the_shares_of_classes() -> None:
    classes = np.repeat(["real", "fake"], [60, 40])
    numbers = folds_by_group(classes, np.arange(100), 5, seed=0)
    assert pd.crosstab(classes, numbers).loc["real"].tolist() == [12] * 5
    assert pd.crosstab(classes, numbers).loc["fake"].tolist() == [8] * 5
    assert not np.array_equal(numbers, folds_by_group(classes, np.arange(100), 5, seed=1))


def test_fewer_groups_than_folds_are_refused_with_their_numbers() -> None:
    classes = np.repeat(["real", "fake"], [30, 8])
    groups = np.concatenate([np.arange(30), 100 + np.arange(8) // 2])
    with pytest.raises(
        DataError, match=r"'fake' has 8 file\(s\) in 4 group\(s\), fewer than the 5"
    ):
        folds_by_group(classes, groups, 5, seed=0)
