"""The moving average of a generator's weights, which its images are drawn from.

Yazıcı et al. 2019 (arXiv 1806.04498): after each of the generator's updates the average
becomes decay * average + (1 - decay) * weights, from the initial weights on. Karras et al. 2018
(arXiv 1710.10196) draw their images so, with 0.999. It decides nothing in training.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an average towards a network of the same architecture; buffers are copied."""
    pairs = list(average.parameters()), list(network.parameters())
    get_ema_multi_avg_fn(decay)(*pairs, None)
    for averaged, present in zip(average.buffers(), network.buffers(), strict=True):
        averaged.copy_(present)
