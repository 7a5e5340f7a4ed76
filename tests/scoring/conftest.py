"""A detector, and image files to score, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gandetect.detectors.folder import load_detector
from gandetect.detectors.network import NetworkDetector as Detector


@pytest.fixture(scope="module")
def detector(detector_folder: Path) -> Detector:
    return load_detector(detector_folder)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 1, 28, 28), np.uint8)


@pytest.fixture
def folder(tmp_path: Path, images: np.ndarray) -> Path:
    """Six good PNG files, ``0.png`` to ``5.png``."""
    for number, image in enumerate(images):
        Image.fromarray(image[0]).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def mixed(folder: Path) -> Path:
    """Good and bad files by turns."""
    (folder / "0b.png").touch()
    (folder / "1b.png").write_text("no picture")
    (folder / "2b.png").write_bytes((folder / "2.png").read_bytes()[:200])
    return folder
