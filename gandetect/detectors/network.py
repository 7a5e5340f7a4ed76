"""A detector that is a network with its preprocessing and its operating points.

A score is the log-odds that an image is generated. A discriminator, and whatever is made of some,
answers with the log-odds that an image is real; that sign is turned here, once, and nowhere else. A
supervised classifier answers with the score itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from gandetect.data.stored import Images
from gandetect.detectors.protocol import Detector, DetectorDescription
from gandetect.models.classifiers import ImageClassifier
from gandetect.models.scaling import to_unit_range

BATCH = 100  # with 200 the widest features of `dcgan-plain`, 40 MB, leave the cache
PIXELS = 4_000_000  # of one channel, in one batch


@dataclass(frozen=True)
class NetworkDetector(Detector):
    """Scores in eval mode and in float32, so that a score does not depend on its batch."""

    network: nn.Module
    description: DetectorDescription
    device: torch.device

    def decision_function(self, images: ArrayLike) -> NDArray[np.float64]:
        """Score images ``(N, C, H, W) uint8``: log-odds of being generated, shape ``(N,)``."""
        pixels = self.checked(images)
        scores = np.empty(len(pixels))
        with torch.inference_mode():
            for start in range(0, len(pixels), self._batch):
                part = slice(start, start + self._batch)
                # Copied batch by batch, for torch takes no array that is only to be read.
                batch = torch.from_numpy(pixels[part].copy()).to(self.device)
                scores[part] = self.log_odds(batch).cpu()
        return scores

    def log_odds(self, images: Tensor) -> Tensor:
        """Score one batch on the device, ``(N, C, H, W) uint8``: shape ``(N,)``."""
        if isinstance(self.network, ImageClassifier):
            return self.network.log_odds(self.network(self.network.prepare(images)))
        logits: Tensor = self.network(to_unit_range(images))
        return -logits  # the one place where the sign is turned

    @property
    def _batch(self) -> int:
        """Fewer images at once where they are large, so that memory stays flat."""
        side = getattr(self.network, "image_size", self.description.preprocessing.image_size)
        return max(8, min(BATCH, PIXELS // side**2))


def as_detector(
    network: nn.Module, description: DetectorDescription, device: torch.device
) -> NetworkDetector:
    """Wrap an `ImageClassifier`, or what answers like a discriminator, in eval mode.

    Its weights are laid out with the channels last, which convolutions on a CPU are faster with.
    """
    network.to(device).to(memory_format=torch.channels_last)
    return NetworkDetector(network.eval(), description, device)


@torch.inference_mode()
def answers(
    network: Callable[[Tensor], Tensor], images: Images, device: torch.device, dim: int = 0
) -> Tensor:
    """What a network answers for all images ``(N, C, H, W) uint8``, joined along ``dim``."""
    parts = [
        network(to_unit_range(torch.from_numpy(images[start : start + BATCH].copy()).to(device)))
        for start in range(0, len(images), BATCH)
    ]
    return torch.cat(parts, dim)
