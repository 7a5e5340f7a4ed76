"""Train one GAN and draw its images; train the classifier that its images are judged with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gandetect import runs
from gandetect.config import NO_DISCRIMINATOR, GanConfig, QualityConfig
from gandetect.data.stored import Images
from gandetect.detectors import WEIGHTS
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.stages.common import DRAWN, GENERATED, Notify, reusable
from gandetect.training.adversarial import train_gan
from gandetect.training.checkpoints import GENERATOR, GanFolder, load_weights, save_weights
from gandetect.training.images import generate
from gandetect.training.networks import build_networks
from gandetect.training.quality import QualityJudge, accuracy, train_feature_classifier
from gandetect.training.variational import train_vae

Labels = NDArray[np.integer[Any]]


def feature_classifier_stage(
    folder: Path,
    digest: str,
    *,
    config: QualityConfig,
    images: Images,
    labels: Labels,
    test_images: Images,
    test_labels: Labels,
    classes: int,
    device: str,
    notify: Notify,
) -> None:
    """Train the classifier whose feature space FID and KID are measured in."""
    if reusable(folder, digest, notify):
        return
    started = perf_counter()
    where = torch.device(device)
    classifier = train_feature_classifier(
        images, labels, classes=classes, epochs=config.classifier_epochs, seed=0, device=where
    )
    right = accuracy(classifier, test_images, test_labels, where)
    with runs.atomic_folder(folder) as fresh:
        save_weights(classifier, fresh / WEIGHTS)
        facts = {"accuracy_in_distribution": right, "n": len(test_images)}
        seconds = perf_counter() - started
        runs.write_record(fresh, digest, [WEIGHTS], seconds=seconds, classes=classes, **facts)


def gan_stage(
    folder: Path,
    digest: str,
    *,
    config: GanConfig,
    quality: QualityConfig,
    seed: int,
    images: Images,
    reference_images: Images,
    classifier_folder: Path,
    generated: Mapping[str, int],
    device: str,
    notify: Notify,
) -> None:
    """Train one GAN, then draw the images that its generator is represented by.

    ``generated`` says how many for each purpose: evaluation, and calibration.
    """

    def warn(message: str) -> None:
        notify({"event": "warning", "message": message})

    stage = GanFolder(folder, digest, warn)
    where = torch.device(device)
    if not reusable(folder, digest, notify, remove=False):
        started = perf_counter()
        judge = QualityJudge(_load_classifier(classifier_folder, images), reference_images, where)
        train = train_vae if config.architecture in NO_DISCRIMINATOR else train_gan
        trained = train(
            config,
            images,
            stage,
            seed=seed,
            device=where,
            judge=judge,
            judged=quality.generated,
            notify=notify,
        )
        stage.finish(trained, config.epochs, seconds=perf_counter() - started)
    for purpose, count in generated.items():
        drawn = folder / DRAWN[purpose]
        drawn_digest = f"{digest}:{count}"
        if reusable(drawn, drawn_digest, notify):
            continue
        generator = load_generator(config, folder, images, seed, where)
        fakes = generate(generator, count, seed=seed, purpose=purpose, device=where)
        with runs.atomic_folder(drawn) as fresh:
            np.save(fresh / GENERATED, fakes, allow_pickle=False)
            runs.write_record(fresh, drawn_digest, [GENERATED], n=count)


def load_generator(
    config: GanConfig, folder: Path, images: Images, seed: int, device: torch.device
) -> nn.Module:
    """A GAN's trained generator, for images of the shape of ``images`` ``(N, C, H, W)``."""
    generator, _ = build_networks(config, images.shape[2], images.shape[1], seed, device)
    load_weights(generator, folder / GENERATOR)
    return generator


def _load_classifier(folder: Path, images: Images) -> FeatureClassifier:
    classes = int(runs.read_json(folder / runs.RECORD)["classes"])
    classifier = FeatureClassifier(images.shape[2], images.shape[1], classes)
    load_weights(classifier, folder / WEIGHTS)
    return classifier
