"""MNIST and two sets in its format: Kuzushiji-MNIST, and EMNIST's balanced split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gandetect.config.data_set import DataSet, Notify, Part, Parts
from gandetect.data.sets.downloads import had_or_downloaded


def _data_set(
    name: str, classes: tuple[str, ...], at_least: int, *, on_its_side: bool = False, **options: str
) -> DataSet:
    """A set whose files torchvision reads, 28 x 28 grey."""

    def part(root: Path, split: str, download: bool) -> Part:
        from torchvision import datasets

        kind = getattr(datasets, name.upper())
        stored = kind(root=root, train=split == "train", download=download, **options)
        images = stored.data.numpy()
        if on_its_side:
            images = images.transpose(0, 2, 1)
        return images[:, None], stored.targets.numpy().astype(np.int64)

    def read(data_dir: Path, notify: Notify) -> Parts:
        return had_or_downloaded(name, part, data_dir, notify)

    return DataSet((1, 28), classes, read, at_least)


KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
LETTERS = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt")

MNIST = _data_set("mnist", tuple("0123456789"), 30_000)
KMNIST = _data_set("kmnist", KANA, 30_000)
EMNIST = _data_set("emnist", LETTERS, 50_000, on_its_side=True, split="balanced")
