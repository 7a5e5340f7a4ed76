"""Features of networks trained on ImageNet, kept by content: several probes ask for the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from gandetect.config import digest_of
from gandetect.detectors.network import NetworkDetector
from gandetect.detectors.protocol import Detector
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.probe import LayerStatistics, Probe
from gandetect.runs import atomic_file

FOLDER = "features"
VERSION = 1  # raise it when code here, or what computes features, makes others


@contextmanager
def shared_features(detector: Detector, cache: Path) -> Iterator[None]:
    """Let a probe of ImageNet networks alone take features from the cache, and leave its own there.

    Other probes, seeds and levels of processing ask for features of the same batches. Scores are
    the same with and without: only features of the very same computation are taken. Folders below
    ``features`` may be removed at any time.
    """
    if not (
        isinstance(detector, NetworkDetector)
        and isinstance(probe := detector.network, Probe)
        and all(isinstance(layers.network, ImagenetNetwork) for layers in _layers(probe))
    ):
        yield
        return
    folder = cache / FOLDER / _computation(probe, detector.device)[:16]
    probe.recall = partial(_recalled, folder)
    try:
        yield
    finally:
        probe.recall = None


def _layers(probe: Probe) -> list[LayerStatistics]:
    return [layers for layers in probe.networks if isinstance(layers, LayerStatistics)]


def _computation(probe: Probe, device: torch.device) -> str:
    """Digest of all that features depend on, beside the images, to the last bit."""
    networks = [(one, one.network) for one in _layers(probe)]
    options = [[one.depths, one.statistics, net.name, net.side] for one, net in networks]
    weights = sha256()
    for tensor in probe.networks.state_dict().values():
        weights.update(tensor.cpu().numpy().tobytes())
    if device.type == "cuda":
        machine = [torch.cuda.get_device_name(device), torch.backends.cudnn.version()]
    else:
        machine = [torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()]
    versions = [VERSION, torch.__version__, device.type, *machine]
    return digest_of([options, weights.hexdigest(), versions])


def _recalled(folder: Path, compute: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Features ``(N, F)`` of one batch, from its file or computed; a full disk costs only time."""
    batch = images.cpu().contiguous()
    name = sha256(f"{tuple(batch.shape)}".encode() + batch.numpy().tobytes()).hexdigest()
    path = folder / f"{name}.npy"
    # Absent, or damaged.
    with suppress(OSError, EOFError, ValueError, BadZipFile), path.open("rb") as file:
        kept = np.load(file, allow_pickle=False)
        if kept.dtype == np.float32 and len(kept) == len(images):
            return torch.from_numpy(kept).to(images.device)
    features = compute(images)
    with suppress(OSError), atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, features.cpu().numpy(), allow_pickle=False)
    return features
