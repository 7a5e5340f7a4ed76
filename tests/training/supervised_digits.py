"""Small trainings of classifiers: digits as real images, the same blurred as generated."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from gandetect.config.classifier import ClassifierConfig
from gandetect.training.examples import Examples
from gandetect.training.supervised import train_classifier

CPU = torch.device("cpu")
TIMES = ("seconds", "images_per_second")


def blurred_digits() -> tuple[Examples, Examples]:
    """Handwritten digits at 16 px as reals, the same blurred as generated; train, validation."""
    real = np.kron(load_digits().images[:400], np.ones((2, 2))) / 16 * 255
    blurred = gaussian_filter(real, sigma=(0, 1, 1))
    images = np.concatenate([real, blurred]).round().astype(np.uint8)[:, None]
    label = np.repeat(np.array([0, 1]), 400)
    examples = Examples(images, np.arange(800), label, np.zeros(800, dtype=np.int64))
    rows = np.random.default_rng(0).permutation(400)
    train, validation = rows[:300], rows[300:]
    return (
        examples.take(np.concatenate([train, train + 400])),
        examples.take(np.concatenate([validation, validation + 400])),
    )


def configure(**keys: Any) -> ClassifierConfig:
    small = {"recipe": "cnn-small", "image_size": 16, "epochs": 1, "batch_size": 32}
    return ClassifierConfig.model_validate({**small, **keys})


def few(examples: Examples, each: int = 24) -> Examples:
    return examples.capped(each, seed=5)


def train(
    config: ClassifierConfig,
    examples: tuple[Examples, Examples],
    folder: Path,
    notify: Any = lambda event: None,
    seed: int = 0,
) -> torch.nn.Module:
    return train_classifier(config, *examples, folder, seed=seed, device=CPU, notify=notify)


def read_history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def column(folder: Path, name: str) -> list[float]:
    return [float(row[name]) for row in read_history(folder)]
