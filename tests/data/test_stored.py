"""Images on the disk answer like an array, travel as a name, and leave the memory alone."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from gandetect.data.stored import PixelFile, StackedImages, StoredImages, take

ARRAY = np.random.default_rng(0).integers(0, 256, (50, 3, 4, 4), np.uint8)
ROWS = np.random.default_rng(1).permutation(50)[:30]


@pytest.fixture
def stored(tmp_path) -> StoredImages:
    np.save(tmp_path / "images.npy", ARRAY)
    return StoredImages(tmp_path / "images.npy", ROWS)


@pytest.mark.parametrize(
    "places", [slice(None), slice(3, 9), np.array([5, 0, 5]), 7, np.empty(0, int)]
)
def test_places_are_those_of_an_array(stored, places) -> None:
    np.testing.assert_array_equal(stored[places], ARRAY[ROWS][places])
    assert len(stored) == 30
    assert stored.shape == (30, 3, 4, 4)


def test_what_is_taken_stays_on_the_disk_and_in_order(stored) -> None:
    some = take(stored, np.array([9, 2]))
    assert isinstance(some, StoredImages)
    np.testing.assert_array_equal(some[:], ARRAY[ROWS[[9, 2]]])
    np.testing.assert_array_equal(take(ARRAY, ROWS), ARRAY[ROWS])


def test_between_processes_only_the_name_and_the_rows_travel(stored) -> None:
    stored[:]
    sent = pickle.dumps(stored)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent)[:], ARRAY[ROWS])


def test_reading_all_of_a_large_file_keeps_little_of_it_in_memory(tmp_path) -> None:
    size = 192 << 20
    file = tmp_path / "large.npy"
    pixels = np.lib.format.open_memmap(file, "w+", np.uint8, (size >> 12, 1, 64, 64))
    pixels[:] = 1
    pixels.flush()
    del pixels
    stored, total, highest = StoredImages(file), 0, 0
    before = resident()
    for places in np.array_split(np.random.default_rng(0).permutation(len(stored)), 400):
        total += int(stored[places].sum(dtype=np.int64))
        highest = max(highest, resident() - before)
    assert total == size
    assert highest < size / 2


def resident() -> int:
    """Bytes of this process in memory, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_file_that_grows_holds_what_was_added(tmp_path, count) -> None:
    file = PixelFile(tmp_path / "grown.npy", ARRAY.shape[1:])
    for image in ARRAY[:count]:
        file.add(image)
    file.close()
    np.testing.assert_array_equal(np.load(tmp_path / "grown.npy"), ARRAY[:count])


@pytest.mark.parametrize("places", [slice(None), np.array([49, 0, 20, 19, 20]), np.empty(0, int)])
def test_stacked_arrays_answer_as_one(places) -> None:
    stacked = StackedImages([ARRAY[:20], ARRAY[20:20], ARRAY[20:]])
    assert stacked.shape == ARRAY.shape
    np.testing.assert_array_equal(stacked[places], ARRAY[places])
