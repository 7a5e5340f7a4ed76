"""A branch of a discriminator that sees how often each grey level occurs, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gandetect.models.layers import SeededDropout

LEVELS = 256
HIDDEN = 64


class HistogramBranch(nn.Module):
    """A logit ``(N,)`` from the histograms of images ``(N, C, H, W)`` in [-1, 1].

    Values are rounded to grey levels first, as a file stores them, so that a generator's floats
    are no give-away; gradients pass the rounding as if it were not there (Bengio et al. 2013,
    arXiv 1308.3432, straight-through). log(1 + count) keeps rare levels visible beside the
    background's.
    """

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels * LEVELS, HIDDEN),
            nn.LeakyReLU(0.2),
            SeededDropout(dropout),
            nn.Linear(HIDDEN, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Answer ``(N, C, H, W)`` images with logits ``(N,)``, high = real."""
        counts = histogram(images.float())
        logits: Tensor = self.layers(counts.log1p().flatten(1)).squeeze(1)
        return logits


def histogram(images: Tensor) -> Tensor:
    """Count grey levels of ``(N, C, H, W)`` images in [-1, 1]: ``(N, C, 256)``, differentiable.

    A value between two levels would count for both by its distance; after rounding it counts for
    one, and the distances are what its gradient is made of.
    """
    levels = ((images + 1) * 127.5).clamp(0, LEVELS - 1).flatten(2)
    levels = levels + (levels.round() - levels).detach()
    below = levels.detach().floor().clamp(max=LEVELS - 2)
    above = levels - below
    empty = torch.zeros(*levels.shape[:2], LEVELS, device=images.device)
    lower = empty.scatter_add(2, below.long(), 1 - above)
    return lower.scatter_add(2, below.long() + 1, above)
