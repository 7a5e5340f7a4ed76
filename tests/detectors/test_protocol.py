"""What every detector can do, whatever it is: here one without any network."""

import numpy as np
import pytest

from gandetect.config import ClassifierConfig
from gandetect.detectors.protocol import Detector, DetectorDescription, kind_named
from gandetect.errors import UsageError
from gandetect.sources import ImageSet
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.scoring import score_images
from gandetect.training.augmentation import fixed_copy


class Light(Detector):
    """The lighter an image, the surer it is generated; 0 at half of the scale."""

    description = DetectorDescription(
        name="light",
        architecture="mean",
        operating_points={"native": 0.0, "strict": 50.0},
        provenance={"seed": 3},
    )

    def decision_function(self, images):
        return np.asarray(images, dtype=float).mean(axis=(1, 2, 3)) - 127.5


IMAGES = np.broadcast_to(np.array([0, 130, 255], np.uint8)[:, None, None, None], (3, 1, 28, 28))


def test_probabilities_are_of_real_and_generated() -> None:
    real, generated = Light().predict_proba(IMAGES).T
    np.testing.assert_allclose(real + generated, 1)
    assert np.all(np.diff(generated) > 0)
    assert generated[1] == pytest.approx(1 / (1 + np.exp(-2.5)))


def test_an_image_is_generated_above_the_threshold_of_an_operating_point() -> None:
    assert Light().predict(IMAGES).tolist() == ["real", "generated", "generated"]
    assert Light().predict(IMAGES, "strict").tolist() == ["real", "real", "generated"]
    with pytest.raises(UsageError, match=r"'strikt' is not known; .*native, strict"):
        Light().predict(IMAGES, "strikt")


def test_a_threshold_that_there_is_none_of_says_why() -> None:
    light = Light()
    light.description = light.description.model_copy(update={"absent": {"calibrated": "too few"}})
    with pytest.raises(UsageError, match="no threshold 'calibrated': too few; it has native"):
        light.predict(IMAGES, "calibrated")


def test_a_score_is_a_threshold_too() -> None:
    light = Light()
    scores = light.decision_function(IMAGES)
    cut = float(np.median(scores))
    expected = np.where(scores > cut, "generated", "real").tolist()
    assert light.predict(IMAGES, cut).tolist() == expected
    assert light.predict(IMAGES, f"{cut}").tolist() == expected
    with pytest.raises(UsageError, match="operating point 'nan' is not known"):
        light.predict(IMAGES, "nan")


def test_a_threshold_says_what_it_promises() -> None:
    light = Light()
    assert light.promise("strict") == ""
    facts = {"n_calibration": 100, "expected_flagged": 5 / 101, "flagged_at_most": 0.0892}
    light.description = light.description.model_copy(update={"promises": {"strict": facts}})
    assert light.promise("strict") == (
        "threshold strict was chosen on 100 real images; of 100 new ones like those that chose it, "
        "5.0 are expected to be flagged, with 95 % confidence at most 8.9; of other "
        "real images it promises nothing"
    )


def test_it_says_who_it_is() -> None:
    light = Light()
    assert (light.name, light.provenance, light.operating_points["strict"]) == (
        "light", {"seed": 3}, 50.0
    )  # fmt: skip


def test_a_notebook_shows_its_facts_and_thresholds_escaped() -> None:
    light = Light()
    light.description = light.description.model_copy(update={"name": "<i>light</i>"})
    shown = light._repr_html_()
    assert "<td>&lt;i&gt;light&lt;/i&gt; (discriminator, mean)</td>" in shown
    assert "<th>threshold strict</th><td>50.000</td>" in shown
    assert "<th>seed</th><td>3</td>" in shown
    assert "promise" not in shown


def test_an_unknown_kind_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"'classifire' is not .* mean 'classifier'"):
        kind_named("classifire")


def test_copies_are_scored_as_a_classifier_was_trained_on_them(fashion_mnist) -> None:
    table = {"recipe": "cnn-small", "image_size": 28, "augmentation": {"brightness": 0.5}}
    config = ClassifierConfig.model_validate(table)
    pixels = fashion_mnist.train_images[:4]
    chosen = ImageSet(pixels, rows=np.array([2, 2, 0]), copies=np.array([0, 1, 2]))
    expected = np.stack(
        [
            fixed_copy(pixels[row], copy, row, config.augmentation, 28)
            for row, copy in ((2, 0), (2, 1), (0, 2))
        ]
    )
    stage = TrainClassifier(config, 0, Light.description.preprocessing, None)
    scores = score_images(Light(), chosen, augment=stage.augmented)
    np.testing.assert_array_equal(scores, Light().decision_function(expected))
    as_they_are = score_images(Light(), chosen)
    assert as_they_are[0] == as_they_are[1] == scores[0] != scores[1]
