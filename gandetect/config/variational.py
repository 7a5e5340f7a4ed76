"""How a variational autoencoder is trained."""

from __future__ import annotations

from typing import ClassVar, Literal

from gandetect.config.generator import GeneratorConfig


class VaeConfig(GeneratorConfig):
    """A variational autoencoder. Without a discriminator it is a source alone.

    ``generator_optimizer`` updates its encoder, too.
    """

    TRAINED_BY: ClassVar = "gandetect.training.variational:train_vae"

    role: Literal["source"] = "source"
