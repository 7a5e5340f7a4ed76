"""A discriminator trained on after its GAN, the generators frozen: replay afterwards.

What it learns from does not move any more, so nothing is forgotten while it learns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gandetect.config import GanConfig, ReplayConfig
from gandetect.data.stored import Images
from gandetect.detectors.fine_tuned import FineTuned
from gandetect.detectors.network import answers
from gandetect.detectors.validation import Validation, best_row
from gandetect.errors import TrainingError
from gandetect.events import Notify
from gandetect.models.layers import seed_dropout
from gandetect.models.scaling import channels_last, to_unit_range
from gandetect.randomness import integer_seed, stream
from gandetect.training.both_sides import BothSides
from gandetect.training.diff_augment import DiffAugment
from gandetect.training.discriminating import is_penalised, mix_replay, update_discriminator
from gandetect.training.networks import build_optimizer
from gandetect.training.reals import on_device

UPDATES_A_ROW = 100  # of the history; a GPU need not wait more often
HARDEST = 0.1  # of the fakes
Places = NDArray[np.int64]
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
    validation: Validation | None = None,
) -> list[dict[str, float]]:
    """Train a discriminator in place, as ``gan`` trains its own, on images that stay the same.

    ``reals`` ``(N, C, H, W)`` and ``fakes`` ``(M, C, H, W)`` are uint8; both are gone through in
    random order, pass after pass. Returns the history, a row for each hundred updates: the update,
    and the means of the loss and of the shares answered correctly since the row before. With
    ``validation`` there is one for each ``validate_every``, with its figures, and the state of the
    best row is what is left. Raises `TrainingError` with the update when a loss is not finite.
    """
    how = trains_as(config, gan)
    discriminator.to(device).train()
    optimizer = build_optimizer(how.discriminator_optimizer, discriminator)
    purpose = f"fine-tuning of {config.name}"
    rng = torch.Generator(device).manual_seed(integer_seed(seed, f"noise in {purpose}"))
    dropout = torch.Generator(device).manual_seed(integer_seed(seed, f"dropout in {purpose}"))
    seed_dropout(discriminator, dropout)
    processing = BothSides(how.processing, seed, purpose)
    augment = DiffAugment(how, rng)
    precision = torch.autocast(device.type, torch.bfloat16, how.precision == "bf16")
    hard = _hard_fakes(config, discriminator, fakes, seed, purpose) if config.hard else None
    batches = zip(
        _batches(reals, config, seed, f"reals in {purpose}", device),
        _batches(fakes, config, seed, f"fakes in {purpose}", device, hard),
        strict=True,
    )
    every = UPDATES_A_ROW if validation is None else config.validate_every
    best: dict[str, Tensor] = {}
    seen: list[Tensor] = []
    history: list[dict[str, float]] = []
    started = perf_counter()
    for step, (real_images, fake_images) in enumerate(batches):
        fake_images = mix_replay(how, fake_images, real_images, None, rng)
        real_images, fake_images = processing(real_images, fake_images)
        updated = update_discriminator(
            how, discriminator, optimizer, real_images, fake_images,
            penalised=is_penalised(how, step), augment=augment, precision=precision,
        )  # fmt: skip
        right = (updated.on_real > 0).float().mean(), (updated.on_fake < 0).float().mean()
        seen.append(torch.stack([updated.loss, *right]).detach())
        done = step + 1
        if done % every == 0 or done == config.updates:
            history.append(_row(config, torch.stack(seen), done))
            seen.clear()
            if validation is not None:
                history[-1] |= validation.figures(discriminator, device)
                discriminator.train()
                if best_row(history, config.monitor) is history[-1]:
                    best = {
                        name: weights.clone()
                        for name, weights in discriminator.state_dict().items()
                    }
            rate = done * 2 * config.batch_size / (perf_counter() - started)
            facts = {"images_per_second": rate, "summary": f"D {history[-1]['loss']:.2f}"}
            notify({"event": "step", "done": done, "total": config.updates, **facts})
    if best:
        discriminator.load_state_dict(best)
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
            "diff_augment": config.diff_augment,
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
    hard: Iterable[Places] | None = None,
) -> Iterator[Tensor]:
    """A batch ``(B, C, H, W)`` in [-1, 1] for each update, channels last.

    ``hard`` are places of images for each update, which take that of its first ones.
    """
    rng = stream(seed, f"order of {purpose}")
    stored = on_device(images, device)
    order = np.empty(0, np.int64)
    for first in hard or repeat(np.empty(0, np.int64), config.updates):
        while len(order) < config.batch_size:
            order = np.concatenate([order, rng.permutation(len(images))])
        chosen, order = np.split(order, [config.batch_size])
        chosen = np.concatenate([first, chosen[len(first) :]])
        yield channels_last(to_unit_range(stored[torch.from_numpy(chosen).to(device)]))


def _hard_fakes(
    config: FineTuned, discriminator: nn.Module, fakes: Images, seed: int, purpose: str
) -> Iterator[Places]:
    """Places ``(K,)`` of fakes for each update, drawn from those that are taken for real most.

    All are tried every ``validate_every`` updates; the hardest are a `HARDEST` share of them.
    """
    rng = stream(seed, f"hard fakes in {purpose}")
    device = next(discriminator.parameters()).device
    for step in range(config.updates):
        if step % config.validate_every == 0:
            logits = answers(discriminator.eval(), fakes, device).float().cpu().numpy()
            discriminator.train()
            hardest = np.argsort(-logits, kind="stable")[: max(1, round(HARDEST * len(logits)))]
        yield rng.choice(hardest, round(config.hard * config.batch_size))


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
