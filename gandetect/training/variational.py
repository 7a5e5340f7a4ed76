"""A variational autoencoder's training: one VAE, one seed, from uint8 images to epochs on disk.

Kingma & Welling 2014 (arXiv 1312.6114): encoder and decoder minimise, in one step, what the
images cost to describe: a reconstruction term and the divergence of the latents from N(0, 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor, nn

from gandetect.config import VaeConfig
from gandetect.data.stored import Images
from gandetect.events import Notify
from gandetect.models.scaling import channels_last, to_unit_range
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import GanFolder
from gandetect.training.discriminating import update
from gandetect.training.epochs import (
    real_batches,
    report_progress,
    steps_per_epoch,
    train_epochs,
)
from gandetect.training.networks import build_networks, build_optimizer
from gandetect.training.quality import QualityEvaluator
from gandetect.training.reals import Reals, on_device

STATISTICS = ("reconstruction", "divergence")  # nats an image
# Of a pixel in [-1, 1] around its decoded value. The smaller it is, the more of N(0, 1) is left
# where no image was encoded. Chosen by FID after three epochs: 66 with each batch's likeliest
# variance ("optimal sigma", Rybkin et al. 2021, arXiv 2006.13202); 46, 31, 26 with 0.1, 0.2, 0.5.
VARIANCE = 0.5


@dataclass(frozen=True)
class Vae:
    """Encoder and decoder, which one optimizer updates: the state of a variational training."""

    decoder: nn.Module
    encoder: nn.Module
    optimizer: torch.optim.Optimizer

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """Both networks by name; the decoder is the generator."""
        return {"generator": self.decoder, "encoder": self.encoder}

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """The one optimizer."""
        return {"both": self.optimizer}


def train_vae(
    config: VaeConfig,
    images: Images,
    folder: GanFolder,
    *,
    seed: int,
    device: torch.device,
    evaluator: QualityEvaluator,
    generated: int,
    notify: Notify,
) -> Vae:
    """Train on ``(N, C, H, W) uint8`` images until the last epoch, from the last complete one.

    Going on after an interruption, and losses that are not finite, are as in `train_gan`.
    """
    vae = build_vae(config, images.shape[2], images.shape[1], seed, device)
    reals = on_device(images, device)

    def run_epoch(epoch: int) -> Tensor:
        return train_epoch(config, vae, reals, seed=seed, epoch=epoch, notify=notify)

    train_epochs(
        config,
        vae,
        folder,
        run_epoch,
        {name: name for name in STATISTICS},
        seed=seed,
        evaluator=evaluator,
        generated=generated,
        notify=notify,
    )
    return vae


def train_epoch(
    config: VaeConfig, vae: Vae, reals: Reals, *, seed: int, epoch: int, notify: Notify
) -> Tensor:
    """Run one epoch of updates; returns the `STATISTICS` of each step, shape ``(steps, 2)``."""
    encoder, decoder = vae.encoder.train(), vae.decoder.train()
    rng = torch.Generator(reals.device).manual_seed(integer_seed(seed, "latents", epoch))
    statistics = torch.zeros(steps_per_epoch(config, len(reals)), 2, device=reals.device)
    precision = torch.autocast(reals.device.type, torch.bfloat16, config.precision == "bf16")
    started = perf_counter()
    for step, chosen in enumerate(real_batches(config, reals, seed, epoch)):
        images = channels_last(to_unit_range(reals[chosen]))
        with precision:
            mean, log_variance = (one.float() for one in encoder(images))
            drawn = torch.randn(mean.shape, generator=rng, device=reals.device)
            decoded = decoder(mean + (log_variance / 2).exp() * drawn).float()
        losses = reconstruction(images, decoded), divergence(mean, log_variance)
        update(vae.optimizer, losses[0] + losses[1])
        statistics[step] = torch.stack(losses).detach()
        report_progress(
            config, statistics, step, STATISTICS, epoch=epoch, started=started, notify=notify
        )
    return statistics


def reconstruction(images: Tensor, decoded: Tensor) -> Tensor:
    """Minus the log-density of ``(N, C, H, W)`` images around decoded ones, nats an image, mean.

    A Gaussian of `VARIANCE` in each pixel (Kingma & Welling 2014, appendix C.2): grey levels are
    not the coin tosses that a Bernoulli decoder takes them for.
    """
    squares = (decoded - images).square().flatten(1).sum(1).mean()
    return images[0].numel() / 2 * math.log(2 * math.pi * VARIANCE) + squares / (2 * VARIANCE)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the latents ``(N, L)`` from N(0, 1), nats an image, mean.

    Kingma & Welling 2014, appendix B.
    """
    each = 1 + log_variance - mean.square() - log_variance.exp()
    return -each.sum(1).mean() / 2


def build_vae(
    config: VaeConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> Vae:
    """Build both networks with their initial weights for a seed, and their optimizer."""
    networks = build_networks(config, image_size, channels, seed, device)
    optimizer = build_optimizer(config.generator_optimizer, nn.ModuleList(networks.values()))
    return Vae(networks["generator"], networks["encoder"], optimizer)
