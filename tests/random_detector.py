"""A detector on disk that nobody has trained: its weights are random, and always the same."""

from __future__ import annotations

from pathlib import Path


def save_random_detector(folder: Path, scale: float = 1) -> Path:
    """Save a `dcgan-plain` discriminator with fixed random weights; returns the folder.

    With weights of a larger ``scale`` a small change of one pixel changes the score.
    """
    import torch

    from gandetect.config import ARCHITECTURES
    from gandetect.detectors.folder import save_detector
    from gandetect.detectors.network import as_detector
    from gandetect.detectors.protocol import DetectorDescription

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ARCHITECTURES["dcgan-plain"].build("discriminator")
    with torch.no_grad():
        for weights in network.parameters():
            weights *= scale
    description = DetectorDescription(
        name="dcgan-plain",
        architecture="dcgan-plain",
        operating_points={"native": 0.0, "calibrated": 1.5},
    )
    save_detector(folder, as_detector(network, description, torch.device("cpu")))
    return folder
