"""The adversarial loop: one GAN, one seed, from uint8 images to a folder of epochs.

Goodfellow et al. 2014 (arXiv 1406.2661). What differs between architectures (optimizers, joint or
separate updates, labels, noise), and every ingredient that may be added (losses, penalties, replay,
negative augmentation, DiffAugment, processing, an average), is in `GanConfig`.
"""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from gandetect.config import GanConfig
from gandetect.data.stored import Images
from gandetect.events import Notify, warn
from gandetect.models import NOISE_SIZE
from gandetect.models.layers import seed_dropout
from gandetect.models.scaling import channels_last, to_unit_range
from gandetect.randomness import integer_seed
from gandetect.training.both_sides import BothSides
from gandetect.training.checkpoints import Gan, GanFolder
from gandetect.training.cuda_graphs import GraphedStep, graphed
from gandetect.training.diff_augment import DiffAugment, noise_at
from gandetect.training.discriminating import is_penalised, mix_replay, update, update_discriminator
from gandetect.training.epoch_fakes import fakes_of_epochs
from gandetect.training.epochs import (
    real_batches,
    report_progress,
    steps_per_epoch,
    train_epochs,
)
from gandetect.training.losses import LOSSES
from gandetect.training.networks import build_gan, follow
from gandetect.training.quality import QualityEvaluator
from gandetect.training.reals import Reals, on_device


def train_gan(
    config: GanConfig,
    images: Images,
    folder: GanFolder,
    *,
    seed: int,
    device: torch.device,
    evaluator: QualityEvaluator,
    generated: int,
    notify: Notify,
) -> Gan:
    """Train on ``(N, C, H, W) uint8`` images until the last epoch, from the last complete one.

    Every epoch draws from streams of its own, so a run that was interrupted and goes on equals
    one that was not, bit for bit, on the CPU. Raises `TrainingError` with the epoch and step when
    a loss is not finite; the epochs before stay as they are.
    """
    gan = build_gan(config, images.shape[2], images.shape[1], seed, device)
    reals = on_device(images, device)

    def slower(reason: str) -> None:
        warn(notify, f"{config.name}: no CUDA graphs of its steps, which takes longer ({reason})")

    step = graphed(AdversarialStep(config, gan, device), why_not_graphed(config), slower)

    def run_epoch(epoch: int) -> Tensor:
        replayed = _earlier_fakes(config, folder, epoch, reals, seed)
        return train_epoch(
            config, gan, reals, seed=seed, epoch=epoch, notify=notify, replayed=replayed, step=step
        )

    train_epochs(
        config,
        gan,
        folder,
        run_epoch,
        STATISTICS,
        seed=seed,
        evaluator=evaluator,
        generated=generated,
        notify=notify,
        facts=lambda: {"cuda_graphs": step.status} if isinstance(step, GraphedStep) else {},
    )
    return gan


def why_not_graphed(config: GanConfig) -> str | None:
    """Why a GPU has to wait within this configuration's steps; None where it need not."""
    if config.negatives.kinds:
        return "negative augmentation (negatives) cuts reals to sizes drawn on the host"
    if config.processing:
        return "images are processed on the host (processing)"
    return None


# Columns of the history, and what the summary calls them.
STATISTICS = {
    "discriminator_loss": "D",
    "generator_loss": "G",
    "accuracy_real": "",
    "accuracy_fake": "",
}


class StepKind(NamedTuple):
    """What one step does that another may not."""

    penalised: bool
    updates_generator: bool


class AdversarialStep:
    """Updates both networks once, on one batch of reals; everything it draws is seeded by epoch.

    What it reads and writes from step to step lies in tensors that stay where they are (the
    networks, the optimizers' states, `row`), and nothing in it waits for a GPU but negative
    augmentation and processing. So a CUDA graph of it can be replayed
    (`gandetect.training.cuda_graphs`).
    """

    def __init__(self, config: GanConfig, gan: Gan, device: torch.device) -> None:
        self.config, self.gan, self.device = config, gan, device
        self.row = torch.zeros(len(STATISTICS), device=device)  # of the last step
        self.replayed: Tensor | None = None
        self.instance_noise = torch.zeros((), device=device) if config.instance_noise else None
        self.precision = torch.autocast(device.type, torch.bfloat16, config.precision == "bf16")
        self.renew_generators()

    @property
    def generators(self) -> tuple[torch.Generator, ...]:
        """Where its noise, its dropout and its ingredients come from."""
        return self._noise, self._dropout, self._extra

    def renew_generators(self) -> None:
        """Draw from new objects from now on, not yet seeded."""
        # Ingredients draw from a stream of their own, so that without them nothing shifts.
        self._noise, self._dropout, self._extra = (torch.Generator(self.device) for _ in range(3))
        seed_dropout(self.gan.discriminator, self._dropout)
        self.augment = DiffAugment(self.config, self._extra, self.instance_noise)

    def begin(self, seed: int, epoch: int, replayed: Tensor | None) -> None:
        """Make ready for an epoch, counted from 1; ``replayed`` are fakes of earlier epochs."""
        for generator, purpose in zip(
            self.generators, ("noise", "dropout", "ingredients"), strict=True
        ):
            generator.manual_seed(integer_seed(seed, purpose, epoch))
        self.processing = BothSides(self.config.processing, seed, "training", epoch)
        if self.instance_noise is not None:
            self.instance_noise.fill_(noise_at(self.config, epoch))
        if self.replayed is None or replayed is None:
            self.replayed = replayed
        else:
            self.replayed.copy_(replayed)
        for network in self.gan.networks.values():
            network.train()

    def kind(self, step: int) -> StepKind:
        """What a step of an epoch does, counted from 0."""
        return StepKind(is_penalised(self.config, step), step % self.config.critic_steps == 0)

    def __call__(self, pixels: Tensor, kind: StepKind) -> Tensor:
        """Update on reals ``(B, C, H, W) uint8``; returns `row`, the `STATISTICS` ``(4,)``."""
        config, gan, precision = self.config, self.gan, self.precision
        generator, discriminator = gan.generator, gan.discriminator
        real_images = channels_last(to_unit_range(pixels))

        # Fakes for the discriminator.
        noise = self._draw_noise()
        with precision:
            if config.discriminator_fakes == "inference":
                generator.eval()  # BatchNorm's moving statistics, as Keras' predict
                with torch.no_grad():
                    fakes = generator(noise)
                generator.train()
            else:
                fakes = generator(noise)
        fake_images = channels_last(fakes.detach().float())

        if self.replayed is not None or config.negatives.kinds:
            fake_images = mix_replay(config, fake_images, real_images, self.replayed, self._extra)
        real_images, fake_images = self.processing(real_images, fake_images)

        updated = update_discriminator(
            config,
            discriminator,
            gan.discriminator_optimizer,
            real_images,
            fake_images,
            penalised=kind.penalised,
            augment=self.augment,
            precision=precision,
        )

        # Update the generator, the discriminator's weights fixed and its dropout live. Its fakes
        # are never processed: no gradient comes through that.
        generator_loss = self.row[1]  # as it was, where it is not updated
        if kind.updates_generator:
            discriminator.requires_grad_(False)
            with precision:
                if not config.shared_noise:
                    fakes = generator(self._draw_noise())
                elif not fakes.requires_grad:
                    fakes = generator(noise)
                generator_loss = LOSSES[config.loss].generator(discriminator(self.augment(fakes)))
            update(gan.generator_optimizer, generator_loss)
            discriminator.requires_grad_(True)
            if gan.generator_average is not None:
                follow(gan.generator_average, generator, config.generator_average)

        right = (updated.on_real > 0).float().mean(), (updated.on_fake < 0).float().mean()
        with torch.no_grad():
            return self.row.copy_(torch.stack([updated.loss, generator_loss, *right]))

    def _draw_noise(self) -> Tensor:
        shape = (self.config.batch_size, NOISE_SIZE)
        return torch.randn(shape, generator=self._noise, device=self.device)


def train_epoch(
    config: GanConfig,
    gan: Gan,
    reals: Reals,
    *,
    seed: int,
    epoch: int,
    notify: Notify,
    replayed: Tensor | None = None,
    step: AdversarialStep | GraphedStep | None = None,
) -> Tensor:
    """Run one epoch of updates; returns the `STATISTICS` of each step, shape ``(steps, 4)``.

    ``replayed`` are fakes of earlier epochs, ``(R, C, H, W) uint8``, where there are any; ``step``
    is what an epoch before was run with, which may hold CUDA graphs by now.
    """
    step = step or AdversarialStep(config, gan, reals.device)
    step.begin(seed, epoch, replayed)
    statistics = torch.zeros(
        steps_per_epoch(config, len(reals)), len(STATISTICS), device=reals.device
    )
    started = perf_counter()
    for number, chosen in enumerate(real_batches(config, reals, seed, epoch)):
        statistics[number] = step(reals[chosen], step.kind(number))
        # Looked at now and then, so that a GPU need not wait at every step.
        report_progress(
            config, statistics, number, ("D", "G"), epoch=epoch, started=started, notify=notify
        )
    return statistics


def _earlier_fakes(
    config: GanConfig, folder: GanFolder, epoch: int, reals: Reals, seed: int
) -> Tensor | None:
    """The reservoir of an epoch: fakes of all epochs before it, drawn afresh; None without one.

    Nothing of it has to be kept for resuming, as every epoch's generator is on the disk. It is the
    generator itself, not its average, that the discriminator learns against.
    """
    if not config.replay.share or epoch == 1:
        return None
    fakes = fakes_of_epochs(
        config,
        folder.path,
        range(1, epoch),
        config.replay.n_images,
        image_size=reals.shape[2],
        channels=reals.shape[1],
        seed=seed,
        purpose=f"replay in epoch {epoch}",
        device=reals.device,
        network="generator",
    )
    return torch.from_numpy(fakes).to(reals.device)
