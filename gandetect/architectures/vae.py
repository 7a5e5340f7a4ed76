"""The variational autoencoder: a generator without a discriminator."""

from __future__ import annotations

from gandetect.config.architecture import Architecture
from gandetect.config.variational import VaeConfig

VAE = Architecture(
    VaeConfig,
    networks={
        "generator": "gandetect.models.vae:Decoder",
        "encoder": "gandetect.models.vae:Encoder",
    },
    training={
        "epochs": 10,
        "batch_size": 64,
        "sampling": "shuffled",
        "generator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
    },
    speed=3300,
)
