"""A small DCGAN as a Wasserstein critic with gradient penalty, which keeps its slope near 1."""

from __future__ import annotations

from gandetect.config.architecture import Architecture
from gandetect.config.gan import GanConfig

WGAN_GP = Architecture(
    GanConfig,
    networks={
        "generator": "gandetect.models.wgan_gp:WassersteinGenerator",
        "discriminator": "gandetect.models.wgan_gp:WassersteinCritic",
    },
    training={
        "epochs": 10,
        "batch_size": 64,
        "sampling": "shuffled",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": False,
        "real_label": 1.0,
        "loss": "wasserstein",
        "penalty": {"name": "wgan-gp", "weight": 10.0},
        "critic_steps": 5,
        "generator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.9)},
        "discriminator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.9)},
    },
    speed=330,
)
