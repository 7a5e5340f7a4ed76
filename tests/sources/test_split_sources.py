"""What a data stage leaves of its splits is opened as the very images it split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandetect import runs
from gandetect.data.class_images import ClassImages
from gandetect.data.splits import Splits, make_splits
from gandetect.data.stored import StoredImages
from gandetect.sources.pixel_cache import keep_pixels
from gandetect.sources.splits import FACTS, FOLDER, ROWS, OpenSplits, SplitSource, write_rows

NAMES = {"training": "train", "in-distribution": "in_distribution", "held-out": "held_out"}


def images(count: int, first: int) -> np.ndarray:
    """Images that tell of their number."""
    numbers = np.arange(first, first + count, dtype=np.uint16)
    return numbers.view(np.uint8).reshape(count, 1, 1, 2).repeat(2, axis=2)


def left(run: Path, dataset: ClassImages, splits: Splits) -> OpenSplits:
    (run / FOLDER).mkdir(parents=True)
    pixels = keep_pixels("small", dataset, run / "cache")
    write_rows(run / FOLDER / ROWS, dataset, splits)
    facts = {"classes": ["a", "b", "c"], "pixels": pixels, "official_test": not splits.one_file}
    runs.write_json(run / FOLDER / FACTS, facts)
    return OpenSplits(run / FOLDER, run / "cache")


@pytest.fixture
def two_files(tmp_path) -> tuple[OpenSplits, ClassImages, Splits]:
    labels, others = np.arange(300) % 3, np.arange(60)[::-1] % 3
    dataset = ClassImages(
        images(300, 0), labels, images(60, 1000), others, ("a", "b", "c"), "0" * 64
    )
    splits = make_splits(labels, others, (2,), test_fraction=0.1, seed=0)
    return left(tmp_path, dataset, splits), dataset, splits


def test_splits_of_two_files_are_opened_as_they_were_made(two_files) -> None:
    opened, dataset, splits = two_files
    assert opened.classes == ("a", "b", "c")
    for name, part in NAMES.items():
        places = getattr(splits, part)
        np.testing.assert_array_equal(opened.images(name)[:], dataset.train_images[places])
        np.testing.assert_array_equal(opened.labels(name), dataset.train_labels[places])
        assert opened.count(name) == len(places)
    calibration = splits.calibration
    np.testing.assert_array_equal(opened.images("calibration")[:], dataset.test_images[calibration])
    np.testing.assert_array_equal(opened.labels("calibration"), dataset.test_labels[calibration])
    assert opened.test_reals == len(splits.in_distribution) + len(splits.held_out)


def test_several_splits_are_opened_in_the_order_asked_for(two_files) -> None:
    opened, dataset, splits = two_files
    both = np.concatenate([splits.held_out, splits.train])
    np.testing.assert_array_equal(
        opened.images("held-out", "training")[:], dataset.train_images[both]
    )
    np.testing.assert_array_equal(opened.labels("held-out", "training"), dataset.train_labels[both])


def test_of_one_file_on_the_disk_calibration_images_are_of_that_file(tmp_path) -> None:
    """Pictures that could not be decoded have a row in the file, and none in the data set."""
    np.save(tmp_path / "images.npy", images(200, 0))
    rows = np.delete(np.arange(200), [0, 7, 99])
    stored = StoredImages(tmp_path / "images.npy", rows)
    labels = np.arange(197) % 3
    empty = np.empty(0, np.int64)
    dataset = ClassImages(stored, labels, images(0, 0), empty, ("a", "b", "c"), "0" * 64)
    fractions = {"calibration_fraction": 0.2, "test_fraction": 0.2}
    splits = make_splits(labels, None, (2,), **fractions, seed=0)
    (tmp_path / "run/cache").mkdir(parents=True)
    (tmp_path / "run/cache" / tmp_path.name).symlink_to(tmp_path)
    opened = left(tmp_path / "run", dataset, splits)
    for name, part in {**NAMES, "calibration": "calibration"}.items():
        places = getattr(splits, part)
        assert isinstance(opened.images(name), StoredImages)
        np.testing.assert_array_equal(opened.images(name)[:], stored[places])
        np.testing.assert_array_equal(opened.rows(name), rows[places])
        np.testing.assert_array_equal(opened.labels(name), labels[places])


@pytest.mark.parametrize(
    ("options", "count"), [({}, 180), ({"most": 7}, 7), ({"as_many_as": "in-distribution"}, 20)]
)
def test_a_source_is_its_first_images(two_files, tmp_path, options, count) -> None:
    opened, _, _ = two_files
    source = SplitSource("training", **options)
    assert source.name == "real:training"
    found = source.open(tmp_path, tmp_path / "cache")
    assert len(found) == count
    np.testing.assert_array_equal(found.indices(), np.arange(count))
    np.testing.assert_array_equal(
        found.array()[found.all_rows()], opened.images("training")[:count]
    )


def test_rows_that_would_run_code_are_not_read(two_files, tmp_path) -> None:
    objects = np.array([{"not": "numbers"}], dtype=object)
    np.savez(tmp_path / FOLDER / ROWS, training=objects, allow_pickle=True)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        OpenSplits(tmp_path / FOLDER, tmp_path / "cache")
