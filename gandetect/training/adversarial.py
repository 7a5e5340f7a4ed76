"""The adversarial loop: one GAN, one seed, from uint8 images to a folder of epochs.

Goodfellow et al. 2014 (arXiv 1406.2661). What differs between architectures (optimizers, joint or
separate updates, labels, noise), and every ingredient that may be added (losses, penalties, replay,
spoilt reals, augmentation), is in `GanConfig`.
"""

from __future__ import annotations

from time import perf_counter

import torch
from torch import Tensor

from gandetect.config import GanConfig
from gandetect.data.stored import Images
from gandetect.models import NOISE_SIZE
from gandetect.models.layers import seed_dropout
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import Gan, GanFolder
from gandetect.training.discriminating import update, update_discriminator, with_remembered
from gandetect.training.epochs import (
    Notify,
    channels_last,
    look,
    real_batches,
    steps_per_epoch,
    train_epochs,
)
from gandetect.training.history import fakes_of_epochs
from gandetect.training.losses import LOSSES
from gandetect.training.networks import build_gan
from gandetect.training.quality import QualityJudge
from gandetect.training.reals import Reals, on_device
from gandetect.training.views import View, noise_at


def train_gan(
    config: GanConfig,
    images: Images,
    folder: GanFolder,
    *,
    seed: int,
    device: torch.device,
    judge: QualityJudge,
    judged: int,
    notify: Notify,
) -> Gan:
    """Train on ``(N, C, H, W) uint8`` images until the last epoch, from the last complete one.

    Every epoch draws from streams of its own, so a run that was interrupted and goes on equals
    one that was not, bit for bit, on the CPU. Raises `TrainingError` with the epoch and step when
    a loss is not finite; the epochs before stay as they are.
    """
    gan = build_gan(config, images.shape[2], images.shape[1], seed, device)
    reals = on_device(images, device)

    def run_epoch(epoch: int) -> Tensor:
        replayed = _earlier_fakes(config, folder, epoch, reals, seed)
        return train_epoch(
            config, gan, reals, seed=seed, epoch=epoch, notify=notify, replayed=replayed
        )

    train_epochs(
        config,
        gan,
        folder,
        run_epoch,
        STATISTICS,
        seed=seed,
        device=device,
        judge=judge,
        judged=judged,
        notify=notify,
    )
    return gan


# Columns of the history, and what the summary calls them.
STATISTICS = {
    "discriminator_loss": "D",
    "generator_loss": "G",
    "accuracy_real": "",
    "accuracy_fake": "",
}


def train_epoch(
    config: GanConfig,
    gan: Gan,
    reals: Reals,
    *,
    seed: int,
    epoch: int,
    notify: Notify,
    replayed: Tensor | None = None,
) -> Tensor:
    """Run one epoch of updates; returns the `STATISTICS` of each step, shape ``(steps, 4)``.

    ``replayed`` are fakes of earlier epochs, ``(R, C, H, W) uint8``, where there are any.
    """
    generator, discriminator = gan.generator.train(), gan.discriminator.train()
    chance = torch.Generator(reals.device).manual_seed(integer_seed(seed, "noise", epoch))
    dropout = torch.Generator(reals.device).manual_seed(integer_seed(seed, "dropout", epoch))
    seed_dropout(discriminator, dropout)
    # Ingredients draw from a stream of their own, so that without them nothing shifts.
    extra = torch.Generator(reals.device).manual_seed(integer_seed(seed, "ingredients", epoch))
    view = View(config, extra, noise_at(config, epoch))
    adversarial = LOSSES[config.loss]
    steps = steps_per_epoch(config, len(reals))
    statistics = torch.zeros(steps, len(STATISTICS), device=reals.device)
    precision = torch.autocast(reals.device.type, torch.bfloat16, config.precision == "bf16")

    def draw_noise() -> Tensor:
        return torch.randn(config.batch_size, NOISE_SIZE, generator=chance, device=reals.device)

    started = perf_counter()
    for step, chosen in enumerate(real_batches(config, reals, seed, epoch)):
        real_images = channels_last(to_unit_range(reals[chosen]))

        # Fakes for the discriminator.
        noise = draw_noise()
        with precision:
            if config.discriminator_fakes == "inference":
                generator.eval()  # BatchNorm's moving statistics, as Keras' predict
                with torch.no_grad():
                    fakes = generator(noise)
                generator.train()
            else:
                fakes = generator(noise)
        fake_images = channels_last(fakes.detach().float())

        if replayed is not None or config.negatives.kinds:
            fake_images = with_remembered(config, fake_images, real_images, replayed, extra)

        judged = update_discriminator(
            config,
            discriminator,
            gan.discriminator_optimizer,
            real_images,
            fake_images,
            step=step,
            view=view,
            precision=precision,
        )

        # Update the generator, the discriminator's weights fixed and its dropout live.
        if step % config.critic_steps == 0:
            discriminator.requires_grad_(False)
            with precision:
                if not config.shared_noise:
                    fakes = generator(draw_noise())
                elif not fakes.requires_grad:
                    fakes = generator(noise)
                generator_loss = adversarial.generator(discriminator(view(fakes)))
            update(gan.generator_optimizer, generator_loss)
            discriminator.requires_grad_(True)

        # Keep statistics; look at them now and then, so that a GPU need not wait at every step.
        with torch.no_grad():
            statistics[step] = torch.stack(
                [
                    judged.loss,
                    generator_loss,
                    (judged.on_real > 0).float().mean(),
                    (judged.on_fake < 0).float().mean(),
                ]
            )
        look(config, statistics, step, ("D", "G"), epoch=epoch, started=started, notify=notify)
    return statistics


def _earlier_fakes(
    config: GanConfig, folder: GanFolder, epoch: int, reals: Reals, seed: int
) -> Tensor | None:
    """The reservoir of an epoch: fakes of all epochs before it, drawn afresh; None without one.

    Nothing of it has to be kept for resuming, as every epoch's generator is on the disk.
    """
    if not config.replay.share or epoch == 1:
        return None
    fakes = fakes_of_epochs(
        config,
        folder.path,
        range(1, epoch),
        config.replay.images,
        image_size=reals.shape[2],
        channels=reals.shape[1],
        seed=seed,
        purpose=f"replay in epoch {epoch}",
        device=reals.device,
    )
    return torch.from_numpy(fakes).to(reals.device)
