"""What an architecture is, and the registry of those that there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from gandetect.errors import listed
from gandetect.registry import Registry, imported

if TYPE_CHECKING:
    from gandetect.config.generator import GeneratorConfig

Build = Callable[..., Any]  # (image_size=28, channels=1, **options) to an `nn.Module`


@dataclass(frozen=True)
class Architecture:
    """A generator with the networks it is trained with, and how they are trained by default.

    ``table`` is the kind of ``[[gans]]`` table: its keys, and what trains by them. ``training`` are
    the values of keys that a table leaves out.

    ``networks`` are what builds each, in the order of their initial weights; where one is given as
    ``"module:object"`` an experiment is read without torch. The "generator" maps noise ``(N, 100)``
    to images ``(N, C, H, W)`` in [-1, 1]; a GAN's "discriminator" maps images to logits ``(N,)``,
    high = real. They take options of the table of their name by keyword, and raise `ValueError` for
    a size they cannot serve.

    With ``branches`` the discriminator takes all of `DiscriminatorOptions`. ``speed`` is how many
    images of 28 x 28 one core trains on in a second, roughly: it orders stages, tells how long a
    study takes and refuses those of years.
    """

    table: type[GeneratorConfig]
    networks: Mapping[str, Build | str]
    training: Mapping[str, Any]
    branches: bool = False
    speed: float = 7000.0

    def build(self, network: str, image_size: int = 28, channels: int = 1, **options: Any) -> Any:
        """Build one of its networks, an `nn.Module`; `ValueError` names those that it has."""
        if network not in self.networks:
            raise ValueError(f"it has no {network}; its networks are: {listed([*self.networks])}")
        build = self.networks[network]
        called = cast(Build, imported(build)) if isinstance(build, str) else build
        return called(image_size, channels, **options)


ARCHITECTURES: Registry[Architecture] = Registry(
    "architecture",
    {
        "dcgan-bn": "gandetect.architectures.dcgan:BATCH_NORM",
        "dcgan-plain": "gandetect.architectures.dcgan:PLAIN",
        "wgan-gp": "gandetect.architectures.wgan_gp:WGAN_GP",
        "dense": "gandetect.architectures.dense:DENSE",
        "vae": "gandetect.architectures.vae:VAE",
    },
    "gandetect.architectures",
    lambda thing: isinstance(thing, Architecture),
)
