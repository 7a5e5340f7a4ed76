"""A third kind of generator in one file: a table, a training function, a network, an architecture.

It learns without a second network: a batch of its images should have the mean of a batch of reals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar, Literal

import torch
from gandetect_example import linear
from torch import Tensor, nn

from gandetect.config import Architecture, GeneratorConfig
from gandetect.config.section import Weight
from gandetect.data.stored import Images
from gandetect.models import NOISE_SIZE
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import GanFolder
from gandetect.training.discriminating import update
from gandetect.training.epochs import real_batches, report_progress, steps_per_epoch, train_epochs
from gandetect.training.networks import build_networks, build_optimizer
from gandetect.training.reals import on_device


class MomentsConfig(GeneratorConfig):
    """Trained to match the reals' mean image, times ``weight``."""

    TRAINED_BY: ClassVar = "moments:train_moments"

    role: Literal["source"] = "source"
    weight: Weight = 1.0


@dataclass(frozen=True)
class Moments:
    """The state of its training."""

    networks: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]


def train_moments(
    config: MomentsConfig,
    images: Images,
    folder: GanFolder,
    *,
    seed: int,
    device: torch.device,
    **judging: Any,
) -> Moments:
    """Train on ``(N, C, H, W) uint8`` images, as `train_gan` does."""
    networks = build_networks(config, images.shape[2], images.shape[1], seed, device)
    generator, reals = networks["generator"], on_device(images, device)
    optimizer = build_optimizer(config.generator_optimizer, generator)

    def run_epoch(epoch: int) -> Tensor:
        noise = torch.Generator(device).manual_seed(integer_seed(seed, "noise", epoch))
        losses = torch.zeros(steps_per_epoch(config, len(reals)), 1, device=device)
        telling = {"epoch": epoch, "started": perf_counter(), "notify": judging["notify"]}
        for step, chosen in enumerate(real_batches(config, reals, seed, epoch)):
            drawn = torch.randn((len(chosen), NOISE_SIZE), generator=noise, device=device)
            apart = generator(drawn).mean(0) - to_unit_range(reals[chosen]).mean(0)
            loss = config.weight * apart.square().mean()
            update(optimizer, loss)
            losses[step] = loss.detach()
            report_progress(config, losses, step, ("apart",), **telling)
        return losses

    trained = Moments(networks, {"generator": optimizer})
    columns = {"apart": "apart"}
    train_epochs(config, trained, folder, run_epoch, columns, seed=seed, **judging)
    return trained


MOMENTS = Architecture(
    MomentsConfig,
    networks={"generator": linear.generator},
    training={
        "epochs": 2,
        "batch_size": 16,
        "steps_per_epoch": 3,
        "sampling": "shuffled",
        "generator_optimizer": {"learning_rate": 1e-2},
    },
)
