"""What a saved detector answers to arrays of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gandetect.detectors.network import NetworkDetector as Detector
from gandetect.errors import DetectorError


def test_the_score_is_minus_the_networks_logit(detector: Detector, images: np.ndarray) -> None:
    with torch.inference_mode():
        logits = detector.network(torch.from_numpy(images).float() / 127.5 - 1)
    np.testing.assert_allclose(detector.decision_function(images), -logits.numpy(), atol=1e-6)


def test_a_better_fake_gets_a_lower_score(detector: Detector, images: np.ndarray) -> None:
    """Move an image towards what the network takes for real: its score must fall."""
    pixels = (torch.from_numpy(images[:1]).float() / 127.5 - 1).requires_grad_()
    (towards_real,) = torch.autograd.grad(detector.network(pixels).sum(), pixels)
    moved = images[:1].astype(float) + 8 * np.sign(towards_real.numpy())
    better = moved.clip(0, 255).astype(np.uint8)
    assert detector.decision_function(better)[0] < detector.decision_function(images[:1])[0]


def test_probabilities_follow_the_score_and_sum_to_one(
    detector: Detector, images: np.ndarray
) -> None:
    probabilities = detector.predict_proba(images)
    assert probabilities.shape == (6, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert detector.classes_.tolist() == ["real", "generated"]
    log_odds = np.log(probabilities[:, 1] / probabilities[:, 0])
    np.testing.assert_allclose(log_odds, detector.decision_function(images), atol=1e-6)


def test_the_verdict_is_generated_above_the_threshold(
    detector: Detector, images: np.ndarray
) -> None:
    scores = detector.decision_function(images)
    assert (scores > 0).any()
    assert (scores <= 0).any()
    assert detector.predict(images).tolist() == np.where(scores > 0, "generated", "real").tolist()
    assert detector.predict(images, "calibrated").tolist() == ["real"] * 6


def test_a_score_does_not_depend_on_the_batch(detector: Detector, images: np.ndarray) -> None:
    many = np.random.default_rng(1).integers(0, 256, (203, 1, 28, 28), np.uint8)
    many[[0, 77, 202]] = images[:3]
    single = np.concatenate([detector.decision_function(images[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(
        detector.decision_function(many)[[0, 77, 202]], single, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 1, 28, 28), np.float32),
        np.zeros((2, 1, 28, 28), np.int64),
        np.zeros((1, 28, 28), np.uint8),
        np.zeros((2, 3, 28, 28), np.uint8),
        np.zeros((2, 1, 32, 32), np.uint8),
        np.uint8(3),
    ],
    ids=lambda wrong: f"{wrong.dtype}-{wrong.shape}",
)
def test_other_types_and_shapes_are_refused(detector: Detector, wrong: np.ndarray) -> None:
    with pytest.raises(DetectorError) as caught:
        detector.decision_function(wrong)
    message = str(caught.value)
    assert f"{wrong.dtype} of shape {wrong.shape}" in message
    assert "uint8 images of shape (N, 1, 28, 28)" in message


def test_no_images_give_no_scores(detector: Detector) -> None:
    nothing = np.empty((0, 1, 28, 28), np.uint8)
    assert detector.decision_function(nothing).shape == (0,)
    assert detector.predict_proba(nothing).shape == (0, 2)
