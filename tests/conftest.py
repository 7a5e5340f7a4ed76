"""What the tests of several rooms share: the real data, and a detector on disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from random_detector import save_random_detector
from score_tables import score_table

from gandetect import workers
from gandetect.data import fashion_mnist as source
from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import resolve_data_dir

# How long an example takes says more of the machine than of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
# The plug-in that is an example, for tests of what it brings.
sys.path.append(str(Path(__file__).parent.parent / "examples" / "plugin"))
# A chapter that fails, fails its test.
os.environ["GANDETECT_STRICT_REPORT"] = "1"
# Test processes share the cores already: a report that forks only takes longer.
workers._cores = lambda: 1


@pytest.hookimpl(tryfirst=True)  # before items are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole studies, the longest files, so that no worker ends with one alone.

    What opens a browser is marked so.
    """
    items.sort(key=lambda item: "study" not in item.path.parts)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def fashion_mnist() -> ClassImages:
    """The real data, wherever this machine has it; loaded once. Leave its arrays unchanged."""
    dataset = source.load(resolve_data_dir(None))
    for array in (dataset.train_images, dataset.train_labels):
        array.setflags(write=False)
    return dataset


@pytest.fixture(scope="session")
def detector_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved `dcgan-plain` discriminator with fixed random weights; copy it before changing it."""
    return save_random_detector(tmp_path_factory.mktemp("detectors") / "dcgan-plain" / "seed-0")


@contextmanager
def _unprivileged() -> Iterator[None]:
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def without_privileges() -> Callable[[], AbstractContextManager[None]]:
    """For a block, be a user whom permissions bind: root becomes nobody.

    pytest's folders are closed to nobody; enter them first, and use relative paths.
    """
    return _unprivileged


@pytest.fixture
def scores() -> pd.DataFrame:
    return score_table(np.random.default_rng(0))


@pytest.fixture
def make_scores() -> Callable[..., pd.DataFrame]:
    return score_table
