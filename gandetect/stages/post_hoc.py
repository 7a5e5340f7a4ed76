"""Make one detector out of what was trained: averaged, fine-tuned, or fitted to reals alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gandetect import runs
from gandetect.config import (
    CheckpointEnsembleConfig,
    ClassifierConfig,
    DetectorConfig,
    FineTunedConfig,
    GanConfig,
    OneClassConfig,
    chosen_epochs,
)
from gandetect.data.stored import Images
from gandetect.detectors import (
    BATCH,
    WEIGHTS,
    DetectorDescription,
    Preprocessing,
    as_detector,
    save_detector,
)
from gandetect.engine import Context, Facts, Stage
from gandetect.events import Notify
from gandetect.models.ensemble import Ensemble
from gandetect.models.features import Features
from gandetect.models.one_class import OneClass, sizes_of
from gandetect.models.scaling import to_unit_range
from gandetect.randomness import stream
from gandetect.sources.splits import CALIBRATION, TRAINING, OpenSplits
from gandetect.stages.class_data import ClassData
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.gan import TrainGan
from gandetect.stages.speeds import seconds
from gandetect.stages.trained import classifier_options
from gandetect.training.checkpoints import DISCRIMINATOR, load_weights
from gandetect.training.fine_tuning import fine_tune
from gandetect.training.history import fakes_of_epochs
from gandetect.training.networks import build_gan
from gandetect.training.supervised import new_classifier

HISTORY = "history.csv"


@dataclass(frozen=True)
class MakeDetector(Stage):
    """Make a detector of finished trainings; its folder is then a detector's, with its history.

    It takes seconds to minutes, so what is interrupted starts afresh.
    """

    config: DetectorConfig
    seed: int
    preprocessing: Preprocessing
    made_of: tuple[TrainGan | TrainClassifier, ...]
    data: ClassData

    VERSION: ClassVar[int] = 2

    @property
    def place(self) -> str:
        return f"derived/{self.config.name}/seed-{self.seed}"

    @property
    def title(self) -> str:
        return f"Making {self.config.name} seed {self.seed}"

    @property
    def weight(self) -> float:
        config = self.config
        if not isinstance(config, FineTunedConfig):
            return 10.0
        gan = next(one.config for one in self.made_of if one.config.name == config.gan)
        assert isinstance(gan, GanConfig)
        images = config.updates * config.batch_size
        return seconds(gan.architecture, images, self.data.config.shape[1])

    def run(self, context: Context) -> Facts:
        """Make it, and save it as `save_detector` does."""
        splits = OpenSplits(context.of(self.data), context.cache)
        trained = {one.config.name: (one.config, context.of(one)) for one in self.made_of}
        material = Material(
            trained,
            splits.images(TRAINING),
            splits.images(CALIBRATION),
            self.seed,
            self.preprocessing,
            torch.device(context.device),
            context.notify,
        )
        made = _make(self.config, material)
        description = DetectorDescription(
            kind=self.config.kind,
            name=self.config.name,
            architecture=made.architecture,
            options=made.options,
            preprocessing=self.preprocessing,
            provenance={"made_of": sorted(trained)},
        )
        save_detector(context.folder, as_detector(made.network, description, material.device))
        if made.history:
            runs.write_text(context.folder / HISTORY, _as_csv(made.history))
        return {"epoch": made.epoch}


def made_of(detector: DetectorConfig) -> tuple[str, ...]:
    """Names of the GANs and classifiers that a detector is made of; none for one on pixels."""
    if isinstance(detector, OneClassConfig):
        return () if detector.features_of == "pixels" else (detector.features_of,)
    others = detector.fakes_from if isinstance(detector, FineTunedConfig) else ()
    return tuple(dict.fromkeys((detector.gan, *others)))


@dataclass(frozen=True)
class Material:
    """What a detector may be made of, with where the trainings that it names stand."""

    trained: Mapping[str, tuple[GanConfig | ClassifierConfig, Path]]
    reals: Images
    calibration: Images
    seed: int
    preprocessing: Preprocessing
    device: torch.device
    notify: Notify

    def gan(self, name: str) -> tuple[GanConfig, Path]:
        """A GAN by its name, and its folder."""
        config, folder = self.trained[name]
        assert isinstance(config, GanConfig)
        return config, folder

    def discriminator(self, name: str, epoch: int | None = None) -> nn.Module:
        """A GAN's discriminator after an epoch, or after the last."""
        config, folder = self.gan(name)
        network = self.fresh(config)
        load_weights(network, (_epoch(folder, epoch) if epoch else folder) / DISCRIMINATOR)
        return network.eval()

    def fresh(self, config: GanConfig) -> nn.Module:
        """A GAN's discriminator with its initial weights."""
        size, channels = self.preprocessing.image_size, self.preprocessing.channels
        return build_gan(config, size, channels, self.seed, self.device).discriminator


@dataclass(frozen=True)
class Made:
    """A network that answers like a discriminator, and how to build it again."""

    network: nn.Module
    architecture: str
    options: dict[str, Any]
    epoch: int = 0  # the last epoch of a GAN that is in it
    history: Sequence[Mapping[str, float]] = field(default_factory=tuple)


def _make(config: DetectorConfig, material: Material) -> Made:
    if isinstance(config, CheckpointEnsembleConfig):
        return _ensemble(config, material)
    if isinstance(config, FineTunedConfig):
        return _fine_tuned(config, material)
    return _one_class(config, material)


def _ensemble(config: CheckpointEnsembleConfig, material: Material) -> Made:
    gan, _ = material.gan(config.gan)
    epochs = chosen_epochs(config.epochs, gan.epochs)
    members = [material.discriminator(config.gan, epoch) for epoch in epochs]
    ensemble = Ensemble(members, config.average).to(material.device)
    if config.average == "rank":
        logits = _of_batches(ensemble.of_members, material.calibration, material.device, dim=1)
        ensemble.calibrate(logits)
    options = {
        "network": _options(gan),
        "members": len(members),
        "average": config.average,
        "quantiles": ensemble.reference.shape[1],
    }
    return Made(ensemble, gan.architecture, options, epochs[-1])


def _fine_tuned(config: FineTunedConfig, material: Material) -> Made:
    gan, _ = material.gan(config.gan)
    if config.discriminator is not None:
        gan = gan.model_copy(update={"discriminator": config.discriminator})
    names = config.fakes_from or (config.gan,)
    shares = np.diff(np.linspace(0, config.images, len(names) + 1).round().astype(int)).tolist()
    fakes = [
        _fakes(config, name, share, material)
        for name, share in zip(names, shares, strict=True)
        if share
    ]
    network = material.fresh(gan) if config.start == "fresh" else material.discriminator(config.gan)
    history = fine_tune(
        config, gan, network, material.reals, np.concatenate(fakes),
        seed=material.seed, device=material.device, notify=material.notify,
    )  # fmt: skip
    return Made(network, gan.architecture, _options(gan), gan.epochs, history)


def _fakes(config: FineTunedConfig, name: str, count: int, material: Material) -> NDArray[np.uint8]:
    gan, folder = material.gan(name)
    return fakes_of_epochs(
        gan,
        folder,
        chosen_epochs(config.history, gan.epochs),
        count,
        image_size=material.preprocessing.image_size,
        channels=material.preprocessing.channels,
        seed=material.seed,
        purpose=f"fine-tuning of {config.name}",
        device=material.device,
    )


def _one_class(config: OneClassConfig, material: Material) -> Made:
    network, about = _feature_network(config, material)
    chosen = stream(material.seed, f"images of {config.name}").permutation(len(material.reals))
    reals = material.reals[np.sort(chosen[: config.images])]
    features = Features(network).to(material.device)
    detector = OneClass(config.method, features, neighbours=config.neighbours)
    detector.to(material.device)
    raw = _of_batches(features.raw, reals, material.device).float().cpu().numpy()
    detector.learn(raw)
    architecture = about.pop("architecture")
    epoch = about.pop("epoch")
    return Made(detector, architecture, {**about, **sizes_of(detector)}, epoch)


def _feature_network(
    config: OneClassConfig, material: Material
) -> tuple[nn.Module | None, dict[str, Any]]:
    """The network whose features are looked at, and what a description says of it."""
    if config.features_of == "pixels":
        about = {"features_of": "pixels", "architecture": "pixels", "network": {}, "epoch": 0}
        return None, about
    given, folder = material.trained[config.features_of]
    if isinstance(given, GanConfig):
        about = {"features_of": "discriminator", "architecture": given.architecture}
        about |= {"network": _options(given), "epoch": given.epochs}
        return material.discriminator(config.features_of), about
    network = new_classifier(given, material.preprocessing.channels, weights=False)
    load_weights(network, folder / WEIGHTS)
    about = {"features_of": "classifier", "architecture": given.network}
    about |= {"network": classifier_options(given), "epoch": 0}
    return network.eval(), about


@torch.inference_mode()
def _of_batches(
    answer: Callable[[torch.Tensor], torch.Tensor],
    images: Images,
    device: torch.device,
    dim: int = 0,
) -> torch.Tensor:
    """What is answered for all images ``(N, C, H, W) uint8``, joined along ``dim``."""
    parts = [
        answer(to_unit_range(torch.from_numpy(images[start : start + BATCH].copy()).to(device)))
        for start in range(0, len(images), BATCH)
    ]
    return torch.cat(parts, dim)


def _options(gan: GanConfig) -> dict[str, Any]:
    return gan.discriminator.model_dump(exclude_none=True)


def _epoch(folder: Path, epoch: int) -> Path:
    return folder / "epochs" / f"{epoch:04d}"


def _as_csv(rows: Sequence[Mapping[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
