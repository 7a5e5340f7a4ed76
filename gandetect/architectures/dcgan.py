"""The two DCGANs of the reference study, trained as their notebooks train them."""

from __future__ import annotations

from gandetect.config.architecture import Architecture
from gandetect.config.gan import GanConfig

BATCH_NORM = Architecture(
    GanConfig,
    networks={
        "generator": "gandetect.models.dcgan:BatchNormGenerator",
        "discriminator": "gandetect.models.dcgan:BatchNormDiscriminator",
    },
    training={
        "epochs": 50,
        "batch_size": 100,
        "sampling": "shuffled",
        "discriminator_updates": "separate",
        "discriminator_fakes": "inference",
        "shared_noise": False,
        "real_label": 1.0,
        "generator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
        "discriminator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
    },
    branches=True,
    speed=330,
)

PLAIN = Architecture(
    GanConfig,
    networks={
        "generator": "gandetect.models.dcgan:PlainGenerator",
        "discriminator": "gandetect.models.dcgan:PlainDiscriminator",
    },
    training={
        "epochs": 10,
        "batch_size": 16,
        "steps_per_epoch": 3750,
        "sampling": "with-replacement",
        "discriminator_updates": "joint",
        "discriminator_fakes": "training",
        "shared_noise": True,
        "real_label": 0.9,
        "generator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
        "discriminator_optimizer": {"learning_rate": 2e-4, "betas": (0.5, 0.999)},
    },
    branches=True,
    speed=100,
)
