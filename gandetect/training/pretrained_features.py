"""Features of images in a network from elsewhere: trained on ImageNet, or a TorchScript file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandetect.config.features import IMAGENET_NETWORKS
from gandetect.data.stored import Images
from gandetect.errors import ExternalError, shortened, shown
from gandetect.events import Notify, silent, steps
from gandetect.models.imagenet import ImagenetNetwork
from gandetect.models.scaling import to_unit_range
from gandetect.models.torchscript import load_torchscript
from gandetect.training.reals import tensor_of

SIDE = 128  # pixels; at the 224 that they were trained on, networks take three times as long
BATCH = 16  # some hundred MB


def open_features(name: str, home: Path, device: torch.device) -> Callable[[Tensor], Tensor]:
    """What maps images ``(N, C, H, W) uint8`` to features ``(N, D)``; a file is below ``home``.

    Raises `NetworkError` where a package or weights cannot be had, `ExternalError` for a file
    that is not there or no TorchScript.
    """
    if name not in IMAGENET_NETWORKS:
        return load_torchscript(name, home, device)
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
        network = ImagenetNetwork(name, SIDE)
    network.load_imagenet()
    network.eval().to(device).to(memory_format=torch.channels_last)
    return lambda images: network(to_unit_range(images))


@torch.no_grad()
def features_of(
    images: Images,
    network: Callable[[Tensor], Tensor],
    name: str,
    device: torch.device,
    notify: Notify = silent,
) -> NDArray[np.float32]:
    """Features ``(N, D)`` of images ``(N, C, H, W) uint8``.

    Raises `ExternalError` where the network fails on such images, or answers something else.
    """
    features: list[NDArray[np.float32]] = []
    tick = steps(notify, f"features in {name}")
    for start in range(0, len(images), BATCH):
        batch = tensor_of(images[start : start + BATCH]).to(device)
        try:
            answer = network(batch)
            if answer.ndim != 2 or len(answer) != len(batch) or not answer.isfinite().all():
                raise ValueError(f"it answers {list(answer.shape)}, or what is not finite")
        except Exception as error:  # a program of others may raise anything, and answer anything
            why = shortened((str(error).strip() or type(error).__name__).splitlines()[-1], 200)
            raise ExternalError(
                f"features {shown(name)} do not fit {len(batch)} images of "
                f"{' x '.join(map(str, batch.shape[1:]))} ({why}); give a network that takes uint8 "
                f"[{len(batch)}, C, H, W] of that size and answers [{len(batch)}, D] finite numbers"
            ) from None
        features.append(answer.float().cpu().numpy())
        tick(start + len(batch), len(images))
    return np.concatenate(features)
