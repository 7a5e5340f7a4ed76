"""A class is named by its name or by its number, and a string is never taken for a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandetect.data.held_out import resolve_held_out, resolve_selection
from gandetect.data.label_tables import found_class
from gandetect.errors import UsageError

PADDED = ["01", "02", "03", "04"]


def test_a_name_that_is_no_class_is_never_an_index() -> None:
    for ask in (resolve_held_out, lambda given, names: resolve_selection(given, (3,), names)):
        with pytest.raises(UsageError, match=r"class '1' is not in .*: 01, 02, 03, 04"):
            ask(["1"], PADDED)


def test_an_integer_is_an_index_also_where_names_are_numbers() -> None:
    assert resolve_held_out([1], PADDED) == (1,)
    assert resolve_held_out(["1", 1], ["3", "2", "1", "0"]) == (1, 2)


@given(names=st.lists(st.integers(0, 30).map(str), min_size=3, max_size=9, unique=True))
def test_a_string_finds_the_class_of_that_text_and_no_other(names: list[str]) -> None:
    for number, name in enumerate(names):
        assert resolve_held_out([name], names) == (number,)
    for other in {str(number) for number in range(31)} - set(names):
        with pytest.raises(UsageError, match="is not in the data"):
            resolve_held_out([other], names)


def test_the_unicode_form_of_a_name_does_not_matter() -> None:
    assert resolve_held_out(["e\u0301te\u0301"], ["a", "été"]) == (1,)


# Labels of a table.


@pytest.mark.parametrize("label", ["1", "1.0", "01", "+1", "1.", " 1 ", "0001.000"])
def test_a_whole_number_is_one_label_however_it_is_written(label: str) -> None:
    assert found_class(label, ["0", "1"]) == "1"
    assert found_class("1", ["0", label.strip()]) == label.strip()


@pytest.mark.parametrize("label", ["", "one", "1.5", "1e0", "-1", "1,0", "0x1", "١", "11", "true"])
def test_what_is_not_that_number_is_not_that_label(label: str) -> None:
    assert found_class(label, ["0", "1"]) is None


@given(number=st.integers(10**15, 10**40), other=st.integers(-5, 5).filter(bool))
def test_labels_keep_all_their_digits(number: int, other: int) -> None:
    near = str(number + other)
    assert found_class(f"{number}.0", [near, str(number)]) == str(number)
    assert found_class(str(number), [near, "0"]) is None


def test_the_text_itself_comes_first_and_two_likely_classes_are_none() -> None:
    assert found_class("01", ["1", "01"]) == "01"
    assert found_class("001", ["1", "01"]) is None
