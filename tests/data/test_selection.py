"""Choosing settings or detectors on other classes, and without any test image."""

import numpy as np
import pytest

from gandetect.data.held_out import resolve_selection
from gandetect.data.splits import make_splits
from gandetect.errors import UsageError
from gandetect.runs import take_over, write_record

LABELS = np.repeat(np.arange(10), 60)
TEST = np.repeat(np.arange(10), 20)


def splits(selection=(), validation=(), test=TEST, **given):
    chosen = {"selection": selection, "validation": validation}
    return make_splits(LABELS, test, (7, 8, 9), test_fraction=0.1, seed=0, **chosen, **given)


def test_no_test_image_of_the_study_proper_is_in_a_selection() -> None:
    proper, chosen = splits(), splits(selection=(1, 5))
    used = np.concatenate([chosen.train, chosen.in_distribution, chosen.held_out])
    assert np.isin(used, proper.train).all()
    assert len(np.unique(used)) == len(used) == len(proper.train)
    assert set(LABELS[chosen.held_out]) == {1, 5}
    for part in (chosen.train, chosen.in_distribution):
        assert set(LABELS[part]) == {0, 2, 3, 4, 6}
    assert set(TEST[chosen.calibration]) == {0, 2, 3, 4, 6}


@pytest.mark.parametrize("official", [True, False])
def test_validation_is_neither_trained_on_nor_tested(official) -> None:
    given = {} if official else {"test": None, "calibration_fraction": 0.2}
    proper, chosen = splits(**given), splits(validation=(1,), **given)
    assert len(proper.validation) == 0
    both = np.concatenate([chosen.train, chosen.validation])
    np.testing.assert_array_equal(np.sort(both), np.sort(proper.train))
    labels = LABELS[chosen.validation]
    classes, counts = np.unique(labels, return_counts=True)
    assert classes.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert counts[1] == (LABELS[proper.train] == 1).sum() > 40
    assert np.delete(counts, 1).max() <= 7  # a tenth of what is left
    assert set(LABELS[chosen.train]) == {0, 2, 3, 4, 5, 6}
    tested = proper.in_distribution[LABELS[proper.in_distribution] != 1]
    assert set(chosen.in_distribution) == set(tested)
    assert set(chosen.held_out) == set(proper.held_out)
    calibration = (TEST if official else LABELS)[chosen.calibration]
    assert set(calibration) == {0, 2, 3, 4, 5, 6}


def test_validation_goes_with_a_selection() -> None:
    proper, chosen = splits(selection=(5,)), splits(selection=(5,), validation=(1,))
    assert np.isin(chosen.validation, proper.train).all()
    tested = np.concatenate([chosen.in_distribution, chosen.held_out])
    assert not np.isin(chosen.validation, tested).any()
    assert set(LABELS[chosen.held_out]) == {5}


def test_what_shares_a_group_with_a_validation_class_is_not_trained_on() -> None:
    groups = np.arange(len(LABELS))
    groups[LABELS == 1] = np.flatnonzero(LABELS == 0)  # each a picture of both classes
    chosen = splits(validation=(1,), groups=groups)
    assert set(LABELS[chosen.train]) == {2, 3, 4, 5, 6}
    assert 0 not in LABELS[chosen.validation]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["c"], "selection names 'c', which is held out"),
        (["x"], "selection class 'x' is not in"),
        (["a", "b"], "name all classes together"),
    ],
)
def test_a_bad_selection_is_one_clear_sentence(given, said) -> None:
    with pytest.raises(UsageError, match=said):
        resolve_selection(given, (2,), ["a", "b", "c"])
    with pytest.raises(UsageError, match=said.replace("selection", "validation", 1)):
        resolve_selection(given, (2,), ["a", "b", "c"], key="validation")


def test_what_another_run_has_is_taken_over_once_and_only_if_it_is_the_same(tmp_path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    (theirs / "deep").mkdir(parents=True)
    (theirs / "deep" / "weights").write_text("1")
    write_record(theirs, "digest", ["deep/weights"])
    assert not take_over(ours, theirs, "another digest")
    assert not ours.exists()
    assert take_over(ours, theirs, "digest")
    assert (ours / "deep" / "weights").samefile(theirs / "deep" / "weights")
    assert not take_over(ours, theirs, "digest")  # it stands already
    (theirs / "deep" / "weights").write_text("2")
    assert not take_over(tmp_path / "third", theirs, "digest")  # damaged
