"""Before a study starts: how long it takes here, and whether it could ever end or fit.

What would take longer than a year, or more disk than is free, is refused. Those estimates are rough
and on the low side, so what is refused could not have been done: parts that cost little (scoring,
the report) and files that are small count as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch

from gandetect import machine
from gandetect.config import (
    ARCHITECTURES,
    ClassImagesConfig,
    Experiment,
    PicturesConfig,
)
from gandetect.config.features import OWN
from gandetect.engine import Plan, Stage, remaining
from gandetect.errors import UsageError
from gandetect.stages.classifier import TrainClassifier
from gandetect.stages.gan import DrawImages, TrainGan
from gandetect.stages.post_hoc import MakeDetector

if TYPE_CHECKING:
    from gandetect.study.plan import Study

YEAR = 365 * 86400.0
AT_BEST = 3.0  # times as fast as stages are reckoned with
CORES_OF_A_GPU = 200
# Weights of stages are seconds on a core of so many FLOP/s in float32 matrix products; n threads
# count as n to that power. What bf16 brings is left out: only the GANs gain by it, by far less than
# matrix products do.
RECKONED, OF_THREADS = 150e9, 0.7


def duration_line(studies: Sequence[Study], plans: Sequence[Plan]) -> str | None:
    """How long the plans of a study, or of its variants, take here, in words for the start.

    None where it is not known before the images are read, or on which machine they run, and where
    nothing is left to do.
    """
    here = [one.cluster is None and one.context.device == "cpu" for one in studies]
    if not all(here) or not all(_is_predictable(one.experiment) for one in studies):
        return None
    work, chain = remaining(plans)
    if not work:
        return None
    jobs = max(one.context.jobs for one in studies)
    threads = studies[0].context.threads
    speed = machine.matrix_speed(jobs * threads) * threads**OF_THREADS
    seconds = max(work / jobs, chain) * RECKONED / speed
    return f"It will take {in_words(seconds)} on this machine, if nothing else runs on it"


def in_words(seconds: float) -> str:
    """A rough duration.

    >>> in_words(40), in_words(840), in_words(3 * 3600)
    ('about a minute', 'about 14 minutes', 'about 3 hours')
    """
    minutes = max(1, round(seconds / 60))
    if minutes == 1:
        return "about a minute"
    return f"about {minutes} minutes" if minutes < 100 else f"about {round(minutes / 60)} hours"


def _is_predictable(experiment: Experiment) -> bool:
    """Whether the file says how many images each stage takes, for networks of known speed."""
    data = experiment.data
    return (
        isinstance(data, ClassImagesConfig)
        and not isinstance(data, PicturesConfig)
        and not experiment.sources
        and all(one.images_trained_on is not None for one in experiment.detectors)
        and set(experiment.quality.features) == {OWN}
        and all(one.network == "cnn-small" for one in experiment.classifiers)
    )


def require_feasible(study: Study) -> None:
    """Raise `UsageError` for more than a year of training, or more bytes than the disk has free."""
    cores = CORES_OF_A_GPU if study.context.device != "cpu" else machine.cores()
    stages = study.plan("report").stages()
    trained = TrainGan | TrainClassifier | MakeDetector
    trainings = [stage for stage in stages if isinstance(stage, trained)]
    weights = [stage.weight / cores / AT_BEST for stage in trainings]
    total = max(weights, default=0.0) if study.cluster else sum(weights)
    if total > YEAR:
        longest = trainings[weights.index(max(weights))]
        raise UsageError(
            f"{longest.title} and all other trainings would take about {total / YEAR:,.1f} years "
            f"at least on this machine ({study.context.device}; a rough, low estimate); give fewer "
            "epochs, steps, images or seeds"
        )
    there = sum(path.stat().st_size for path in study.folder.rglob("*") if path.is_file())
    machine.require_room(
        study.folder,
        sum(map(_bytes, stages)) - there,
        "the study (a rough, low estimate)",
        "give fewer epochs, generated images or seeds, or another --out",
    )


def _bytes(stage: Stage) -> int:
    """What generated images, and the networks of each epoch of a GAN, take."""
    if isinstance(stage, DrawImages):
        channels, side = stage.gan.data.config.shape
        return stage.count * channels * side**2
    if isinstance(stage, TrainGan):
        channels, side = stage.data.config.shape
        return stage.config.epochs * _network_bytes(stage.config.architecture, side, channels)
    return 0


@cache
def _network_bytes(name: str, side: int, channels: int) -> int:
    """Bytes of an architecture's networks, without making them."""
    architecture = ARCHITECTURES[name]
    with torch.device("meta"):
        built = [architecture.build(name, side, channels) for name in architecture.networks]
    return 4 * sum(parameter.numel() for parameter in torch.nn.ModuleList(built).parameters())
