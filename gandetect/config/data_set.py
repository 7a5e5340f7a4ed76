"""What a data set of small images with a name is, and the registry of those that there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gandetect.registry import Registry

Channels: TypeAlias = Literal[1, 3]
Part: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]  # (N, C, H, W), class numbers (N,)
Parts: TypeAlias = tuple[Part, Part]  # the training and the official test file
Notify: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class DataSet:
    """A data set of small images: its shape, its classes, and how its files are read.

    ``shape`` is the channels and the side in pixels that its images are taken in if an experiment
    says nothing else. ``read(data_dir, notify)`` brings them as its files have them, from the data
    folder or by a download that it tells of; a set without an official test file has no rows
    there. It raises `DataError` when the set cannot be had. An epoch has ``at_least`` so many
    training images, whatever is held out.
    """

    shape: tuple[Channels, int]
    classes: tuple[str, ...]
    read: Callable[[Path, Notify], Parts]
    at_least: int = 100


DATA_SETS: Registry[DataSet] = Registry(
    "data set",
    {
        "digits": "gandetect.data.sets.digits:DIGITS",
        "mnist": "gandetect.data.sets.mnist:MNIST",
        "kmnist": "gandetect.data.sets.mnist:KMNIST",
        "emnist": "gandetect.data.sets.mnist:EMNIST",
        "cifar-10": "gandetect.data.sets.cifar10:CIFAR_10",
        "svhn": "gandetect.data.sets.svhn:SVHN",
    },
    "gandetect.datasets",
    lambda thing: isinstance(thing, DataSet),
)
