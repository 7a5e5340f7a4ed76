"""The fully connected GAN."""

from __future__ import annotations

from gandetect.config.architecture import Architecture
from gandetect.config.gan import GanConfig

DENSE = Architecture(
    GanConfig,
    networks={
        "generator": "gandetect.models.dense:DenseGenerator",
        "discriminator": "gandetect.models.dense:DenseDiscriminator",
    },
    training={
        "epochs": 20,
        "batch_size": 64,
        "sampling": "shuffled",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": True,
        "real_label": 1.0,
        "generator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
        "discriminator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
    },
)
