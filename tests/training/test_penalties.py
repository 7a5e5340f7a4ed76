"""Gradient penalties against their formulas, where the slope differs from place to place."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gandetect.config import PenaltyConfig
from gandetect.training.losses import gradient_penalty


class Bowl(nn.Module):
    """|x|^2 / 2, whose slope at x is x."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.square().flatten(1).sum(1) / 2


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def penalty(reals: torch.Tensor, fakes: torch.Tensor, **config: object) -> torch.Tensor:
    return gradient_penalty(PenaltyConfig(**config), Bowl(), reals, fakes, rng()).detach()


def test_r1_is_taken_at_the_reals() -> None:
    reals, fakes = torch.randn(5, 2, 3, 3, generator=rng()), torch.full((5, 2, 3, 3), 9.0)
    by_hand = 7.0 / 2 * reals.square().sum((1, 2, 3)).mean()
    assert float(penalty(reals, fakes, name="r1", weight=7.0)) == pytest.approx(float(by_hand))


@pytest.mark.parametrize("every", [1, 4])
def test_wgan_gp_is_taken_between_each_real_and_its_fake(every: int) -> None:
    reals, fakes = torch.full((400, 1, 2, 2), 2.0), torch.zeros(400, 1, 2, 2)
    # The slope of a point is its length, which is uniform from 0 to 4 here.
    lengths = 4 * torch.rand(400, 1, 1, 1, generator=rng())
    by_hand = every * 10.0 * (lengths - 1).square().mean()
    found = penalty(reals, fakes, name="wgan-gp", weight=10.0, every=every)
    assert float(found) == pytest.approx(float(by_hand), rel=1e-5)
    assert float(found) == pytest.approx(every * 10.0 * (27 + 1) / 12, rel=0.15)


def test_a_flat_place_has_a_finite_penalty_and_gradient() -> None:
    weight = torch.tensor(1.0, requires_grad=True)

    class Flat(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return weight * images.square().flatten(1).sum(1)

    nothing = torch.zeros(3, 1, 2, 2)
    config = PenaltyConfig(name="wgan-gp", weight=1.0)
    found = gradient_penalty(config, Flat(), nothing, nothing, rng())
    found.backward()
    assert float(found.detach()) == pytest.approx(1.0, abs=1e-4)
    assert weight.grad is not None
    assert weight.grad.isfinite()
