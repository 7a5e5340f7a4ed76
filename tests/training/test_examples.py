import numpy as np
import pytest

from gandetect.training.examples import Examples


def make_examples(labels: list[int]) -> Examples:
    count = len(labels)
    images = np.arange(count, dtype=np.uint8).repeat(4).reshape(count, 1, 2, 2)
    rows = np.arange(count)
    return Examples(images, rows, np.array(labels), np.zeros(count, dtype=np.int64))


def test_with_copies_puts_each_example_before_its_copies() -> None:
    copied = make_examples([0, 1]).with_copies(2)
    assert copied.index.tolist() == [0, 0, 0, 1, 1, 1]
    assert copied.label.tolist() == [0, 0, 0, 1, 1, 1]
    assert copied.copy.tolist() == [0, 1, 2, 0, 1, 2]


def test_without_copies_nothing_changes() -> None:
    examples = make_examples([0, 1, 1])
    same = examples.with_copies(0)
    assert same.index.tolist() == examples.index.tolist()
    assert not same.copy.any()


def test_pixels_are_the_chosen_rows_in_order() -> None:
    chosen = make_examples([0, 1, 0, 1]).take(np.array([3, 1]))
    assert chosen.pixels()[:, 0, 0, 0].tolist() == [3, 1]
    assert chosen.label.tolist() == [1, 1]


def test_a_cap_keeps_so_many_of_each_label_and_all_of_a_smaller_one() -> None:
    examples = make_examples([0] * 50 + [1] * 3)
    capped = examples.capped(10, seed=0)
    assert np.bincount(capped.label).tolist() == [10, 3]
    assert np.all(np.diff(capped.index) > 0)
    assert np.array_equal(capped.index, examples.capped(10, seed=0).index)
    assert not np.array_equal(capped.index, examples.capped(10, seed=1).index)


def test_memory_mapped_images_are_read_row_by_row(tmp_path) -> None:
    np.save(tmp_path / "images.npy", make_examples([0, 1, 0]).images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    rows = np.array([2, 0])
    chosen = Examples(mapped, rows, np.array([0, 0]), np.zeros(2, dtype=np.int64)).pixels()
    assert type(chosen) is np.ndarray
    assert chosen[:, 0, 0, 0].tolist() == [2, 0]


def test_lengths_that_differ_and_rows_that_do_not_exist_are_refused() -> None:
    images, one = np.zeros((2, 1, 2, 2), dtype=np.uint8), np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="2, 1 and 1 entries"):
        Examples(images, np.array([0, 1]), one, one)
    with pytest.raises(ValueError, match="there are 2 images"):
        Examples(images, np.array([2]), one, one)
