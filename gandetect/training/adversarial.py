"""The adversarial loop: one GAN, one seed, from uint8 images to a folder of epochs.

Goodfellow et al. 2014 (arXiv 1406.2661) with the non-saturating generator loss. What differs
between architectures (optimizers, joint or separate updates, labels, noise) is in `GanConfig`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gandetect.config import GanConfig, OptimizerConfig
from gandetect.errors import TrainingError
from gandetect.models import ARCHITECTURES, NOISE_SIZE
from gandetect.models.layers import seed_dropout
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import integer_seed, stream
from gandetect.training.checkpoints import Gan, GanFolder
from gandetect.training.images import generate
from gandetect.training.quality import QualityJudge

Notify = Callable[[Mapping[str, Any]], None]
STEPS_BETWEEN_LOOKS = 25


def train_gan(
    config: GanConfig,
    images: NDArray[np.uint8],
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
    done = folder.restore(gan)
    reals = torch.from_numpy(images).to(device)
    for epoch in range(done + 1, config.epochs + 1):
        started = perf_counter()
        statistics = train_epoch(config, gan, reals, seed=seed, epoch=epoch, notify=notify)
        trained = perf_counter() - started

        # How good are the fakes now? The same noise every epoch, so that epochs compare.
        fakes = generate(gan.generator, judged, seed=seed, purpose="quality", device=device)
        quality = judge.assess(fakes, seed)
        steps = len(statistics)
        history = {
            "epoch": epoch,
            **dict(zip(STATISTICS, statistics.double().mean(0).tolist(), strict=True)),
            "images_per_second": steps * config.batch_size / trained,
            "seconds": perf_counter() - started,
            **quality.as_dict(),
        }
        folder.save_epoch(gan, epoch, history, fakes[:64])
        summary = (
            f"loss D {history['discriminator_loss']:.3f} G {history['generator_loss']:.3f}, "
            f"FID {quality.fid:.1f}"
        )
        counted = {"epoch": epoch, "epochs": config.epochs}
        notify({"event": "epoch", **counted, **history, "summary": summary})
    return gan


STATISTICS = ("discriminator_loss", "generator_loss", "accuracy_real", "accuracy_fake")


def train_epoch(
    config: GanConfig, gan: Gan, reals: Tensor, *, seed: int, epoch: int, notify: Notify
) -> Tensor:
    """Run one epoch of updates; returns the `STATISTICS` of each step, shape ``(steps, 4)``."""
    generator, discriminator = gan.generator.train(), gan.discriminator.train()
    chance = torch.Generator(reals.device).manual_seed(integer_seed(seed, "noise", epoch))
    dropout = torch.Generator(reals.device).manual_seed(integer_seed(seed, "dropout", epoch))
    seed_dropout(discriminator, dropout)
    steps = steps_per_epoch(config, len(reals))
    statistics = torch.zeros(steps, len(STATISTICS), device=reals.device)
    precision = torch.autocast(reals.device.type, torch.bfloat16, config.precision == "bf16")

    def draw_noise() -> Tensor:
        return torch.randn(config.batch_size, NOISE_SIZE, generator=chance, device=reals.device)

    started = perf_counter()
    for step, chosen in enumerate(_batches(config, reals, seed, epoch)):
        real_images = _channels_last(to_unit_range(reals[chosen]))

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
        fake_images = _channels_last(fakes.detach().float())

        # Update the discriminator: on both batches joined, or on one after the other.
        if config.discriminator_updates == "joint":
            with precision:
                logits = discriminator(torch.cat([real_images, fake_images]))
            on_real, on_fake = logits.float().chunk(2)
            real_loss, fake_loss = (
                _bce(on_real, config.real_label),
                _bce(on_fake, config.fake_label),
            )
            _update(gan.discriminator_optimizer, (real_loss + fake_loss) / 2)
        else:
            with precision:
                on_real = discriminator(real_images)
            real_loss = _bce(on_real, config.real_label)
            _update(gan.discriminator_optimizer, real_loss)
            with precision:
                on_fake = discriminator(fake_images)
            fake_loss = _bce(on_fake, config.fake_label)
            _update(gan.discriminator_optimizer, fake_loss)

        # Update the generator, the discriminator's weights fixed and its dropout live.
        discriminator.requires_grad_(False)
        with precision:
            if not config.shared_noise:
                fakes = generator(draw_noise())
            elif not fakes.requires_grad:
                fakes = generator(noise)
            generator_loss = _bce(discriminator(fakes), 1.0)
        _update(gan.generator_optimizer, generator_loss)
        discriminator.requires_grad_(True)

        # Keep statistics; look at them now and then, so that a GPU need not wait at every step.
        with torch.no_grad():
            statistics[step] = torch.stack(
                [
                    (real_loss + fake_loss) / 2,
                    generator_loss,
                    (on_real > 0).float().mean(),
                    (on_fake < 0).float().mean(),
                ]
            )
        if (step + 1) % STEPS_BETWEEN_LOOKS == 0 or step + 1 == steps:
            _stop_unless_finite(statistics[: step + 1], epoch)
            rate = (step + 1) * config.batch_size / (perf_counter() - started)
            losses = statistics[step, :2].tolist()
            notify(_progress(config, epoch, step + 1, steps, rate, losses))
    return statistics


def build_gan(
    config: GanConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> Gan:
    """Build both networks with their initial weights for a seed, and their optimizers."""
    architecture = ARCHITECTURES[config.architecture]
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
        torch.manual_seed(integer_seed(seed, "initial weights"))
        generator = architecture.generator(
            image_size, channels, **config.generator.model_dump(exclude_none=True)
        )
        discriminator = architecture.discriminator(
            image_size, channels, **config.discriminator.model_dump(exclude_none=True)
        )
    for network in (generator, discriminator):
        network.to(device).to(memory_format=torch.channels_last)
    return Gan(
        generator,
        discriminator,
        _optimizer(config.generator_optimizer, generator),
        _optimizer(config.discriminator_optimizer, discriminator),
    )


def steps_per_epoch(config: GanConfig, images: int) -> int:
    """Steps of one epoch: as configured, else as many whole batches as there are images for."""
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    if images < config.batch_size:
        raise TrainingError(
            f"{images} training images do not fill one batch of {config.batch_size}; "
            f"give more images, or a smaller batch_size for {config.name!r}"
        )
    return images // config.batch_size


def _batches(config: GanConfig, reals: Tensor, seed: int, epoch: int) -> Iterator[Tensor]:
    order = stream(seed, "order", epoch)
    count = steps_per_epoch(config, len(reals)) * config.batch_size
    if config.sampling == "with-replacement":
        chosen = order.integers(len(reals), size=count)
    else:
        passes = -(-count // len(reals))
        chosen = np.concatenate([order.permutation(len(reals)) for _ in range(passes)])[:count]
    yield from torch.from_numpy(chosen).to(reals.device).split(config.batch_size)


def _optimizer(config: OptimizerConfig, network: nn.Module) -> torch.optim.Optimizer:
    if config.name == "rmsprop":
        return torch.optim.RMSprop(
            network.parameters(), config.learning_rate, alpha=config.smoothing, eps=config.eps
        )
    return torch.optim.Adam(
        network.parameters(), config.learning_rate, config.betas, eps=config.eps, fused=True
    )


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _bce(logits: Tensor, label: float) -> Tensor:
    logits = logits.float()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _channels_last(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _stop_unless_finite(statistics: Tensor, epoch: int) -> None:
    finite = statistics[:, :2].isfinite().all(1)
    if not finite.all():
        step = int((~finite).nonzero()[0]) + 1
        raise TrainingError(
            f"the loss is not finite at epoch {epoch}, step {step}; the epochs before are kept. "
            "Lower the learning rate, or give another seed"
        )


def _progress(
    config: GanConfig, epoch: int, step: int, steps: int, rate: float, losses: list[float]
) -> dict[str, Any]:
    return {
        "event": "step",
        "done": (epoch - 1) * steps + step,
        "total": config.epochs * steps,
        "epoch": epoch,
        "epochs": config.epochs,
        "images_per_second": rate,
        "summary": f"D {losses[0]:.2f} G {losses[1]:.2f}",
    }
