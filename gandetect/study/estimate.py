"""Refuses, before it starts, a study that would take longer than a year or more disk than is free.

The estimates are rough and on the low side, so what is refused could not have been done. Speeds
are what one core does at best, some three times what README measures; parts that cost little
(scoring, the report) and files that are small count as nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gandetect import machine
from gandetect.config import ARCHITECTURES, ClassifierConfig, ClassImagesConfig, GanConfig
from gandetect.errors import UsageError, shown

if TYPE_CHECKING:
    from gandetect.study.plan import Study

YEAR = 365 * 86400.0
CLASSIFIER_AT_BEST = 3000  # images of 28 px a second, on one core
CORES_OF_A_GPU = 200
LEAST_IMAGES = 100  # of an epoch, where only reading the data would tell
SPARE = 64 << 20  # bytes of disk that stay free


def require_feasible(study: Study) -> None:
    """Raise `UsageError` for more than a year of training, or more bytes than the disk has free."""
    seconds = dict(_trainings(study))
    total = max(seconds.values(), default=0.0) if study.cluster else sum(seconds.values())
    if total > YEAR:
        name = max(seconds, key=lambda one: seconds[one])
        raise UsageError(
            f"training {shown(name)} and all others would take about {total / YEAR:,.1f} years at "
            f"least on this machine ({study.context.device}; a rough, low estimate); give fewer "
            "epochs, steps, images or seeds"
        )
    needed = _bytes(study)
    place = next(one for one in (study.folder, *study.folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free - SPARE
    if needed > free and needed > free + _size_of(study.folder):
        raise UsageError(
            f"the study would need about {needed / 1e9:,.1f} GB in {shown(str(study.folder))}, and "
            f"{max(free, 0) / 1e9:,.1f} GB are free (a rough, low estimate); give fewer epochs, "
            "generated images or seeds, or another --out"
        )


def _trainings(study: Study) -> Iterator[tuple[str, float]]:
    """Seconds of each training, with all its seeds, if all cores worked on it."""
    experiment = study.experiment
    cores = CORES_OF_A_GPU if study.context.device != "cpu" else machine.cores()
    scale = _side(study) ** 2 / 28**2 / cores * len(experiment.seeds)
    for gan in experiment.gans:
        yield gan.name, _images_of(study, gan) * scale / ARCHITECTURES[gan.architecture].speed
    architectures = {gan.name: gan.architecture for gan in experiment.gans}
    for one in experiment.detectors:
        if one.images_trained_on:
            speed = ARCHITECTURES[architectures[one.made_of[0]]].speed
            yield one.name, one.images_trained_on * scale / speed
    for classifier in experiment.classifiers:
        yield classifier.name, _classifier_seconds(study, classifier, cores)


def _images_of(study: Study, gan: GanConfig) -> float:
    steps = gan.steps_per_epoch
    per_epoch = _training_images(study) if steps is None else steps * gan.batch_size
    return float(gan.epochs) * per_epoch * gan.critic_steps


def _classifier_seconds(study: Study, one: ClassifierConfig, cores: int) -> float:
    images = one.images or LEAST_IMAGES
    seen = min(images, _training_images(study)) * one.epochs * max(1, one.copies)
    speed = CLASSIFIER_AT_BEST * cores * 28**2 / one.image_size**2
    return seen * len(study.experiment.seeds) / speed


def _training_images(study: Study) -> int:
    """Images of an epoch, as far as it can be known without reading the data."""
    data = study.experiment.data
    there = data.least_images if isinstance(data, ClassImagesConfig) else LEAST_IMAGES
    return min(data.images // 2, there) if data.images else there


def _bytes(study: Study) -> float:
    """What generated images and the networks of each epoch of each GAN take."""
    data, evaluation = study.experiment.data, study.experiment.evaluation
    if not isinstance(data, ClassImagesConfig):
        return 0.0
    channels, side = data.shape
    drawn = max(evaluation.own_generated or 0, evaluation.other_generated) * channels * side**2
    seeds = len(study.experiment.seeds)
    return sum(
        float(seeds) * (drawn + gan.epochs * _network_bytes(gan, side, channels))
        for gan in study.experiment.gans
    )


def _network_bytes(gan: GanConfig, side: int, channels: int) -> int:
    """Bytes of a GAN's two networks, without making them."""
    architecture = ARCHITECTURES[gan.architecture]
    networks: tuple[torch.nn.Module, ...]
    with torch.device("meta"):
        networks = architecture.generator(side, channels), architecture.partner(side, channels)
    return 4 * sum(one.numel() for network in networks for one in network.parameters())


def _size_of(folder: Path) -> int:
    """Bytes that stand in a run folder already."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _side(study: Study) -> int:
    data = study.experiment.data
    return data.shape[1] if isinstance(data, ClassImagesConfig) else 28
