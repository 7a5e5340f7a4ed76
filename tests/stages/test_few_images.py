"""Too few images to measure anything with are said so before a network is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shortcuts import make_stages

from gandetect.config import PicturesConfig
from gandetect.errors import DataError, UsageError
from gandetect.stages.class_data import ClassData


def prepare(folder: Path, **options: object) -> None:
    """Prepare a GAN study on five pictures of a class and three of one that is held out."""
    rng = np.random.default_rng(0)
    for name, count in (("a", 5), ("b", 3)):
        (folder / "mine" / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "mine" / name / f"{name}{number}.png")
    given = {"name": "folder", "path": "mine", "image_size": 28, "channels": 1, "held_out": ["b"]}
    config = PicturesConfig(**given, **options)
    make_stages(folder, folder, ClassData(config))


def test_one_test_image_is_too_few_for_fid(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"test split has 1 image\(s\), and FID needs at least 2"):
        prepare(tmp_path, test_fraction=0.2, calibration_fraction=0.2)
    assert not (tmp_path / "data").exists()


def test_two_are_enough(tmp_path: Path) -> None:
    prepare(tmp_path, test_fraction=0.4, calibration_fraction=0.2)
    assert (tmp_path / "data" / "data.json").exists()


def test_a_pattern_that_fits_one_class_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"fits 5 of 8 file names \('b': 0 of 3, 'a': 5 of 5\)"):
        prepare(tmp_path, test_fraction=0.4, calibration_fraction=0.2, group_pattern="^a[0-9]")
