"""A generator, the network it is trained with, and optimizers: a configuration, a seed."""

from __future__ import annotations

import torch
from torch import nn

from gandetect.config import ARCHITECTURES, GanConfig, OptimizerConfig
from gandetect.randomness import integer_seed
from gandetect.training.checkpoints import Gan


def build_gan(
    config: GanConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> Gan:
    """Build both networks with their initial weights for a seed, and their optimizers."""
    generator, discriminator = build_networks(config, image_size, channels, seed, device)
    return Gan(
        generator,
        discriminator,
        build_optimizer(config.generator_optimizer, generator),
        build_optimizer(config.discriminator_optimizer, discriminator),
    )


def build_networks(
    config: GanConfig, image_size: int, channels: int, seed: int, device: torch.device
) -> tuple[nn.Module, nn.Module]:
    """Build a generator and its partner, a discriminator or an encoder, untrained, for a seed."""
    architecture = ARCHITECTURES[config.architecture]
    with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
        torch.manual_seed(integer_seed(seed, "initial weights"))
        generator = architecture.generator(
            image_size, channels, **config.generator.model_dump(exclude_none=True)
        )
        partner = architecture.partner(
            image_size, channels, **config.discriminator.model_dump(exclude_none=True)
        )
    for network in (generator, partner):
        network.to(device).to(memory_format=torch.channels_last)
    return generator, partner


def build_optimizer(config: OptimizerConfig, network: nn.Module) -> torch.optim.Optimizer:
    """An optimizer for all of a network's parameters."""
    if config.name == "rmsprop":
        return torch.optim.RMSprop(
            network.parameters(), config.learning_rate, alpha=config.smoothing, eps=config.eps
        )
    return torch.optim.Adam(
        network.parameters(), config.learning_rate, config.betas, eps=config.eps, fused=True
    )
