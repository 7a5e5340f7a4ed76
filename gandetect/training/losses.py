"""What discriminator and generator minimise: one entry for each adversarial loss.

A logit above 0 leans to real, but for the Wasserstein critic, which knows differences only: a
constant added to all its answers changes nothing, so its 0 means nothing. Means over ``(N,)``
logits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Loss:
    """The discriminator's on reals and on fakes, given the label, and the generator's."""

    on_real: Callable[[Tensor, float], Tensor]
    on_fake: Callable[[Tensor, float], Tensor]
    generator: Callable[[Tensor], Tensor]


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Binary cross-entropy against one label in [0, 1] for all."""
    logits = logits.float()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _squared_distance(target: float) -> Callable[[Tensor], Tensor]:
    return lambda logits: (logits.float() - target).square().mean()


def _mean(sign: float) -> Callable[[Tensor], Tensor]:
    return lambda logits: sign * logits.float().mean()


def _hinge(sign: float) -> Callable[[Tensor], Tensor]:
    return lambda logits: functional.relu(1 + sign * logits.float()).mean()


def _without_label(loss: Callable[[Tensor], Tensor]) -> Callable[[Tensor, float], Tensor]:
    return lambda logits, label: loss(logits)


LOSSES: dict[str, Loss] = {
    # Goodfellow et al. 2014, arXiv 1406.2661: the generator maximises log D(G(z)).
    "non-saturating": Loss(cross_entropy, cross_entropy, lambda logits: cross_entropy(logits, 1.0)),
    # Mao et al. 2017, arXiv 1611.04076, with a = -1, b = c = 1, so that 0 lies in the middle.
    "least-squares": Loss(
        _without_label(_squared_distance(1.0)),
        _without_label(_squared_distance(-1.0)),
        _squared_distance(1.0),
    ),
    # Lim and Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957.
    "hinge": Loss(_without_label(_hinge(-1.0)), _without_label(_hinge(1.0)), _mean(-1.0)),
    # Arjovsky et al. 2017, arXiv 1701.07875: the critic's difference of means.
    "wasserstein": Loss(_without_label(_mean(-1.0)), _without_label(_mean(1.0)), _mean(-1.0)),
}
