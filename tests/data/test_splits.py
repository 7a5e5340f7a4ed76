"""Splits are disjoint, cover everything, and depend on the seed alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import CLASSES
from gandetect.data.held_out import resolve_held_out
from gandetect.data.splits import (
    Splits,
    counts,
    duplicates_across,
    make_splits,
    manifest,
    verify_disjoint,
)
from gandetect.errors import DataError, UsageError

HELD_OUT = (7, 8, 9)


@dataclass(frozen=True)
class SmallSet:
    """Two small files of random images."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...] = CLASSES


@pytest.fixture
def small_set() -> SmallSet:
    generator = np.random.default_rng(0)

    def images(count: int) -> NDArray[np.uint8]:
        return generator.integers(0, 256, (count, 1, 4, 4), np.uint8)

    return SmallSet(
        images(400), np.arange(400) % 10, images(100), np.arange(100)[::-1].astype(np.int64) % 10
    )


def _split(dataset: SmallSet | ClassImages, seed: int = 0, max_images: int | None = None) -> Splits:
    return make_splits(
        dataset.train_labels,
        dataset.test_labels,
        HELD_OUT,
        test_fraction=0.1,
        seed=seed,
        max_images=max_images,
    )


def _parts(splits: Splits) -> dict[str, NDArray[np.int64]]:
    return {
        field.name: getattr(splits, field.name)
        for field in fields(splits)
        if field.name != "one_file"
    }


def test_the_real_data_splits_into_the_published_counts(fashion_mnist: ClassImages) -> None:
    splits = _split(fashion_mnist)
    assert {name: len(indices) for name, indices in _parts(splits).items()} == {
        "train": 37_800,
        "in_distribution": 4_200,
        "held_out": 18_000,
        "calibration": 7_000,
        "reserved": 3_000,
        "validation": 0,
    }
    labels = fashion_mnist.train_labels
    assert np.bincount(labels[splits.in_distribution]).tolist() == [600] * 7


def test_the_real_data_has_no_identical_images(fashion_mnist: ClassImages) -> None:
    table = manifest(fashion_mnist, _split(fashion_mnist))
    verify_disjoint(table)
    assert table["sha256"].nunique() == len(table) == 70_000
    assert duplicates_across(table) == {}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Labels of unequal classes, held-out classes, a fraction, a seed, and perhaps a subset."""
    number = draw(st.integers(2, 6))
    sizes = draw(st.lists(st.integers(20, 60), min_size=number, max_size=number))
    order = np.random.default_rng(draw(st.integers(0, 99)))
    train_labels = order.permutation(np.repeat(np.arange(number), sizes))
    held_out = draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=number - 1))
    return {
        "train_labels": train_labels,
        "test_labels": order.permutation(np.repeat(np.arange(number), 10)),
        "held_out": sorted(held_out),
        "test_fraction": draw(st.sampled_from([0.1, 0.25, 0.5])),
        "seed": draw(st.integers(0, 2**32 - 1)),
        "max_images": draw(
            st.none() | st.integers(len(train_labels) * 3 // 4, len(train_labels) + 9)
        ),
    }


@settings(max_examples=60)
@given(requests())
def test_splits_are_disjoint_and_cover_everything(request: dict[str, Any]) -> None:
    splits = make_splits(**request)
    train_file = np.concatenate([splits.train, splits.in_distribution, splits.held_out])
    test_file = np.concatenate([splits.calibration, splits.reserved])
    for indices, labels in (
        (train_file, request["train_labels"]),
        (test_file, request["test_labels"]),
    ):
        assert len(np.unique(indices)) == len(indices)
        if request["max_images"] is None or request["max_images"] >= len(request["train_labels"]):
            assert np.array_equal(np.sort(indices), np.arange(len(labels)))
    for indices in _parts(splits).values():
        assert np.array_equal(indices, np.sort(indices))


@settings(max_examples=60)
@given(requests())
def test_held_out_classes_are_never_trained_on(request: dict[str, Any]) -> None:
    splits = make_splits(**request)
    train, test, held_out = (request[key] for key in ("train_labels", "test_labels", "held_out"))
    assert not np.isin(train[splits.train], held_out).any()
    assert not np.isin(train[splits.in_distribution], held_out).any()
    assert not np.isin(test[splits.calibration], held_out).any()
    assert np.isin(train[splits.held_out], held_out).all()
    assert np.isin(test[splits.reserved], held_out).all()


@settings(max_examples=30)
@given(requests(), st.integers(0, 2**32 - 1))
def test_splits_depend_on_the_seed_only(request: dict[str, Any], global_seed: int) -> None:
    first = make_splits(**request)
    state = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(global_seed)  # noqa: NPY002
        again = make_splits(**request)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    for name, indices in _parts(first).items():
        assert np.array_equal(indices, _parts(again)[name])


def test_another_seed_is_another_split() -> None:
    """On so many images that two seeds do not draw the same: tiny sets may."""
    labels = np.repeat(np.arange(10), 50)
    one, two = (make_splits(labels, labels, [9], test_fraction=0.2, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.in_distribution, two.in_distribution)
    assert np.array_equal(one.held_out, two.held_out)


@settings(max_examples=60)
@given(requests())
def test_a_subset_keeps_each_class_in_proportion(request: dict[str, Any]) -> None:
    splits = make_splits(**request)
    labels = request["train_labels"]
    chosen = np.concatenate([splits.train, splits.in_distribution, splits.held_out])
    wanted = min(request["max_images"] or len(labels), len(labels))
    assert len(chosen) == wanted
    share = np.bincount(labels) * wanted / len(labels)
    assert np.abs(np.bincount(labels[chosen], minlength=len(share)) - share).max() <= 2


def test_a_subset_of_the_real_data_is_exactly_balanced(fashion_mnist: ClassImages) -> None:
    splits = _split(fashion_mnist, max_images=2_000)
    assert [len(indices) for indices in _parts(splits).values()] == [1_260, 140, 600, 233, 100, 0]
    assert np.bincount(fashion_mnist.train_labels[splits.held_out]).tolist()[7:] == [200] * 3


def test_too_few_images_are_refused_with_the_figures(small_set: SmallSet) -> None:
    with pytest.raises(DataError, match=r"test_fraction 0\.1 of 28 images gives 3 images"):
        _split(small_set, max_images=40)


def test_a_class_of_one_image_is_refused() -> None:
    labels = np.array([0] * 30 + [1] + [2] * 30)
    with pytest.raises(DataError, match="of which the smallest has 1"):
        make_splits(labels, labels, [2], test_fraction=0.2, seed=0)


@pytest.mark.parametrize(
    "given",
    [
        ["Sneaker", "Bag", "Ankle boot"],
        ["sneaker", "BAG", "ankle Boot"],
        [7, 8, 9],
        ["Ankle boot", 7, " Bag "],
    ],
)
def test_held_out_classes_are_found_by_name_case_and_number(given: list[str | int]) -> None:
    assert resolve_held_out(given, CLASSES) == (7, 8, 9)


def test_an_unknown_class_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_held_out(["Sneakers"], CLASSES, data_set="fashion-mnist")
    message = str(caught.value)
    assert message.startswith("held_out class 'Sneakers' is not in fashion-mnist; its classes are:")
    assert message.endswith("; did you mean 'Sneaker'?")
    assert all(name in message for name in CLASSES)


@pytest.mark.parametrize("given", [10, -1, "7", "10", "-1", "", "7.0", "٧", True])
def test_a_number_that_is_no_class_is_refused(given: str | int) -> None:
    with pytest.raises(UsageError, match=r"is not in fashion-mnist.*0 to 9"):
        resolve_held_out([given], CLASSES, data_set="fashion-mnist")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["Bag", "bag"], "names 'Bag' twice"),
        (["Bag", 8], "names 'Bag' twice"),
        ([], "held_out is empty"),
        (list(range(10)), "names all 10 classes"),
    ],
)
def test_twice_none_or_all_are_refused(given: list[str | int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_held_out(given, CLASSES)


def test_the_manifest_holds_one_row_an_image_with_its_hash(small_set: SmallSet) -> None:
    table = manifest(small_set, _split(small_set))
    assert list(table.columns) == ["file", "index", "label", "class_name", "split", "sha256"]
    assert len(table) == 500
    row = table[(table["file"] == "test") & (table["index"] == 3)].iloc[0]
    assert row["sha256"] == hashlib.sha256(small_set.test_images[3].tobytes()).hexdigest()
    assert row["label"] == small_set.test_labels[3]
    assert row["class_name"] == CLASSES[row["label"]]
    assert table.groupby("split").size().to_dict() == {
        "train": 252,
        "in-distribution": 28,
        "held-out": 120,
        "calibration": 70,
        "reserved": 30,
    }
    assert counts(table)["Bag"] == {"held-out": 40, "reserved": 10}
    verify_disjoint(table)


def test_a_manifest_with_an_empty_split_is_whole(small_set: SmallSet) -> None:
    splits = make_splits(
        small_set.train_labels, small_set.test_labels[:1], HELD_OUT, test_fraction=0.1, seed=0
    )
    table = manifest(small_set, splits)
    assert len(splits.calibration) + len(splits.reserved) == 1
    assert len(table) == 401
    assert table["index"].dtype == np.int64


def test_planted_duplicates_are_counted_by_pair_of_splits(small_set: SmallSet) -> None:
    splits = _split(small_set)
    clean = duplicates_across(manifest(small_set, splits))
    assert clean == {}
    train, test = small_set.train_images, small_set.test_images
    train[splits.held_out[:2]] = train[splits.train[:2]]
    test[splits.calibration[5]] = train[splits.train[7]]
    test[splits.calibration[6]] = train[splits.train[7]]  # the same picture again counts once
    train[splits.train[20]] = train[splits.train[21]]  # within one split is not across
    assert duplicates_across(manifest(small_set, splits)) == {
        "train & held-out": 2,
        "train & calibration": 1,
    }


def test_an_image_in_two_splits_is_an_error(small_set: SmallSet) -> None:
    splits = _split(small_set)
    leaking = Splits(
        splits.train,
        np.append(splits.in_distribution, splits.train[4]),
        splits.held_out,
        splits.calibration,
        splits.reserved,
    )
    with pytest.raises(DataError, match=f"image {splits.train[4]} of the train file"):
        verify_disjoint(manifest(small_set, leaking))


def test_the_same_index_in_both_files_is_no_leak() -> None:
    verify_disjoint(pd.DataFrame({"file": ["train", "test"], "index": [5, 5]}))


def test_where_case_tells_classes_apart_it_has_to_be_given() -> None:
    classes = ["A", "a", "Bag"]
    assert resolve_held_out(["a"], classes) == (1,)
    assert resolve_held_out(["bag"], classes) == (2,)
    with pytest.raises(UsageError, match="class 'á' is not in"):
        resolve_held_out(["á"], classes)
