"""One update of a discriminator is a step down the documented loss, the penalty included."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from gandetect.config import parse_experiment
from gandetect.training.diff_augment import DiffAugment
from gandetect.training.discriminating import update_discriminator

RATE, WEIGHT, START, PIXELS = 0.01, 3.0, 0.02, 4


class Sum(nn.Module):
    """A weight times the sum of an image's pixels: its slope is the weight in each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(START))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.weight * images.flatten(1).sum(1)


@pytest.mark.parametrize("updates", ["joint", "separate"])
@pytest.mark.parametrize("penalised", [True, False])
def test_an_update_goes_down_the_hinge_loss_and_the_penalty(updates, penalised) -> None:
    gan = {"architecture": "dcgan-plain", "loss": "hinge", "discriminator_updates": updates,
           "penalty": {"name": "r1", "weight": WEIGHT}}  # fmt: skip
    config = parse_experiment({"name": "x", "gans": [gan]}).gans[0]
    rng = torch.Generator().manual_seed(0)
    reals, fakes = (torch.rand(6, 1, 2, 2, generator=rng) for _ in range(2))
    discriminator = Sum()
    optimizer = torch.optim.SGD(discriminator.parameters(), RATE)
    updated = update_discriminator(
        config, discriminator, optimizer, reals, fakes,
        penalised=penalised, augment=DiffAugment(config, rng), precision=nullcontext(),
    )  # fmt: skip
    # Within the margin the losses are 1 - w r and 1 + w f, the penalty is 3 / 2 w^2 of each pixel.
    real, fake = (float(one.flatten(1).sum(1).mean()) for one in (reals, fakes))
    slope = WEIGHT * PIXELS * START if penalised else 0.0
    step = (-real + fake + slope) / 2 if updates == "joint" else -real + slope + fake
    assert float(discriminator.weight.detach()) == pytest.approx(START - RATE * step, rel=1e-5)
    first = START if updates == "joint" else START - RATE * (-real + slope)
    losses = float(updated.real_loss.detach()), float(updated.fake_loss.detach())
    assert losses == pytest.approx((1 - START * real, 1 + first * fake), rel=1e-5)
    assert float(updated.loss.detach()) == pytest.approx(sum(losses) / 2)
