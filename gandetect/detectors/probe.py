"""A feature probe: a small estimator on the layers of frozen networks, fitted to own fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from gandetect.config import ClassifierConfig, GanConfig, GeneratorConfig, chosen_epochs
from gandetect.config.detector import Makers
from gandetect.config.epochs import Epochs
from gandetect.config.features import IMAGENET_NETWORKS
from gandetect.config.processing import Processing
from gandetect.config.section import Count, ImageCount, Once, Weight
from gandetect.detectors.protocol import (
    DetectorDescription,
    FittedNetwork,
    PostHoc,
    Preprocessing,
    kind_named,
)
from gandetect.errors import UsageError, require_known
from gandetect.events import steps, warn
from gandetect.randomness import integer_seed, stream

if TYPE_CHECKING:
    from torch import nn

    from gandetect.detectors.material import Material
    from gandetect.models.probe import Probe

MOST_VALUES = 500_000_000  # of all features together: 2 GB
IMAGENET = "imagenet:"  # before the name of a network that was trained on ImageNet
Statistic = Literal["mean", "deviation", "skewness", "covariance"]
Names = Annotated[
    Once[str],
    Field(min_length=1),
    BeforeValidator(
        lambda given: (given,) if isinstance(given, str) else given,
        json_schema_input_type=str | tuple[str, ...],
    ),
]


class FeatureProbe(PostHoc):
    """A small estimator on the layers of frozen networks, fitted to own fakes and reals.

    ``features_of`` names GANs (their discriminators of ``epochs``, all together), classifiers, and
    networks trained on ImageNet, as in "imagenet:efficientnet-b0", which see images of ``side``
    pixels at four depths. With ``untrained`` they have their initial weights, as a control: as
    many networks, of which all but a GAN's first are drawn afresh. Of the convolutions at
    ``depths`` ("all", "last", or numbers from 1) the ``statistics`` over space are the features
    (see `gandetect.models.probe.LayerStatistics`).

    An ``estimator`` of scikit-learn is fitted to the features of at most ``max_images`` training
    reals and as many fakes: logistic regression (with ``regularisation`` times half the squared
    coefficients; features are standardised), a linear discriminant, or the ``neighbours`` nearest
    of each. Fakes are drawn by the generators of ``fakes_epochs`` of every GAN in ``fakes_from``
    (by default those in ``features_of``), as many of each. With a ``processing`` chain each image
    is also used a second time, processed, reals and fakes alike.
    """

    METHOD: ClassVar = "by fitting a small estimator to the layers of frozen networks"

    kind: Literal["probe"]
    features_of: Names
    epochs: Epochs = "last"
    untrained: bool = False
    fakes_from: Once[str] = ()
    fakes_epochs: Epochs = "all"
    max_images: Annotated[ImageCount, Field(ge=20)] = 8000
    processing: Processing = ()
    side: Annotated[int, Field(ge=32, le=256, multiple_of=32)] = 96
    depths: Literal["all", "last"] | Annotated[Once[Count], Field(min_length=1)] = "all"
    statistics: Annotated[Once[Statistic], Field(min_length=1)] = ("mean", "deviation")
    estimator: Literal["logistic-regression", "linear-discriminant", "nearest-neighbours"] = (
        "logistic-regression"
    )
    regularisation: Weight = 1.0
    neighbours: Count = 5

    @property
    def made_of(self) -> tuple[str, ...]:
        """What of the study brings the features, and the GANs that its fakes come from."""
        names = dict.fromkeys((*self.features_of, *self.fakes_from))
        return tuple(name for name in names if not name.startswith(IMAGENET))

    @property
    def images_trained_on(self) -> int | None:
        """As many as features are computed of, in networks of the study."""
        if any(name.startswith(IMAGENET) for name in self.features_of):
            return None
        return self.max_images * (4 if self.processing else 2)

    def known(self, known_to: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """Untrained networks know nothing: the GANs of its fakes alone."""
        if not self.untrained:
            return super().known(known_to)
        return self.fakes_from or tuple(one for one in self.made_of if known_to(one) == (one,))

    def check(self, gans: Makers, classifiers: Sequence[ClassifierConfig]) -> None:
        """Refuse networks and fakes that the study does not have."""
        discriminators = [gan.name for gan in gans if isinstance(gan, GanConfig)]
        networks = [*discriminators, *(one.name for one in classifiers)]
        networks += [IMAGENET + name for name in IMAGENET_NETWORKS]
        generators = [gan.name for gan in gans]
        require_known("features_of", self.features_of, networks)
        require_known("fakes_from", self.fakes_from, generators)
        if not self.fakes_from and not set(self.features_of) & set(discriminators):
            raise ValueError(
                f"{self.name!r} has no fakes to learn from; name the GANs that make them, as in "
                f'fakes_from = ["{generators[0]}"]'
            )

    def check_networks(
        self, trained: Sequence[GeneratorConfig | ClassifierConfig], preprocessing: Preprocessing
    ) -> None:
        """Refuse a depth that a network does not have, and packages that are not there."""
        import torch

        from gandetect.models.probe import LayerStatistics, ProbeError
        from gandetect.training.supervised import network_options

        description = DetectorDescription(
            name=self.name, architecture="", preprocessing=preprocessing
        )
        configs = {one.name: one for one in trained}
        for name in self.features_of:
            if name.startswith(IMAGENET):
                recipe = _recipe(IMAGENET, name.removeprefix(IMAGENET), {"side": self.side})
            elif isinstance(one := configs[name], ClassifierConfig):
                recipe = _recipe("classifier", one.network, network_options(one))
            else:
                recipe = _recipe("discriminator", one.architecture, one.options("discriminator"))
            try:
                with torch.device("meta"):
                    LayerStatistics(_build(description, **recipe), self.depths, self.statistics)
            except ProbeError as error:
                raise UsageError(f"{self.name!r} cannot look at {name!r}: {error}") from None

    def make(self, material: Material) -> FittedNetwork:
        """Compute the features of reals and fakes, and fit the estimator to them."""
        import torch

        from gandetect.models.probe import Probe

        networks, described = [], []
        for network, about in self._networks(material):
            networks.append(network)
            described.append(about)
        probe = Probe(networks, self.depths, self.statistics, neighbours=self.neighbours)
        # As it will score: without dropout, and in that layout.
        probe.eval().to(material.device).to(memory_format=torch.channels_last)
        features = self._features(probe, material)
        if not probe.learn(features, self.estimator, self.regularisation):
            warn(
                material.notify,
                f"{self.name!r} has not converged; give more regularisation, or fewer features",
            )
        names = dict.fromkeys(network_kind["architecture"] for network_kind in described)
        looked_at = {"depths": self.depths, "statistics": self.statistics}
        options = {"networks": described, **looked_at, **probe.sizes()}
        epochs = [
            gan.epochs for name, (gan, _) in material.gans.items() if name in self.features_of
        ]
        return FittedNetwork(
            probe, ", ".join(names), options, 0 if self.untrained else max(epochs, default=0)
        )

    @classmethod
    def build(cls, description: DetectorDescription) -> nn.Module:
        """The estimator, with the networks that bring its features."""
        from gandetect.models.probe import Probe

        options = dict(description.options)
        networks = [_build(description, **one) for one in options.pop("networks")]
        return Probe(networks, **options)

    def _networks(self, material: Material) -> Iterator[tuple[nn.Module, dict[str, Any]]]:
        """The networks that bring the features, and what `_build` builds each with."""
        for name in self.features_of:
            if name.startswith(IMAGENET):
                yield self._of_imagenet(name.removeprefix(IMAGENET), material.seed)
            elif name in material.gans:
                yield from self._of_gan(name, material)
            else:
                network_detector = (
                    material.untrained(name) if self.untrained else material.detector(name)
                )
                about = network_detector.description
                yield (
                    network_detector.network,
                    _recipe(about.kind, about.architecture, about.options),
                )

    def _of_gan(self, name: str, material: Material) -> Iterator[tuple[nn.Module, dict[str, Any]]]:
        from gandetect.detectors.discriminator import fresh_discriminator

        gan, _ = material.gans[name]
        about = _recipe("discriminator", gan.architecture, gan.options("discriminator"))
        for place, epoch in enumerate(chosen_epochs(self.epochs, gan.epochs)):
            if self.untrained:
                another = integer_seed(material.seed, f"untrained networks of {name}", place)
                given = another if place else material.seed, material.preprocessing
                yield fresh_discriminator(gan, *given, material.device), about
            else:
                yield material.discriminator(name, epoch), about

    def _of_imagenet(self, name: str, seed: int) -> tuple[nn.Module, dict[str, Any]]:
        import torch

        from gandetect.models.imagenet import ImagenetNetwork

        with torch.random.fork_rng(devices=[]):  # initialisers draw from the global stream
            torch.manual_seed(integer_seed(seed, f"untrained networks of {name}"))
            network = ImagenetNetwork(name, self.side)
        if not self.untrained:
            network.load_imagenet()
        return network, _recipe(IMAGENET, name, {"side": self.side})

    def _features(self, probe: Probe, material: Material) -> NDArray[np.float32]:
        """Features of reals and fakes as they are and, in a second copy, processed.

        Shape ``(copies, 2, N, F)``.
        """
        from gandetect.data.perturbations import process
        from gandetect.detectors.network import answers

        reals, fakes = self._images(material)
        width = answers(probe.raw, fakes[:1], material.device).shape[1]
        copies = 2 if self.processing else 1
        if 2 * copies * len(reals) * width > MOST_VALUES:
            raise UsageError(
                f"{self.name!r} has {width:,} features of {2 * copies * len(reals):,} images, more "
                f"than {MOST_VALUES:,} values in all; give fewer images, epochs, depths or "
                "statistics"
            )
        features = np.empty((copies, 2, len(reals), width), np.float32)
        tick = steps(material.notify, f"features of {self.name}")
        for side, (source, images) in enumerate((("reals", reals), ("fakes", fakes))):
            rng = stream(material.seed, f"processing of {source} for {self.name}")
            for copy in range(copies):
                seen = process(images, self.processing, rng) if copy else images
                features[copy, side] = answers(probe.raw, seen, material.device).cpu().numpy()
                tick((side * copies + copy + 1) * len(reals), features[..., 0].size)
        return features

    def _images(self, material: Material) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """A random sample of training reals, and as many fakes, ``(N, C, H, W) uint8``."""
        chosen = stream(material.seed, f"images of {self.name}").permutation(len(material.reals))
        reals = material.reals[np.sort(chosen[: self.max_images])]
        makers = self.fakes_from or [one for one in self.features_of if one in material.gans]
        purpose = f"{self.kind} {self.name}"
        return reals, material.fakes_of(makers, self.fakes_epochs, len(reals), purpose)


def _recipe(kind: str, architecture: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "architecture": architecture, "options": options}


def _build(
    description: DetectorDescription, kind: str, architecture: str, options: dict[str, Any]
) -> nn.Module:
    """A network in a probe, its weights about to be loaded."""
    from gandetect.models.imagenet import ImagenetNetwork

    if kind == IMAGENET:
        return ImagenetNetwork(architecture, **options)
    changes = {"architecture": architecture, "options": options}
    return kind_named(kind).build(description.model_copy(update=changes))
