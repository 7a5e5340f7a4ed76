"""Scoring images in memory: a detector's images per second, and the share of the machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .children import Piece, in_fresh_process, interleaved, rate
from .matrix_work import flop_of_scoring, prepare_peak
from .results import Measured, Settings

if TYPE_CHECKING:
    from gandetect.detectors.protocol import Detector

SECTION = "scoring"
IMAGES = 10_000


def measure(settings: Settings, cores: int) -> Measured:
    """Score 10,000 images in memory with both discriminators."""
    measured = Measured()
    architectures = ("dcgan-bn", "dcgan-plain")
    pieces = {name: Piece(prepare, (name, cores, settings.seconds)) for name in architectures}
    pieces["peak"] = Piece(prepare_peak, ("fp32", cores, settings.seconds))
    values = interleaved(pieces, settings.repeats)
    peak = values.pop("peak")
    measured.add_rows(SECTION, "images/s", {f"{n}: in memory": v for n, v in values.items()})
    measured.add_rows(SECTION, "GFLOP/s", {"GEMM peak fp32": [value / 1e9 for value in peak]})
    for name, images in values.items():
        work = in_fresh_process(flop_of_scoring, name)
        measured.add_rows(SECTION, "GFLOP/image", {f"{name}: forward": [work / 1e9]})
        share = f"{name}: share of the fp32 GEMM peak"
        best = [max(peak)] * len(images)
        measured.add_ratio(SECTION, share, images, best, factor=100 * work, unit="%")
    return measured


def fresh_detector(architecture: str) -> Detector:
    """A discriminator with its initial weights; how good it is costs no time."""
    import torch

    from gandetect.config import ARCHITECTURES
    from gandetect.detectors.network import as_detector
    from gandetect.detectors.protocol import DetectorDescription

    description = DetectorDescription(name=architecture, architecture=architecture)
    network = ARCHITECTURES[architecture].build("discriminator")
    return as_detector(network, description, torch.device("cpu"))


def prepare(architecture: str, threads: int, seconds: float) -> Callable[[], float]:
    """Measure `Detector.decision_function`."""
    import numpy as np
    import torch

    torch.set_num_threads(threads)
    detector = fresh_detector(architecture)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 28, 28), np.uint8)
    detector.decision_function(images[:1000])
    return partial(rate, partial(detector.decision_function, images), IMAGES, seconds)
