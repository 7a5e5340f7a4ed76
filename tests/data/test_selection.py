"""Choosing settings on other classes, and without any test image of the study proper."""

import numpy as np
import pytest

from gandetect.data.held_out import resolve_selection
from gandetect.data.splits import make_splits
from gandetect.errors import UsageError
from gandetect.runs import take_over, write_record

LABELS = np.repeat(np.arange(10), 60)
TEST = np.repeat(np.arange(10), 20)


def splits(selection=()):
    return make_splits(LABELS, TEST, (7, 8, 9), test_fraction=0.1, seed=0, selection=selection)


def test_no_test_image_of_the_study_proper_is_in_a_selection() -> None:
    proper, chosen = splits(), splits(selection=(1, 5))
    used = np.concatenate([chosen.train, chosen.in_distribution, chosen.held_out])
    assert np.isin(used, proper.train).all()
    assert len(np.unique(used)) == len(used) == len(proper.train)
    assert set(LABELS[chosen.held_out]) == {1, 5}
    for part in (chosen.train, chosen.in_distribution):
        assert set(LABELS[part]) == {0, 2, 3, 4, 6}
    assert set(TEST[chosen.calibration]) == {0, 2, 3, 4, 6}


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
