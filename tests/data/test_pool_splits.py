"""One pool of images: groups stay whole, nothing of a held-out class is near what is trained on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandetect.data.splits import make_splits
from gandetect.errors import DataError

PARTS = ("train", "in_distribution", "held_out", "calibration", "reserved")


def split(labels, groups=None, held_out=(2,), **options):
    given = {"calibration_fraction": 0.2, "test_fraction": 0.2, "seed": 0, **options}
    return make_splits(np.asarray(labels), None, held_out, groups=groups, **given)


def test_without_groups_every_class_is_split_by_the_fractions() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 30])
    found = split(labels)
    assert found.one_file
    sizes = {
        part: np.bincount(labels[getattr(found, part)], minlength=3).tolist() for part in PARTS
    }
    assert sizes == {
        "train": [60, 30, 0],
        "in_distribution": [20, 10, 0],
        "held_out": [0, 0, 30],
        "calibration": [20, 10, 0],
        "reserved": [0, 0, 0],
    }


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), sizes=st.lists(st.integers(1, 9), min_size=16, max_size=40))
def test_groups_stay_whole_and_all_is_covered_once(seed, sizes) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = groups % 3
    found = split(labels, groups, seed=seed)
    parts = [getattr(found, part) for part in PARTS]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for one, part in enumerate(parts):
        for other in parts[:one]:
            assert not set(groups[part]) & set(groups[other])
    assert set(labels[found.held_out]) == {2}
    for part in (found.train, found.in_distribution, found.calibration):
        assert set(labels[part]) == {0, 1}


def test_what_shares_a_group_with_a_held_out_class_is_used_for_nothing() -> None:
    labels = np.repeat([0, 1, 2], 30)
    groups = np.arange(90)
    groups[5] = groups[70]  # a picture of class 0 that is also one of class 2
    found = split(labels, groups)
    assert found.reserved.tolist() == [5]
    assert 70 in found.held_out


def test_a_selection_looks_at_no_test_image_of_the_study_proper() -> None:
    labels = np.repeat([0, 1, 2, 3], 50)
    groups = np.arange(200) // 2
    proper, chosen = split(labels, groups), split(labels, groups, selection=(1,))
    used = np.concatenate([chosen.train, chosen.in_distribution, chosen.held_out])
    assert np.isin(used, proper.train).all()
    assert set(labels[chosen.held_out]) == {1}
    assert set(labels[chosen.calibration]) == {0, 3}
    assert not set(groups[chosen.train]) & set(groups[chosen.in_distribution])


def test_what_shares_a_group_with_a_selection_is_not_trained_on() -> None:
    labels = np.repeat([0, 1, 2, 3], 50)
    groups = np.arange(200)
    groups[50:100] = np.arange(50)  # each picture of class 1 is also one of class 0
    groups[:25] = np.arange(200, 225)  # but for half of them
    found = split(labels, groups, held_out=(3,), selection=(1,))
    for part in (found.train, found.in_distribution):
        assert not set(groups[part]) & set(groups[found.held_out])
    assert len(found.train)


def test_groups_that_leave_nothing_are_one_clear_sentence() -> None:
    with pytest.raises(DataError, match="no image of a class that is not held out is left"):
        split(np.repeat([0, 1, 2], 10), np.zeros(30, np.int64))
    with pytest.raises(DataError, match="has no image in the calibration split"):
        split(np.repeat([0, 2], 10), np.repeat([0, 1], 10))


def test_an_error_names_the_fraction_that_was_given() -> None:
    with pytest.raises(DataError, match=r"^test_fraction 0\.01 of 24 images gives 0 images"):
        split(np.repeat([0, 1, 2], [15, 15, 3]), test_fraction=0.01)
    with pytest.raises(DataError, match=r"^calibration_fraction 0\.01 of 30 images"):
        split(np.repeat([0, 1, 2], [15, 15, 3]), calibration_fraction=0.01)
