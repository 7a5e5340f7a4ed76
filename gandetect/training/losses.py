"""What discriminator and generator minimise: an entry for each adversarial loss, and penalties.

A logit above 0 leans to real, but for the Wasserstein critic, which knows differences only: a
constant added to all its answers changes nothing, so its 0 means nothing. Means over ``(N,)``
logits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gandetect.config import PenaltyConfig


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


def gradient_penalty(
    config: PenaltyConfig,
    discriminator: nn.Module,
    reals: Tensor,
    fakes: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """The penalty of one batch, its weight included; ``(N, C, H, W)`` images in [-1, 1].

    "r1": weight / 2 * E |grad D(x)|^2 over reals x (Mescheder et al. 2018, arXiv 1801.04406,
    equation 9, gamma = weight). "wgan-gp": weight * E (|grad D(x)| - 1)^2 over x at random places
    between a real and a fake (Gulrajani et al. 2017, arXiv 1704.00028, equation 3). Taken every so
    many steps only, it is that much heavier.
    """
    if config.name == "r1":
        slopes = _slopes(discriminator, reals)
        return config.every * config.weight / 2 * slopes.square().sum((1, 2, 3)).mean()
    shape = (len(reals), 1, 1, 1)
    between = torch.rand(shape, generator=rng, device=reals.device)
    slopes = _slopes(discriminator, torch.lerp(fakes, reals, between))
    lengths = (slopes.square().sum((1, 2, 3)) + 1e-12).sqrt()  # the root has no slope at 0
    return config.every * config.weight * (lengths - 1).square().mean()


def _slopes(discriminator: nn.Module, images: Tensor) -> Tensor:
    """The logits' gradient with respect to images ``(N, C, H, W)``, itself differentiable."""
    images = images.detach().requires_grad_()
    logits = discriminator(images).float()
    (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slopes
