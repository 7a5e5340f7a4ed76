"""Splits of labelled files keep groups whole, obey what is given, and leak only when asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandetect.config import CsvDataConfig, FolderDataConfig
from gandetect.data.labelled_splits import LabelledSplits, make_labelled_splits
from gandetect.errors import DataError, UsageError

CLASSES = {"real": "real", "fake": "generated", "other": "generated", "old": "real"}


def config(**options: Any) -> FolderDataConfig | CsvDataConfig:
    return FolderDataConfig(**{"name": "folder", "path": "x", "classes": CLASSES, **options})


def files(counts: dict[str, int], sides: tuple[str, ...] = ("",)) -> pd.DataFrame:
    """Files by class, standing on the given sides in turn."""
    rows = []
    for name, count in counts.items():
        for number in range(count):
            side = sides[number % len(sides)]
            path = f"{side or '.'}/{name}/{number:04}.jpg"
            rows.append((path, name, CLASSES[name], "", side, path))
    columns = ["path", "class_name", "label", "group", "given_split", "sha256"]
    return pd.DataFrame(rows, columns=columns)


def alone(table: pd.DataFrame) -> np.ndarray:
    return np.arange(len(table))


def counts(splits: LabelledSplits) -> dict[str, dict[str, int]]:
    table = splits.table
    return {
        str(name): rows["split"].value_counts().to_dict()
        for name, rows in table.groupby("class_name")
    }


def on_two_sides(splits: LabelledSplits) -> int:
    """How many groups stand on more than one side."""
    sides = splits.table["split"].replace("held-out", "test")
    return int((sides.groupby(splits.table["group"]).agg("nunique") > 1).sum())


def test_an_honest_split_has_each_file_once_and_no_copies() -> None:
    table = files({"real": 100, "fake": 50})
    splits = make_labelled_splits(table, config(), alone(table), copies=3)
    assert counts(splits) == {
        "real": {"train": 70, "validation": 10, "test": 20},
        "fake": {"train": 35, "validation": 5, "test": 10},
    }
    assert splits.table["path"].tolist() == sorted(table["path"])
    assert set(splits.table["copy"]) == {0}
    assert splits.left_out == []
    assert list(splits.table.columns) == [*table.columns, "split", "copy"]
    assert splits.table.index.equals(pd.RangeIndex(150))


@st.composite
def studies(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Files of up to four classes in groups of any kind, perhaps given sides and a subset."""
    names = draw(st.sampled_from([["real", "fake"], ["real", "fake", "other"], list(CLASSES)]))
    given_sides = draw(st.sampled_from([("",), ("train", "test"), ("train", "validation")]))
    table = files({name: draw(st.integers(30, 60)) for name in names}, given_sides)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    groups = rng.integers(0, draw(st.sampled_from([25, 100, 1000])), len(table))
    held_out = tuple(name for name in ("other", "old") if name in names and draw(st.booleans()))
    options = {
        "held_out": held_out,
        "split_seed": draw(st.integers(0, 2**31)),
        "max_images": draw(st.none() | st.integers(len(table) * 3 // 4, len(table) + 9)),
    }
    return table, groups, options


@settings(max_examples=60)
@given(studies(), st.integers(0, 99))
def test_groups_stay_whole_and_files_are_told_or_split_whatever_their_order(
    study: tuple[pd.DataFrame, np.ndarray, dict[str, Any]], order_seed: int
) -> None:
    table, groups, options = study
    try:
        splits = make_labelled_splits(table, config(**options), groups)
    except DataError:
        assert len(set(groups)) <= 100  # with nearly every file alone there is always a split
        return
    assert on_two_sides(splits) == 0
    held_out = splits.table["class_name"].isin(options["held_out"])
    assert (splits.table["split"].eq("held-out") == held_out).all()
    told = [entry["path"] for entry in splits.left_out]
    everything = sorted([*splits.table["path"], *told])
    assert len(everything) == min(len(table), options["max_images"] or len(table))
    assert len(set(everything)) == len(everything)
    assert set(everything) <= set(table["path"])

    order = np.random.default_rng(order_seed).permutation(len(table))
    again = make_labelled_splits(
        table.iloc[order].reset_index(drop=True), config(**options), groups[order] * 7 + 3
    )
    assert again.table.equals(splits.table)
    assert again.left_out == splits.left_out


def test_a_seed_changes_the_split() -> None:
    table = files({"real": 50, "fake": 50})
    first, second = (
        make_labelled_splits(table, config(split_seed=seed), alone(table)).table["split"]
        for seed in (0, 1)
    )
    assert first.tolist() != second.tolist()


def test_nobody_trains_on_a_held_out_class_or_on_its_groups() -> None:
    table = files({"real": 40, "fake": 40, "other": 10})
    groups = alone(table)
    groups[[3, 4, 45]] = groups[85]  # two reals and a fake are pictures of a held-out file
    splits = make_labelled_splits(table, config(held_out=("other",)), groups)
    assert counts(splits) == {
        "real": {"train": 28, "validation": 4, "test": 8},
        "fake": {"train": 28, "validation": 4, "test": 8},
        "other": {"held-out": 10},
    }
    beside = splits.table["path"].isin(table["path"].iloc[[3, 4, 45]])
    assert splits.table.loc[beside, "split"].tolist() == ["test"] * 3


def test_held_out_classes_with_the_content_of_the_others_are_tested_on_test_groups_alone() -> None:
    table = files({"real": 40, "fake": 40, "other": 40, "old": 40})
    groups = np.tile(np.arange(40) // 2, 4)  # every picture in each class, two of a photograph
    options = config(held_out=("other", "old"), held_out_groups="split")
    splits = make_labelled_splits(table, options, groups)
    trained = {"train": 28, "validation": 4, "test": 8}
    tested = {"held-out": 8}
    assert counts(splits) == {"real": trained, "fake": trained, "other": tested, "old": tested}
    assert on_two_sides(splits) == 0
    assert splits.ruled_out == {"other": 40 - 8, "old": 40 - 8}
    assert splits.left_out == []
    with pytest.raises(DataError, match="no image in the train split"):
        make_labelled_splits(table, config(held_out=("other", "old")), groups)


def test_a_given_split_and_one_by_held_out_groups_are_refused() -> None:
    table = files({"real": 8, "fake": 8, "other": 8}, ("train", "validation", "test"))
    options = config(held_out=("other",), held_out_groups="split")
    with pytest.raises(UsageError, match="these images come split"):
        make_labelled_splits(table, options, alone(table))


def test_a_held_out_class_that_would_be_left_empty_is_refused() -> None:
    table = files({"real": 20, "fake": 20, "other": 1})
    first = make_labelled_splits(table.iloc[:40], config(), alone(table)[:40]).table
    trained = first.loc[first["split"] == "train", "path"].iloc[0]
    groups = alone(table)
    groups[-1] = groups[(table["path"] == trained).argmax()]
    options = config(held_out=("other",), held_out_groups="split")
    with pytest.raises(DataError, match="the held-out class 'other' are of groups that are train"):
        make_labelled_splits(table, options, groups)
    with pytest.raises(UsageError, match="splits without regard to groups"):
        make_labelled_splits(table, options.model_copy(update={"leak": "copies"}), groups)


def test_a_given_split_is_obeyed() -> None:
    sides = ("train", "train", "validation", "test")
    table = files({"real": 40, "fake": 20}, sides)
    splits = make_labelled_splits(table, config(), alone(table))
    assert (splits.table["split"] == splits.table["given_split"]).all()
    assert splits.left_out == []


@pytest.mark.parametrize("missing", ["validation", "test"])
def test_a_side_that_is_not_given_is_cut_out_of_training(missing: str) -> None:
    other = {"validation": "test", "test": "validation"}[missing]
    table = files({"real": 100, "fake": 50}, ("train", "train", "train", "train", other))
    groups = alone(table) // 2
    share = {"validation_fraction": 0.25, "test_fraction": 0.25}
    splits = make_labelled_splits(table, config(**share), alone(table))
    assert counts(splits) == {
        "real": {"train": 60, missing: 20, other: 20},
        "fake": {"train": 30, missing: 10, other: 10},
    }
    cut = splits.table["split"] == missing
    assert set(splits.table.loc[cut, "given_split"]) == {"train"}
    assert on_two_sides(make_labelled_splits(table, config(**share), groups)) == 0


def test_training_files_with_a_copy_on_a_later_given_side_are_left_out_and_named() -> None:
    table = files({"real": 8, "fake": 8}, ("train", "train", "validation", "test"))
    groups = alone(table)
    groups[0] = groups[3]  # a training file is a copy of a test file,
    groups[6] = groups[7]  # a validation file of another one,
    groups[8] = groups[10]  # and a training file of a validation file
    splits = make_labelled_splits(table, config(), groups)
    assert {entry["path"] for entry in splits.left_out} == {
        "train/real/0000.jpg",
        "validation/real/0006.jpg",
        "train/fake/0000.jpg",
    }
    assert splits.left_out[0] == {
        "path": "train/fake/0000.jpg",
        "reason": "stands in the train split that the data come with, but is of one group with "
        "validation/fake/0002.jpg, which is validation",
    }
    assert on_two_sides(splits) == 0
    assert len(splits.table) == 13


def test_a_given_test_file_may_stay_beside_a_held_out_one_and_a_training_file_not() -> None:
    table = files({"real": 12, "fake": 12, "other": 4}, ("train", "validation", "test", "train"))
    groups = alone(table)
    groups[[0, 2]] = groups[25]
    splits = make_labelled_splits(table, config(held_out=("other",)), groups)
    assert [entry["path"] for entry in splits.left_out] == ["train/real/0000.jpg"]
    assert (splits.table["path"] == "test/real/0002.jpg").any()


def test_a_given_split_that_leaves_a_class_empty_is_refused() -> None:
    table = files({"real": 9, "fake": 9}, ("train", "validation", "test"))
    groups = alone(table)
    groups[9:] = 99  # every fake is one picture, so only the test side keeps any
    with pytest.raises(DataError, match="class 'fake' has no image in the train split"):
        make_labelled_splits(table, config(), groups)


def test_a_subset_keeps_the_shares_of_classes_and_given_sides() -> None:
    table = files({"real": 300, "fake": 100}, ("train", "train", "validation", "test"))
    splits = make_labelled_splits(table, config(max_images=40), alone(table))
    assert splits.table["class_name"].value_counts().to_dict() == {"real": 30, "fake": 10}
    sides = splits.table["given_split"].value_counts()
    assert sides.to_dict() == {"train": 20, "validation": 10, "test": 10}


def test_a_leak_puts_copies_of_a_picture_on_both_sides() -> None:
    table = files({"real": 100, "fake": 60, "other": 7})
    leaky = config(leak="augment-before-split", held_out=("other",))
    splits = make_labelled_splits(table, leaky, np.zeros(len(table), np.int64), copies=3)
    assert counts(splits) == {
        "real": {"train": 280, "validation": 40, "test": 80},
        "fake": {"train": 168, "validation": 24, "test": 48},
        "other": {"held-out": 7},
    }
    ours = splits.table[splits.table["split"] != "held-out"]
    assert ours.groupby("path")["copy"].apply(list).map(tuple).unique().tolist() == [(0, 1, 2, 3)]
    assert (ours.groupby("path")["split"].agg("nunique") > 1).mean() > 0.5
    assert splits.table[["path", "copy"]].equals(
        splits.table[["path", "copy"]].sort_values(["path", "copy"], ignore_index=True)
    )


def test_a_leak_of_data_that_come_split_is_refused() -> None:
    table = files({"real": 9, "fake": 9}, ("train", "validation", "test"))
    with pytest.raises(UsageError, match="these come split; take out leak"):
        make_labelled_splits(table, config(leak="augment-before-split"), alone(table), copies=3)


def test_a_split_that_leaves_a_class_empty_names_it_with_its_numbers() -> None:
    table = files({"real": 40, "fake": 2})
    with pytest.raises(DataError, match=r"'fake' has no image in .* 2 file\(s\) are 2 group\(s\)"):
        make_labelled_splits(table, config(), alone(table))
