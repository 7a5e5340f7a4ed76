"""Random processing of a discriminator's batches, of reals and fakes alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gandetect.config.processing import Processing
from gandetect.data.perturbations import process
from gandetect.models.scaling import channels_last, quantise, to_unit_range
from gandetect.randomness import stream


class BothSides:
    """Sends reals and fakes through a chain, each image through its own, each side by a stream.

    Images are ``(N, C, H, W)`` in [-1, 1]. Both sides are rounded to grey levels, computed on the
    CPU, and cut off from gradients: nothing but their streams differs. Without a chain the same
    tensors come back.
    """

    def __init__(self, chain: Processing, seed: int, purpose: str, epoch: int = 0) -> None:
        self.chain = chain
        self._reals, self._fakes = (
            stream(seed, f"processing of {side} in {purpose}", epoch) for side in ("reals", "fakes")
        )

    def __call__(self, reals: Tensor, fakes: Tensor) -> tuple[Tensor, Tensor]:
        """Both batches after the chain."""
        return self._processed(reals, self._reals), self._processed(fakes, self._fakes)

    def _processed(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        if not self.chain:
            return images
        changed = torch.from_numpy(process(quantise(images).cpu().numpy(), self.chain, rng))
        return channels_last(to_unit_range(changed.to(images.device)))
