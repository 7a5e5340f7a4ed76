"""What `gandetect explain` writes of an image: the map over it, and its spectrum beside reals'."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gandetect.analyses.image_statistics.numbers import summarise
from gandetect.cli import main
from gandetect.detectors.folder import load_detector
from gandetect.explanation import OWN_MEAN, RUN_MEAN, explanation, reals_of_run

REALS = np.random.default_rng(1).integers(0, 200, (40, 1, 28, 28), np.uint8)


@pytest.fixture
def in_a_run(tmp_path: Path, detector_folder: Path) -> Path:
    """The folder of a detector within a run that has summed up its reals."""
    place = tmp_path / "run" / "detectors" / "dcgan-plain" / "seed-0"
    shutil.copytree(detector_folder, place)
    (tmp_path / "run" / "image-statistics").mkdir()
    arrays = {f"real:in-distribution@0/{name}": one for name, one in summarise(REALS).items()}
    np.savez(tmp_path / "run" / "image-statistics" / "statistics.npz", **arrays)
    return place


def test_a_map_is_the_change_of_the_score_that_the_runs_mean_image_makes(in_a_run: Path) -> None:
    detector, reals = load_detector(in_a_run), reals_of_run(in_a_run)
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    facts = explanation(detector, image, reals)
    assert facts["covered_with"] == RUN_MEAN
    covered = image.copy()
    top, left, window = facts["starts"][2], facts["starts"][5], facts["window"]
    part = np.s_[:, top : top + window, left : left + window]
    covered[part] = np.rint(REALS.mean(axis=0).astype(np.float32))[part]
    scores = detector.decision_function(np.stack([image, covered]))
    assert facts["score"] == pytest.approx(scores[0], abs=1e-5)
    assert facts["map"][2][5] == pytest.approx(scores[0] - scores[1], abs=1e-5)
    spectrum = facts["spectrum"]
    np.testing.assert_allclose(spectrum["image"], summarise(image[None])["profile"])
    np.testing.assert_allclose(spectrum["reals"], summarise(REALS)["profile"])


def test_a_detector_outside_a_run_explains_the_image_alone(detector_folder: Path) -> None:
    assert reals_of_run(detector_folder) is None
    image = np.full((1, 28, 28), 77, np.uint8)
    facts = explanation(load_detector(detector_folder), image, None)
    assert facts["covered_with"] == OWN_MEAN
    assert np.abs(facts["map"]).max() < 1e-5  # nothing changes where everything is the mean
    assert "reals" not in facts["spectrum"]


def test_the_command_writes_a_picture_and_json_of_each_image_that_can_be_read(
    in_a_run: Path, tmp_path: Path
) -> None:
    Image.fromarray(REALS[0, 0]).resize((50, 40)).save(tmp_path / "wide.png")
    (tmp_path / "bad.png").write_text("no picture")
    names = [str(tmp_path / name) for name in ("wide.png", "bad.png")]
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["explain", str(in_a_run), *names, "--out", str(out)])
    assert result.exit_code == 1
    assert "bad.png" in result.stderr
    assert sorted(one.name for one in out.iterdir()) == ["0000-wide.json", "0000-wide.png"]
    facts = json.loads((out / "0000-wide.json").read_text())
    assert facts["conversion"].endswith("to grey 28x28, pad")
    with Image.open(out / "0000-wide.png") as picture:
        assert picture.width > 1000
