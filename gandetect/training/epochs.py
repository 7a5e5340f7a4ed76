"""What every generator's training does alike: batches, the end of an epoch, going on, progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gandetect.config import GeneratorConfig
from gandetect.errors import TrainingError
from gandetect.events import Notify, say
from gandetect.randomness import stream
from gandetect.training.checkpoints import GanFolder, Trainable
from gandetect.training.images import generate
from gandetect.training.quality import QualityEvaluator
from gandetect.training.reals import Reals

STEPS_BETWEEN_LOOKS = 25


def train_epochs(
    config: GeneratorConfig,
    trained: Trainable,
    folder: GanFolder,
    train_epoch: Callable[[int], Tensor],
    columns: Mapping[str, str],
    *,
    seed: int,
    evaluator: QualityEvaluator,
    generated: int,
    notify: Notify,
    facts: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Train until the last epoch, from the last complete one; evaluate and save each.

    ``train_epoch`` runs an epoch, counted from 1, and returns the statistics of each step,
    ``(steps, K)``; ``columns`` are their names in the history, each with what the summary calls
    it ("" where it is not told). ``facts`` of an epoch are kept in its record alone.
    """
    generator = trained.networks[config.drawn_from]
    last = folder.restore(trained)
    if 0 < last < config.epochs:
        say(notify, f"{config.name} seed {seed} goes on after epoch {last} of {config.epochs}")
    for epoch in range(last + 1, config.epochs + 1):
        started = perf_counter()
        statistics = train_epoch(epoch)
        seconds = perf_counter() - started

        # How good are the fakes now? The same noise every epoch, so that epochs compare.
        fakes = generate(generator, generated, seed=seed, purpose="quality")
        quality = evaluator.assess(fakes, seed)
        means = dict(zip(columns, statistics.double().mean(0).tolist(), strict=True))
        history = {
            "epoch": epoch,
            **means,
            "images_per_second": len(statistics) * config.batch_size / seconds,
            "seconds": perf_counter() - started,
            **asdict(quality),
            **facts(),
        }
        folder.save_epoch(trained, epoch, history, fakes[:64])
        losses = " ".join(f"{word} {means[name]:.3f}" for name, word in columns.items() if word)
        summary = f"loss {losses}, FID {quality.fid:.1f}"
        notify({"event": "epoch", "epochs": config.epochs, **history, "summary": summary})


def steps_per_epoch(config: GeneratorConfig, images: int) -> int:
    """Steps of one epoch: as configured, else as many whole batches as there are images for."""
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    if images < config.batch_size:
        raise TrainingError(
            f"{images} training images do not fill one batch of {config.batch_size}; "
            f"give more images, or a smaller batch_size for {config.name!r}"
        )
    return images // config.batch_size


def real_batches(config: GeneratorConfig, reals: Reals, seed: int, epoch: int) -> Iterator[Tensor]:
    """Which of the ``(N, C, H, W)`` reals are in each of an epoch's batches: ``(B,)`` places."""
    order = stream(seed, "order", epoch)
    count = steps_per_epoch(config, len(reals)) * config.batch_size
    if config.sampling == "with-replacement":
        chosen = order.integers(len(reals), size=count)
    else:
        passes = -(-count // len(reals))
        chosen = np.concatenate([order.permutation(len(reals)) for _ in range(passes)])[:count]
    yield from torch.from_numpy(chosen).to(reals.device).split(config.batch_size)


def report_progress(
    config: GeneratorConfig,
    statistics: Tensor,
    step: int,
    losses: Sequence[str],
    *,
    epoch: int,
    started: float,
    notify: Notify,
) -> None:
    """Report an epoch's progress, every few steps only, so that a GPU seldom has to wait.

    The first columns of ``statistics`` ``(steps, K)``, filled up to ``step``, are the ``losses``,
    given by the words to show. Raises `TrainingError` when one of them is not finite.
    """
    steps, done = len(statistics), step + 1
    if done % STEPS_BETWEEN_LOOKS and done != steps:
        return
    stop_unless_finite(statistics[:done, : len(losses)].isfinite().all(1), epoch)
    now = zip(losses, statistics[step].tolist(), strict=False)
    progress = {
        "event": "step",
        "done": (epoch - 1) * steps + done,
        "total": config.epochs * steps,
        "epoch": epoch,
        "epochs": config.epochs,
        "images_per_second": done * config.batch_size / (perf_counter() - started),
        "summary": " ".join(f"{word} {value:.2f}" for word, value in now),
    }
    notify(progress)


def stop_unless_finite(finite: Tensor, epoch: int, loss: str = "loss") -> None:
    """Raise `TrainingError` with the first of an epoch's steps ``(S,)`` that is not ``finite``."""
    if not finite.all():
        step = int((~finite).nonzero()[0]) + 1
        raise TrainingError(
            f"the {loss} is not finite at epoch {epoch}, step {step}; the epochs before are kept. "
            "Lower the learning rate, or give another seed"
        )
