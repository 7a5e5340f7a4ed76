"""Images where batches are made of them: in a device's memory, or read from the disk as needed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gandetect.data.stored import Images, StoredImages


class StoredReals:
    """Images on the disk that are used like a tensor ``(N, C, H, W) uint8`` on a device."""

    def __init__(self, images: StoredImages, device: torch.device) -> None:
        self.images, self.device = images, device

    @property
    def shape(self) -> tuple[int, ...]:
        """``(N, C, H, W)``."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, places: Tensor) -> Tensor:
        return torch.from_numpy(self.images[places.cpu().numpy()]).to(self.device)


Reals = Tensor | StoredReals


def on_device(images: Images, device: torch.device) -> Reals:
    """Images ``(N, C, H, W) uint8`` to take batches from by their places ``(B,)``.

    Those in memory are moved to the device as a whole; those on the disk stay there, and a batch
    is read when it is taken.
    """
    if isinstance(images, StoredImages):
        return StoredReals(images, device)
    return tensor_of(images[:]).to(device)


def tensor_of(images: NDArray[np.uint8]) -> Tensor:
    """An array as a tensor, without a copy where it may be written to: PyTorch demands that."""
    return torch.from_numpy(images if images.flags.writeable else images.copy())
