"""Thresholds are chosen on calibration images as they are, or after processing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from random_detector import save_random_detector

from gandetect.config.experiment import EvaluationConfig
from gandetect.detectors.folder import load_detector
from gandetect.detectors.protocol import Detector
from gandetect.errors import UsageError
from gandetect.runs import RECORD, write_json
from gandetect.sources import ImageSet
from gandetect.stages.class_data import CLASSES, ClassData
from gandetect.stages.score import ScoreDetector
from gandetect.statistics.calibrated import CalibrationRule

DARKER = ({"name": "brightness", "probability": 1.0, "range": (0.5, 0.5)},)
GREY = ImageSet(np.full((3, 1, 4, 4), 100, np.uint8))


class MeanLevel(Detector):
    """A detector whose score is an image's mean grey level."""

    at_once = None

    def decision_function(self, images):
        return images.mean((1, 2, 3))


def scores(name: str, chain: object) -> list[float]:
    evaluation = EvaluationConfig.model_validate({"calibration_processing": chain})
    trained = SimpleNamespace(seed=0, augmented=None)
    stage = ScoreDetector(
        trained, (), (), None, CalibrationRule(), 1, "x", (),
        calibration_processing=evaluation.calibration_processing,
    )  # fmt: skip
    source = SimpleNamespace(name=name)
    return stage._scores(MeanLevel(), source, GREY, lambda _: None).tolist()


@pytest.mark.parametrize("name", ["real:calibration", "generated:calibration"])
def test_calibration_images_are_processed_where_that_is_asked_for(name) -> None:
    assert scores(name, DARKER) == [50.0] * 3
    assert scores(name, ()) == [100.0] * 3


@pytest.mark.parametrize(("n", "points"), [(18, {"native"}), (19, {"native", "calibrated"})])
def test_a_detector_folder_says_why_it_has_no_calibrated_threshold(tmp_path, n, points) -> None:
    folder, warned = save_random_detector(tmp_path / "made"), []
    trained = SimpleNamespace(seed=0, config=SimpleNamespace(name="x"))
    stage = ScoreDetector(trained, (), (), None, CalibrationRule(), 1, "x", ())
    write_json(tmp_path / RECORD, {"digest": ""})
    context = SimpleNamespace(of=lambda _: tmp_path, folder=tmp_path, warn=warned.append)
    about = {"source": "real:calibration", "source_seed": 0, "detector_seed": 0, "label": "real"}
    table = pd.DataFrame({"index": range(n), "score": np.arange(float(n)), **about})
    stage._finish(load_detector(folder), table, context)
    finished = load_detector(tmp_path)
    assert set(finished.operating_points) == points
    assert ("0.05" in finished.description.cuts) == (n == 19)
    assert finished.unsure_between(("0.2", "0.4")) == (11, 15)
    if n < 19:
        (sentence,) = warned
        assert sentence.endswith("takes at least 19 calibration reals, and there are 18")
        with pytest.raises(UsageError, match=r"at least 19 .* there are 18; it has native"):
            finished.threshold("calibrated")
    else:
        assert (warned, finished.threshold("calibrated")) == ([], 18.0)
        assert finished.description.promises["calibrated"]["rank"] == 19
        assert "chosen on 19 real images" in finished.promise("calibrated")


def test_thresholds_by_class_read_the_classes_of_the_data_stage(tmp_path) -> None:
    classes = pd.DataFrame({"source": "real:calibration", "index": [0], "class_name": ["Coat"]})
    classes.to_parquet(tmp_path / CLASSES)
    context = SimpleNamespace(of=lambda _: tmp_path)
    for rule, given in ((CalibrationRule(by_class=True), classes), (CalibrationRule(), None)):
        stage = ScoreDetector(None, (), (ClassData(None),), None, rule, 1, "x", ())
        found = stage._classes(context)
        assert found is given or found.equals(given)


@pytest.mark.parametrize("name", ["real:in-distribution", "generated:dcgan-bn", "real:held-out"])
def test_test_images_never_are(name) -> None:
    assert scores(name, DARKER) == [100.0] * 3
