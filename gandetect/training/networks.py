"""A generator, the networks it is trained with, and optimizers: a configuration, a seed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from gandetect.config import ARCHITECTURES, GanConfig, GeneratorConfig, OptimizerConfig
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import Gan, load_weights, weights_file


def build_gan(
    config: GanConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> Gan:
    """Build both networks with their initial weights for a seed, and their optimizers.

    The average of the generator, where there is one, begins with the generator's weights.
    """
    networks = build_networks(config, image_size, channels, seed, device)
    average = deepcopy(networks["generator"]) if config.generator_average else None
    return Gan(
        **networks,
        generator_average=average,
        generator_optimizer=build_optimizer(config.generator_optimizer, networks["generator"]),
        discriminator_optimizer=build_optimizer(
            config.discriminator_optimizer, networks["discriminator"]
        ),
    )


def build_networks(
    config: GeneratorConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> dict[str, nn.Module]:
    """Build an architecture's networks, untrained, for a seed: a "generator" and its others."""
    architecture = ARCHITECTURES[config.architecture]
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
        torch.manual_seed(integer_seed(seed, "initial weights"))
        networks: dict[str, nn.Module] = {
            name: architecture.build(name, image_size, channels, **config.options(name))
            for name in architecture.networks
        }
    for network in networks.values():
        network.to(device).to(memory_format=torch.channels_last)
    return networks


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move an average towards a network of the same architecture; buffers are copied.

    Yazıcı et al. 2019 (arXiv 1806.04498): after each of the generator's updates the average
    becomes decay * average + (1 - decay) * weights, from the initial weights on. Karras et al. 2018
    (arXiv 1710.10196) draw their images so, with 0.999. It decides nothing in training.
    """
    pairs = list(average.parameters()), list(network.parameters())
    get_ema_multi_avg_fn(decay)(*pairs, None)
    for averaged, present in zip(average.buffers(), network.buffers(), strict=True):
        averaged.copy_(present)


def load_generator(
    config: GeneratorConfig, folder: Path, shape: tuple[int, int], seed: int, device: torch.device
) -> nn.Module:
    """What images are drawn from: a trained generator, or its average where it has one.

    ``folder`` is the GAN's or that of a kept epoch, ``shape`` the channels and side of its images.
    """
    channels, size = shape
    generator = build_networks(config, size, channels, seed, device)["generator"]
    load_weights(generator, folder / weights_file(config.drawn_from))
    return generator


def build_optimizer(config: OptimizerConfig, network: nn.Module) -> torch.optim.Optimizer:
    """An optimizer for all of a network's parameters."""
    if config.name == "rmsprop":
        return torch.optim.RMSprop(
            network.parameters(), config.learning_rate, alpha=config.smoothing, eps=config.eps
        )
    return torch.optim.Adam(
        network.parameters(), config.learning_rate, config.betas, eps=config.eps, fused=True
    )
