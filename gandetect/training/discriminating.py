"""One update of a discriminator, in the adversarial loop and after it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gandetect.config import GanConfig
from gandetect.models.scaling import channels_last, to_unit_range
from gandetect.training.diff_augment import DiffAugment
from gandetect.training.losses import LOSSES, gradient_penalty
from gandetect.training.negatives import negative_augmentation

Precision = AbstractContextManager[object]


@dataclass(frozen=True)
class DiscriminatorStep:
    """Results of an update: logits ``(N,)`` of reals and of fakes, and the two losses."""

    on_real: Tensor
    on_fake: Tensor
    real_loss: Tensor
    fake_loss: Tensor

    @property
    def loss(self) -> Tensor:
        """The mean of the two losses, without a penalty."""
        return (self.real_loss + self.fake_loss) / 2


def update_discriminator(
    config: GanConfig,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    reals: Tensor,
    fakes: Tensor,
    *,
    penalised: bool,
    augment: DiffAugment,
    precision: Precision,
) -> DiscriminatorStep:
    """Update on both batches joined, or on one after the other, as the configuration says.

    Images are ``(N, C, H, W)`` in [-1, 1], channels last. The penalty is computed in float32, as
    it is differentiated twice.
    """
    loss = LOSSES[config.loss]
    seen_reals, seen_fakes = augment(reals), augment(fakes)

    def penalty() -> Tensor | float:
        if not penalised:
            return 0.0
        arguments = (discriminator, seen_reals, seen_fakes, augment.rng)
        return gradient_penalty(config.penalty, *arguments)

    if config.discriminator_updates == "joint":
        with precision:
            logits = discriminator(torch.cat([seen_reals, seen_fakes]))
        on_real, on_fake = logits.float().split([len(reals), len(fakes)])
        real_loss = loss.on_real(on_real, config.real_label)
        fake_loss = loss.on_fake(on_fake, config.fake_label)
        update(optimizer, (real_loss + fake_loss + penalty()) / 2)
        return DiscriminatorStep(on_real, on_fake, real_loss, fake_loss)
    with precision:
        on_real = discriminator(seen_reals)
    real_loss = loss.on_real(on_real, config.real_label)
    update(optimizer, real_loss + penalty())
    with precision:
        on_fake = discriminator(seen_fakes)
    fake_loss = loss.on_fake(on_fake, config.fake_label)
    update(optimizer, fake_loss)
    return DiscriminatorStep(on_real, on_fake, real_loss, fake_loss)


def is_penalised(config: GanConfig, step: int) -> bool:
    """Whether the penalty is taken in a step, counted from 0."""
    return config.penalty.name != "none" and step % config.penalty.every == 0


def mix_replay(
    config: GanConfig, fakes: Tensor, reals: Tensor, replayed: Tensor | None, rng: torch.Generator
) -> Tensor:
    """Replace some of a batch's fakes by replayed fakes and by negative augmentation.

    ``fakes`` and ``reals`` ``(N, C, H, W)`` in [-1, 1]; ``replayed`` ``(R, C, H, W) uint8``, or
    None in the first epoch. The same tensor comes back where nothing is replaced.
    """
    count = len(fakes)
    parts = []
    if replayed is not None and config.replay.share:
        chosen = torch.randint(
            len(replayed), (round(config.replay.share * count),), generator=rng,
            device=fakes.device,
        )  # fmt: skip
        parts.append(to_unit_range(replayed[chosen]))
    if config.negatives.kinds:
        wanted = round(config.negatives.share * count)
        if wanted:
            parts.append(negative_augmentation(reals, wanted, config.negatives.kinds, rng))
    if not parts:
        return fakes
    others = torch.cat(parts)[:count]
    return channels_last(torch.cat([fakes[: count - len(others)], others]))


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of an optimizer down the gradient of a loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
