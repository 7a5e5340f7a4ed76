"""A detector's folder is believed only as far as its record and its digests go."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_detector import save_random_detector

from gandetect import runs
from gandetect.detectors.folder import DESCRIPTION, WEIGHTS, load_detector
from gandetect.errors import DetectorError


@pytest.fixture
def folder(tmp_path) -> Path:
    return save_random_detector(tmp_path / "detector")


def moved_threshold(folder: Path) -> None:
    text = (folder / DESCRIPTION).read_text()
    assert '"native": 0.0' in text
    (folder / DESCRIPTION).write_text(text.replace('"native": 0.0', '"native": -9.0'))


def test_a_description_that_its_record_vouches_for_may_not_be_edited(folder) -> None:
    runs.write_record(folder, "0" * 64, [DESCRIPTION, WEIGHTS])
    assert load_detector(folder).threshold("native") == 0.0
    moved_threshold(folder)
    with pytest.raises(DetectorError, match=r"detector\.json.* was changed after it was saved"):
        load_detector(folder)


def test_one_without_a_record_or_outside_of_it_may_be(folder) -> None:
    moved_threshold(folder)
    assert load_detector(folder).threshold("native") == -9.0
    runs.write_record(folder, "0" * 64, [WEIGHTS])
    assert load_detector(folder).threshold("native") == -9.0


def test_missing_and_changed_weights_are_named(folder) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-1] + b"\x01")
    with pytest.raises(DetectorError, match=r"weights\.safetensors' was changed or truncated"):
        load_detector(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(DetectorError, match=r"weights\.safetensors' is missing; run the study"):
        load_detector(folder)


def test_an_unknown_operating_point_names_those_there_are(folder) -> None:
    with pytest.raises(Exception, match="native"):
        load_detector(folder).threshold("natve")
    assert load_detector(folder).threshold("calibrated") == 1.5
