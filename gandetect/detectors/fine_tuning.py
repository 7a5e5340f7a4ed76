"""A discriminator trained on after its GAN, the generators frozen: replay afterwards.

What it learns from does not move any more, so nothing is forgotten while it learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from gandetect.config import GanConfig, ReplayConfig
from gandetect.data.stored import Images
from gandetect.detectors.fine_tuned import FineTuned
from gandetect.errors import TrainingError
from gandetect.events import Notify
from gandetect.models.layers import seed_dropout
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import integer_seed, stream
from gandetect.training.both_sides import BothSides
from gandetect.training.discriminating import (
    is_penalised,
    update_discriminator,
    with_remembered,
)
from gandetect.training.networks import build_optimizer
from gandetect.training.reals import on_device
from gandetect.training.views import View

UPDATES_A_ROW = 100  # of the history; a GPU need not wait more often
STATISTICS = ("loss", "accuracy_real", "accuracy_fake")


def fine_tune(
    config: FineTuned,
    gan: GanConfig,
    discriminator: nn.Module,
    reals: Images,
    fakes: Images,
    *,
    seed: int,
    device: torch.device,
    notify: Notify,
) -> list[dict[str, float]]:
    """Train a discriminator in place, as ``gan`` trains its own, on images that stay the same.

    ``reals`` ``(N, C, H, W)`` and ``fakes`` ``(M, C, H, W)`` are uint8; both are gone through in
    random order, pass after pass. Returns the history, a row for each hundred updates: the update,
    and the means of the loss and of the shares answered correctly since the row before. Raises
    `TrainingError` with the update when a loss is not finite.
    """
    how = trains_as(config, gan)
    discriminator.to(device).train()
    optimizer = build_optimizer(how.discriminator_optimizer, discriminator)
    purpose = f"fine-tuning of {config.name}"
    chance = torch.Generator(device).manual_seed(integer_seed(seed, f"noise in {purpose}"))
    dropout = torch.Generator(device).manual_seed(integer_seed(seed, f"dropout in {purpose}"))
    seed_dropout(discriminator, dropout)
    processing = BothSides(how.processing, seed, purpose)
    view = View(how, chance)
    precision = torch.autocast(device.type, torch.bfloat16, how.precision == "bf16")
    batches = zip(
        _batches(reals, config, seed, f"reals in {purpose}", device),
        _batches(fakes, config, seed, f"fakes in {purpose}", device),
        strict=True,
    )
    seen: list[Tensor] = []
    history: list[dict[str, float]] = []
    started = perf_counter()
    for step, (real_images, fake_images) in enumerate(batches):
        fake_images = with_remembered(how, fake_images, real_images, None, chance)
        real_images, fake_images = processing(real_images, fake_images)
        judged = update_discriminator(
            how, discriminator, optimizer, real_images, fake_images,
            penalised=is_penalised(how, step), view=view, precision=precision,
        )  # fmt: skip
        right = (judged.on_real > 0).float().mean(), (judged.on_fake < 0).float().mean()
        seen.append(torch.stack([judged.loss, *right]).detach())
        done = step + 1
        if done % UPDATES_A_ROW == 0 or done == config.updates:
            history.append(_row(config, torch.stack(seen), done))
            seen.clear()
            rate = done * 2 * config.batch_size / (perf_counter() - started)
            facts = {"images_per_second": rate, "summary": f"D {history[-1]['loss']:.2f}"}
            notify({"event": "step", "done": done, "total": config.updates, **facts})
    return history


def trains_as(config: FineTuned, gan: GanConfig) -> GanConfig:
    """The way of training: the GAN's own loss, penalty and labels, the rest from ``config``.

    Adam keeps the betas of the GAN's own optimizer. Instance noise has fallen to nothing when a
    GAN is trained, and stays there; what is to be remembered is among the fakes.
    """
    own = gan.discriminator_optimizer
    optimizer = {"name": "adam", "learning_rate": config.learning_rate}
    return gan.model_copy(
        update={
            "negatives": config.negatives,
            "differentiable": config.differentiable,
            "processing": config.processing,
            "batch_size": config.batch_size,
            "discriminator_optimizer": own.model_copy(update=optimizer),
            "instance_noise": 0.0,
            "replay": ReplayConfig(),
        }
    )


def _batches(
    images: Images,
    config: FineTuned,
    seed: int,
    purpose: str,
    device: torch.device,
) -> Iterator[Tensor]:
    """A batch ``(B, C, H, W)`` in [-1, 1] for each update, channels last."""
    chance = stream(seed, f"order of {purpose}")
    stored = on_device(images, device)
    order = np.empty(0, np.int64)
    for _ in range(config.updates):
        while len(order) < config.batch_size:
            order = np.concatenate([order, chance.permutation(len(images))])
        chosen, order = np.split(order, [config.batch_size])
        batch = to_unit_range(stored[torch.from_numpy(chosen).to(device)])
        yield batch.contiguous(memory_format=torch.channels_last)


def _row(config: FineTuned, seen: Tensor, done: int) -> dict[str, float]:
    """One row of the history of ``(K, 3)`` statistics, the last of them that of update ``done``."""
    finite = seen[:, 0].isfinite()
    if not finite.all():
        update = done - len(seen) + int((~finite).nonzero()[0]) + 1
        raise TrainingError(
            f"the loss of {config.name!r} is not finite at update {update}; lower its "
            "learning_rate, or give another seed"
        )
    means = seen.double().mean(0).tolist()
    return {"update": done, **dict(zip(STATISTICS, means, strict=True))}
