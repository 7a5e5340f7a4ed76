"""The variational autoencoder: a generator without a discriminator."""

from __future__ import annotations

from gandetect.config.architecture import Architecture

VAE = Architecture(
    ("gandetect.models.vae:Decoder", "gandetect.models.vae:Encoder"),
    training={
        "epochs": 10,
        "batch_size": 64,
        "sampling": "shuffled",
        "generator_optimizer": {"learning_rate": 1e-3, "betas": (0.9, 0.999)},
    },
    partner_kind="encoder",
    speed=3300,
)
