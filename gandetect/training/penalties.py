"""Penalties on the slope of a discriminator with respect to its images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gandetect.config import PenaltyConfig


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
