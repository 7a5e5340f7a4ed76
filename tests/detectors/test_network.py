"""Where the sign is turned: what answers high for real scores low, a classifier as it answers."""

import numpy as np
import pytest
import torch
from torch import nn

from gandetect.detectors.network import answers, as_detector
from gandetect.detectors.protocol import DetectorDescription, Preprocessing
from gandetect.errors import DetectorError
from gandetect.models.classifiers import build_classifier

CPU = torch.device("cpu")
SIZE = Preprocessing(image_size=16)
DESCRIPTION = DetectorDescription(name="mean", architecture="mean", preprocessing=SIZE)
IMAGES = np.repeat(np.array([0, 51, 255], np.uint8), 16 * 16).reshape(3, 1, 16, 16)


def mean_of_images() -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(0))


def test_what_answers_like_a_discriminator_is_turned() -> None:
    scores = as_detector(mean_of_images(), DESCRIPTION, CPU).decision_function(IMAGES)
    np.testing.assert_allclose(scores, [1.0, 0.6, -1.0], atol=1e-6)


def test_a_classifier_answers_with_the_score_itself() -> None:
    network = build_classifier("cnn-small", channels=1, image_size=16).eval()
    with torch.inference_mode():
        logits = network(network.prepare(torch.from_numpy(IMAGES)))
    scores = as_detector(network, DESCRIPTION, CPU).decision_function(IMAGES)
    np.testing.assert_allclose(scores, (logits[:, 1] - logits[:, 0]).numpy(), atol=1e-5)


def test_answers_are_joined_over_batches() -> None:
    many = np.concatenate([IMAGES] * 70)  # more than one batch
    joined = answers(mean_of_images(), many, CPU)
    np.testing.assert_allclose(joined, np.tile([-1.0, -0.6, 1.0], 70), atol=1e-6)


@pytest.mark.parametrize("images", [IMAGES.astype(float), IMAGES[:, :, :, :8], IMAGES[0]])
def test_other_images_are_refused_with_what_was_expected(images) -> None:
    with pytest.raises(DetectorError, match=r"'mean' scores uint8 images of shape \(N, 1, 16, 16"):
        as_detector(mean_of_images(), DESCRIPTION, CPU).decision_function(images)


def test_another_description_leaves_the_network_as_it_is() -> None:
    first = as_detector(mean_of_images(), DESCRIPTION, CPU)
    second = first.with_description(operating_points={"native": 0.0, "strict": 0.9})
    assert second.network is first.network
    assert second.predict(IMAGES, "strict").tolist() == ["generated", "real", "real"]
    assert dict(first.operating_points) == {"native": 0.0}
