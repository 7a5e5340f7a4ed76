"""Features of images in a network from elsewhere: trained on ImageNet, or a TorchScript file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gandetect.config.features import IMAGENET_NETWORKS
from gandetect.data.stored import Images
from gandetect.errors import ExternalError, shortened, shown
from gandetect.events import Notify, silent, steps
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.scaling import to_unit_range
from gandetect.models.torchscript import load_torchscript
from gandetect.training.reals import tensor_of

SIDE = 224  # pixels, as these networks were trained
BATCH = 50


class _OfImagenet(nn.Module):
    """Features ``(N, D)`` before the last layer, of images ``(N, C, H, W) uint8``."""

    def __init__(self, name: str) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
            self.network = ImagenetNetwork(name, SIDE)
        self.network.load_imagenet()

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.network(to_unit_range(images))
        return features.mean((2, 3)) if features.ndim == 4 else features


def open_features(name: str, home: Path, device: torch.device) -> nn.Module:
    """The network called ``name`` (see `gandetect.config.features`), a file of it below ``home``.

    It maps images ``(N, C, H, W) uint8`` to features ``(N, D)``. Raises `NetworkError` where a
    package or weights cannot be had, `ExternalError` for a file that is no TorchScript.
    """
    if name in IMAGENET_NETWORKS:
        network = _OfImagenet(name).eval().to(device)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return load_torchscript(name, home, device)


@torch.no_grad()
def features_of(
    images: Images, network: nn.Module, name: str, device: torch.device, notify: Notify = silent
) -> NDArray[np.float32]:
    """Features ``(N, D)`` of images ``(N, C, H, W) uint8``.

    Raises `ExternalError` where the network fails, or answers anything but D finite numbers for
    each image.
    """
    parts: list[NDArray[np.float32]] = []
    tick = steps(notify, f"features in {name}")
    given = f"features {shown(name)} of images {' x '.join(map(str, images.shape[1:]))} uint8"
    for start in range(0, len(images), BATCH):
        batch = tensor_of(images[start : start + BATCH]).to(device)
        try:
            answer = network(batch)
        except Exception as error:  # a program of others may raise anything
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            why = shortened(lines[-1] if lines else type(error).__name__, 200)
            raise ExternalError(
                f"{given} cannot be computed ({why}); give a network for such images, which "
                "resizes and scales them as it needs"
            ) from None
        if not torch.is_tensor(answer) or answer.ndim != 2 or len(answer) != len(batch):
            found = list(answer.shape) if torch.is_tensor(answer) else type(answer).__name__
            raise ExternalError(
                f"{given} are {found} for {len(batch)} images; give a network that answers a "
                f"tensor [{len(batch)}, D], a row of numbers for each"
            )
        if not answer.isfinite().all():
            raise ExternalError(f"{given} are not all finite numbers; give another network")
        parts.append(answer.float().cpu().numpy())
        tick(start + len(batch), len(images))
    return np.concatenate(parts)
