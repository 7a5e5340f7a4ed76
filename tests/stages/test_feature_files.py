"""Features of ImageNet networks are computed once, whoever asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import DetectorDescription
from gandetect.models.dense import DenseDiscriminator
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.probe import Probe
from gandetect.stages.feature_files import shared_features

CPU = torch.device("cpu")


@pytest.fixture
def computed(monkeypatch) -> list[int]:
    """How many images each batch holds that the network really sees."""
    batches: list[int] = []
    forward = ImagenetNetwork.forward

    def counted(network: ImagenetNetwork, images: torch.Tensor) -> torch.Tensor:
        batches.append(len(images))
        return forward(network, images)

    monkeypatch.setattr(ImagenetNetwork, "forward", counted)
    return batches


def probe(estimator: int, weights: int = 0, **options: object) -> NetworkDetector:
    """A probe on an untrained ResNet-18, one of several with the same features."""
    torch.manual_seed(weights)
    network = Probe(
        [ImagenetNetwork("resnet18", 32)],
        "all",
        ["mean"],
        **{"features": 960, "dimensions": 1, **options},
    )
    network.scale += 1
    torch.manual_seed(estimator)
    network.components += torch.randn(1, 960)
    about = DetectorDescription(kind="probe", name="probe", architecture="resnet18")
    return as_detector(network, about, CPU)


def shared(detector: NetworkDetector, cache: Path, images: np.ndarray) -> np.ndarray:
    """Scores of images by a detector that shares its features."""
    with shared_features(detector, cache):
        return detector.decision_function(images)


def test_another_probe_and_another_run_compute_nothing_again(
    tmp_path, fashion_mnist, computed
) -> None:
    images = fashion_mnist.test_images[:130]
    expected = [probe(one).decision_function(images) for one in (1, 2)]
    computed.clear()
    for one in (1, 2):
        scores = shared(probe(one), tmp_path, images)
        assert np.array_equal(scores, expected[one - 1])
    assert computed == [100, 30]
    assert not np.array_equal(*expected)


def test_other_images_and_other_weights_are_not_mixed_up(tmp_path, fashion_mnist) -> None:
    images = fashion_mnist.test_images[:20]
    shared(probe(1), tmp_path, images)
    for given in (fashion_mnist.test_images[20:40], images[:5], images[:, :, ::-1]):
        found = shared(probe(1), tmp_path, given)
        assert np.array_equal(found, probe(1).decision_function(given))
    other = shared(probe(1, weights=3), tmp_path, images)
    assert np.array_equal(other, probe(1, weights=3).decision_function(images))


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"no array", b"PK\x03\x04"])
def test_what_is_damaged_is_computed_again(tmp_path, fashion_mnist, damage, computed) -> None:
    images = fashion_mnist.test_images[:20]
    expected = shared(probe(1), tmp_path, images)
    (file,) = tmp_path.glob("features/*/*.npy")
    file.write_bytes(damage)
    assert np.array_equal(shared(probe(1), tmp_path, images), expected)
    assert computed == [20, 20]
    assert np.load(file).shape == (20, 960)


def test_a_disk_that_takes_nothing_costs_time_alone(tmp_path, fashion_mnist) -> None:
    (tmp_path / "features").write_text("a file stands where the folder would")
    images = fashion_mnist.test_images[:20]
    scores = shared(probe(1), tmp_path, images)
    assert np.array_equal(scores, probe(1).decision_function(images))


def test_networks_of_the_study_are_asked_each_time(tmp_path, fashion_mnist) -> None:
    network = Probe([DenseDiscriminator()], "all", ["mean"], features=768, dimensions=1)
    about = DetectorDescription(kind="probe", name="probe", architecture="dense")
    with shared_features(as_detector(network, about, CPU), tmp_path):
        assert network.recall is None


def test_what_is_scored_afterwards_is_not_kept(tmp_path, fashion_mnist) -> None:
    detector = probe(1)
    with shared_features(detector, tmp_path):
        assert detector.network.recall is not None
    detector.decision_function(fashion_mnist.test_images[:20])
    assert not list(tmp_path.glob("features/*/*"))
