"""What an architecture is, and the registry of those that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from gandetect.registry import Registry, imported

Build = Callable[..., Any]  # (image_size=28, channels=1, **options) to an `nn.Module`


@dataclass(frozen=True)
class Architecture:
    """A generator, the network that it is trained with (its partner), and how both are trained.

    ``networks`` build the two; where they are given as ``"module:object"`` an experiment is read
    without torch. The generator maps noise ``(N, 100)`` to images ``(N, C, H, W)`` in [-1, 1]. A
    GAN's partner is a discriminator, which maps images to logits ``(N,)``, high = real; a VAE's is
    an encoder, which maps images to the mean and log-variance of its latents. All take further
    options by keyword and raise `ValueError` for a size they cannot serve.

    ``training`` are the values of keys of ``[[gans]]`` that a table leaves out. With ``branches``
    the discriminator takes all of `DiscriminatorOptions`. ``speed`` is how many images of 28 x 28
    one core trains on in a second, roughly: it orders stages and refuses studies of years.
    """

    networks: tuple[Build | str, Build | str]
    training: Mapping[str, Any]
    partner_kind: Literal["discriminator", "encoder"] = "discriminator"
    branches: bool = False
    speed: float = 7000.0

    @property
    def adversarial(self) -> bool:
        """Whether its partner is a discriminator, which can be a detector."""
        return self.partner_kind == "discriminator"

    @property
    def generator(self) -> Build:
        """How to build its generator."""
        return _build(self.networks[0])

    @property
    def partner(self) -> Build:
        """How to build the network that the generator is trained with."""
        return _build(self.networks[1])

    @property
    def discriminator(self) -> Build:
        """How to build its discriminator; `ValueError` where it has none."""
        if not self.adversarial:
            raise ValueError(f"it is trained with an {self.partner_kind}, not with a discriminator")
        return self.partner


def _build(network: Build | str) -> Build:
    return cast(Build, imported(network)) if isinstance(network, str) else network


ARCHITECTURES: Registry[Architecture] = Registry(
    "architecture",
    {
        "dcgan-bn": "gandetect.architectures.dcgan:BATCH_NORM",
        "dcgan-plain": "gandetect.architectures.dcgan:PLAIN",
        "wgan-gp": "gandetect.architectures.wgan_gp:WGAN_GP",
        "dense": "gandetect.architectures.dense:DENSE",
        "vae": "gandetect.architectures.vae:VAE",
    },
)
