"""The images of a GAN study by use, and the proof that the splits do not overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gandetect import runs
from gandetect.config import FashionMnistConfig, digest_of
from gandetect.config.sweep import one_choice
from gandetect.data import DATASETS
from gandetect.data import splits as splitting
from gandetect.data.fashion_mnist import FashionMnist, resolve_data_dir


@dataclass(frozen=True)
class SplitImages:
    """The images of a study by what they are used for, ``(N, C, H, W) uint8`` each."""

    digest: str
    classes: tuple[str, ...]
    training: np.ndarray[Any, np.dtype[np.uint8]]
    in_distribution: np.ndarray[Any, np.dtype[np.uint8]]
    in_distribution_labels: np.ndarray[Any, np.dtype[np.int64]]
    held_out: np.ndarray[Any, np.dtype[np.uint8]]
    calibration: np.ndarray[Any, np.dtype[np.uint8]]
    labelled: np.ndarray[Any, np.dtype[np.uint8]]
    labelled_labels: np.ndarray[Any, np.dtype[np.int64]]


def prepare_images(
    config: FashionMnistConfig,
    folder: Path,
    *,
    version: int,
    data_dir: Path | None,
    notify: Callable[[str], None],
) -> SplitImages:
    """Load a data set, split it, and keep in ``folder`` the manifest that proves the splits.

    ``version`` is the stage's, part of its digest. Raises `DataError` when the data cannot be had
    and `UsageError` for held-out classes that make no sense.
    """
    dataset = DATASETS[config.name](resolve_data_dir(data_dir), notify=notify)
    held_out = splitting.resolve_held_out(one_choice(config), dataset.classes)
    selection = splitting.resolve_selection(config.selection, held_out, dataset.classes)
    splits = splitting.make_splits(
        dataset.train_labels,
        dataset.test_labels,
        held_out,
        test_fraction=config.test_fraction,
        seed=config.split_seed,
        images=config.images,
        selection=selection,
    )
    digest = digest_of(["data", version, config.identity(), dataset.digest])
    labelled = np.concatenate([splits.train, splits.held_out])
    if runs.problem_with(folder, digest) is not None:
        _write_data(folder, digest, dataset, splits, selection or held_out)
    return SplitImages(
        digest=digest,
        classes=dataset.classes,
        training=dataset.train_images[splits.train],
        in_distribution=dataset.train_images[splits.in_distribution],
        in_distribution_labels=dataset.train_labels[splits.in_distribution],
        held_out=dataset.train_images[splits.held_out],
        calibration=dataset.test_images[splits.calibration],
        labelled=dataset.train_images[labelled],
        labelled_labels=dataset.train_labels[labelled],
    )


def _write_data(
    folder: Path,
    digest: str,
    dataset: FashionMnist,
    splits: splitting.Splits,
    held_out: tuple[int, ...],
) -> None:
    manifest = splitting.manifest(dataset, splits)
    splitting.verify_disjoint(manifest)
    samples: dict[str, Any] = {
        str(number): dataset.train_images[np.flatnonzero(dataset.train_labels == number)[:10]]
        for number in range(len(dataset.classes))
    }
    with runs.atomic_folder(folder) as fresh:
        manifest.to_parquet(fresh / "splits.parquet", index=False)
        np.savez_compressed(fresh / "samples.npz", **samples)
        facts = {
            "classes": list(dataset.classes),
            "held_out": [dataset.classes[number] for number in held_out],
            "counts": splitting.counts(manifest),
            "duplicates": splitting.duplicates_across(manifest),
            "digest": dataset.digest,
        }
        runs.write_json(fresh / "data.json", facts)
        runs.write_record(fresh, digest, ["splits.parquet", "samples.npz", "data.json"])
