"""A detector as one file: other programs get its own scores, whatever kind of network it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from gandetect.cli import main
from gandetect.config import ARCHITECTURES
from gandetect.data.class_images import ClassImages
from gandetect.detectors.export import METADATA, TOLERANCE, _compare, export_detector
from gandetect.detectors.folder import load_detector
from gandetect.detectors.network import NetworkDetector, as_detector
from gandetect.detectors.protocol import DetectorDescription
from gandetect.errors import DetectorError
from gandetect.models.classifiers import build_classifier
from gandetect.models.ensemble import Ensemble
from gandetect.models.features import Features
from gandetect.models.one_class import OneClass
from gandetect.models.probe import Probe

# TorchScript is what some programs take, whatever torch says of it.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
POINTS = {"native": 0.0, "calibrated": 1.5}


@pytest.fixture(scope="module")
def images(fashion_mnist: ClassImages) -> np.ndarray:
    return fashion_mnist.train_images[:1000]


def _same(given: np.ndarray, expected: np.ndarray, kind: str) -> None:
    away = np.abs(given - expected) / np.maximum(np.abs(expected), 1)
    if kind == "ranks":  # which are steps: rounding may take one
        assert np.mean(away > TOLERANCE) < 0.02
        assert away.max() < 0.2
    else:
        assert away.max() <= TOLERANCE


def _discriminator(**options: Any) -> nn.Module:
    network: nn.Module = ARCHITECTURES["dcgan-plain"].build("discriminator", **options)
    return network.eval()


def _rank_ensemble(images: np.ndarray) -> nn.Module:
    ensemble = Ensemble([_discriminator(), _discriminator()], "rank").eval()
    ensemble.calibrate(ensemble.of_members(_scaled(images[:50] // 2)))
    return ensemble


def _probe(estimator: str, *networks: nn.Module) -> Callable[[np.ndarray], nn.Module]:
    def made(images: np.ndarray) -> nn.Module:
        probe = Probe(networks or [_discriminator()], "all", ["mean", "deviation", "covariance"])
        features = probe.eval().raw(_scaled(images[:160])).numpy().reshape(1, 2, 80, -1)
        probe.learn(features, estimator)
        return probe

    return made


def _scaled(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.copy()).float() / 127.5 - 1


def _classifier(**sizes: int) -> nn.Module:
    return build_classifier("resnet18", channels=1, normalise="imagenet", **sizes)


KINDS: dict[str, Callable[[np.ndarray], nn.Module]] = {
    "discriminator": lambda _: _discriminator(histogram=True, spectral_norm=True),
    "ensemble": lambda _: Ensemble([_discriminator(), _discriminator()]),
    "ranks": _rank_ensemble,
    "probe": _probe("logistic-regression"),
    "neighbours": _probe("nearest-neighbours"),
    "cnn": lambda _: build_classifier("cnn-small", channels=1, image_size=28),
    "cut out": lambda _: _classifier(image_size=32, stored_size=41),
}


def _detector(kind: str, images: np.ndarray) -> NetworkDetector:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = KINDS[kind](images)
    description = DetectorDescription(name=kind, architecture="any", operating_points=POINTS)
    return as_detector(network, description, torch.device("cpu"))


# An export takes seconds: the suite has some of them, `make test-slow` all, on more images.
def some(*quick: str) -> pytest.MarkDecorator:
    marked = [pytest.param(kind, 200) for kind in quick]
    marked += [pytest.param(kind, 1000, marks=pytest.mark.slow) for kind in KINDS]
    return pytest.mark.parametrize(("kind", "n"), marked)


@some("discriminator")
def test_onnxruntime_gives_the_detectors_scores(
    kind: str, n: int, images: np.ndarray, tmp_path: Path
) -> None:
    images = images[:n]
    runtime = pytest.importorskip(
        "onnxruntime", reason="onnxruntime is not installed; pip install 'gandetect[onnx]'"
    )
    detector = _detector(kind, images)
    metadata = export_detector(detector, tmp_path / "it.onnx", "onnx")
    session = runtime.InferenceSession(tmp_path / "it.onnx")
    stored = json.loads(session.get_modelmeta().custom_metadata_map[METADATA])
    assert stored == metadata
    assert stored["operating_points"] == POINTS
    given = images
    if "resized" in stored["input"]:  # as torchvision does it
        from torchvision.transforms.v2 import functional as F

        side = stored["input"]["shape"][-1]
        given = F.resize(torch.from_numpy(images.copy()), [side, side], antialias=True).numpy()
    (scores,) = session.run(["log_odds"], {"images": given})
    assert scores.shape == (n,)
    _same(scores, detector.decision_function(images), kind)
    (one,) = session.run(None, {"images": given[:1]})
    _same(one, scores[:1], kind)


@some("cnn", "ranks")
def test_torchscript_gives_the_detectors_scores(
    kind: str, n: int, images: np.ndarray, tmp_path: Path
) -> None:
    images = images[:n]
    detector = _detector(kind, images)
    metadata = export_detector(detector, tmp_path / "it.pt", "torchscript")
    extra = {METADATA: ""}
    loaded = torch.jit.load(tmp_path / "it.pt", _extra_files=extra)
    assert json.loads(extra[METADATA]) == metadata
    assert metadata["input"]["shape"] == ["N", 1, 28, 28]
    with torch.no_grad():
        scores = loaded(torch.from_numpy(images.copy())).numpy()
    _same(scores, detector.decision_function(images), kind)


def test_a_detector_of_scikit_learn_is_refused_by_its_kind(tmp_path: Path) -> None:
    network = OneClass("isolation-forest", Features(None))
    description = DetectorDescription(kind="one-class", name="odd", architecture="pixels")
    detector = as_detector(network, description, torch.device("cpu"))
    with pytest.raises(DetectorError, match=r"'odd' is of the kind 'one-class'.*no graph"):
        export_detector(detector, tmp_path / "it.pt", "torchscript")
    assert not [*tmp_path.iterdir()]


def test_a_file_that_answers_otherwise_is_refused(detector_folder: Path) -> None:
    detector = load_detector(detector_folder)

    def answer(images: np.ndarray) -> np.ndarray:
        return detector.decision_function(images) + 2 * TOLERANCE

    with pytest.raises(DetectorError, match="would answer otherwise than the detector"):
        _compare(detector, 28, answer, "onnx")


def test_the_command_names_the_file_and_leaves_none_where_it_fails(
    detector_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["export", str(detector_folder), "--format", "torchscript"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (0, "dcgan-plain.pt\n")
    assert torch.jit.load("dcgan-plain.pt")(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).shape == (
        2,
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    missing = CliRunner().invoke(main, [*arguments[:-1], "onnx"])
    assert missing.exit_code == 2
    assert "pip install 'gandetect[onnx]'" in missing.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["dcgan-plain.pt"]


def test_an_external_detector_is_refused(tmp_path: Path) -> None:
    description = DetectorDescription(kind="python", name="theirs", architecture="their.code:it")
    (tmp_path / "detector.json").write_text(description.model_dump_json())
    arguments = ["export", str(tmp_path), "--format", "torchscript"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "holds no network: its detector is 'their.code:it' from outside" in result.stderr
