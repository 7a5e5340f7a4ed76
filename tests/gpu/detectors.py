"""Scores of every kind of detector, on the device and on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from gandetect.config import ARCHITECTURES
from gandetect.detectors.network import as_detector
from gandetect.detectors.protocol import Detector, DetectorDescription, Preprocessing
from gandetect.models.backbones import CLASSIFIERS
from gandetect.models.classifiers import ImageClassifier, build_classifier
from gandetect.models.ensemble import Ensemble
from gandetect.models.features import Features
from gandetect.models.one_class import METHODS, OneClass
from gandetect.models.probe import STATISTICS, Probe

from .settings import Record, Settings
from .steps import images, side

# Of the scores' own spread: what a threshold could notice is a hundred times that.
TOLERANCE = 1e-3
# Ranks and trees go by steps, where the last bit of a feature may turn one: of these detectors all
# but a twentieth of the scores are held to the tolerance, and none may be further apart than this.
# Random weights make of deep networks what amplifies the last bit of a sum a thousand times.
DEEP, TOLERANCE_OF_DEEP = ("resnet", "efficientnet"), 1e-2
STEPS = {"checkpoint-ensemble of ranks": 0.2, "one-class isolation-forest": 0.1}

Build = Callable[[], nn.Module]


def scores(settings: Settings, record: Record) -> None:
    """Each kind with random weights, the same on both, on random images."""
    for name, build in _kinds(settings):
        with record.case(f"scores: {name}") as case:
            here, there = (_scores(build, device, settings) for device in ("cpu", settings.device))
            assert here.std() > 0, "all scores are equal, which compares nothing"
            apart = np.abs(here - there) / here.std()
            case["largest difference"] = float(apart.max())
            deep = any(kind in name for kind in DEEP)
            case["tolerance"] = STEPS.get(name, TOLERANCE_OF_DEEP if deep else TOLERANCE)
            assert np.isfinite(there).all(), "a score is not finite"
            assert case["largest difference"] <= case["tolerance"], "the device gives other scores"
            if name in STEPS:
                case["difference of most"] = float(np.quantile(apart, 0.95))
                assert case["difference of most"] <= 10 * TOLERANCE, "most scores are others"
    with record.case("channels last or not") as case:
        case["difference"] = _layouts_apart(settings)
        assert case["difference"] <= TOLERANCE, "the layout in memory changes the answers"


def _scores(build: Build, device: str, settings: Settings) -> np.ndarray:
    size = Preprocessing(image_size=side(settings))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build()
        _with_statistics(network, settings)
    described = DetectorDescription(name="random", architecture="dcgan-bn", preprocessing=size)
    detector: Detector = as_detector(network, described, torch.device(device))
    return detector.decision_function(images(settings, 20 if settings.tiny else 200).numpy())


def _with_statistics(network: nn.Module, settings: Settings) -> None:
    """Give BatchNorm the statistics of images: without, deep networks answer all with one score."""
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    if norms:
        seen = images(settings, 60)
        with torch.no_grad():
            if isinstance(network, ImageClassifier):
                network(network.prepare(seen))
            else:
                network(_in_unit_range(settings))
    network.eval()


def _kinds(settings: Settings) -> Iterator[tuple[str, Build]]:
    """Every kind of detector there is, and how to build its network."""
    pixels = side(settings)
    for name, architecture in ARCHITECTURES.items():
        if "discriminator" in architecture.networks:
            yield (
                f"discriminator {name}",
                lambda one=architecture: one.build("discriminator", pixels, 1),
            )
    for name in CLASSIFIERS:
        smallest = max(pixels, 32 if CLASSIFIERS[name].weights else pixels)
        if settings.tiny and CLASSIFIERS[name].weights:
            continue  # large ones, which all are built of the same layers
        yield (
            f"classifier {name}",
            lambda one=name, size=smallest: build_classifier(one, channels=1, image_size=size),
        )
    for average in ("logit", "rank"):
        yield f"checkpoint-ensemble of {average}s", lambda one=average: _ensemble(one, settings)
    for method in METHODS:
        yield f"one-class {method}", lambda one=method: _one_class(one, settings)
    for estimator in ("logistic-regression", "linear-discriminant", "nearest-neighbours"):
        yield f"probe {estimator}", lambda one=estimator: _probe(one, settings)


def _ensemble(average: str, settings: Settings) -> nn.Module:
    kind, size = ARCHITECTURES["dcgan-bn"], side(settings)
    members = [kind.build("discriminator", size, 1) for _ in range(3)]
    ensemble = Ensemble(members, average).eval()
    if average == "rank":
        with torch.inference_mode():
            ensemble.calibrate(ensemble.of_members(_in_unit_range(settings)))
    return ensemble


def _one_class(method: str, settings: Settings) -> nn.Module:
    """Fitted to random reals, in a discriminator's features."""
    network = ARCHITECTURES["dcgan-bn"].build("discriminator", side(settings), 1).eval()
    features = Features(network)
    detector = OneClass(method, features)
    with torch.inference_mode():
        raw = features.raw(_in_unit_range(settings)).numpy()
    detector.learn(raw)
    return detector


def _probe(estimator: str, settings: Settings) -> nn.Module:
    """Fitted to random reals and darker fakes, in statistics of two kinds of networks."""
    kinds = ARCHITECTURES["dcgan-bn"], ARCHITECTURES["dense"]
    networks = [kind.build("discriminator", side(settings), 1) for kind in kinds]
    probe = Probe(networks, "all", tuple(STATISTICS)).eval()
    reals = _in_unit_range(settings)
    with torch.inference_mode():
        both = [probe.raw(images).numpy() for images in (reals, 0.8 * reals - 0.2)]
    probe.learn(np.stack(both)[None], estimator)
    return probe


def _in_unit_range(settings: Settings) -> torch.Tensor:
    from gandetect.models.scaling import to_unit_range

    return to_unit_range(255 - images(settings, 60))  # none of those that are scored


def _layouts_apart(settings: Settings) -> float:
    """How far both DCGANs' answers are apart with channels last and without, at most."""
    device, largest = torch.device(settings.device), 0.0
    seen = _in_unit_range(settings).to(device)
    noise = torch.randn(20, 100, generator=torch.Generator().manual_seed(0)).to(device)
    for name in ("dcgan-bn", "dcgan-plain"):
        kind = ARCHITECTURES[name]
        for network, given in (
            (kind.build("discriminator", side(settings), 1), seen),
            (kind.build("generator", side(settings), 1), noise),
        ):
            network.to(device).eval()
            with torch.inference_mode():
                plain = network(given)
                network.to(memory_format=torch.channels_last)
                last = network(given.contiguous(memory_format=torch.channels_last)
                               if given.dim() == 4 else given)  # fmt: skip
            apart = float((plain - last).abs().max() / plain.abs().max())
            largest = max(largest, apart)
    return largest
