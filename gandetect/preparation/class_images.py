"""The images of a GAN study by use, and the proof that the splits do not overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import (
    ClassImagesConfig,
    PicturesConfig,
    SmallSetConfig,
    digest_of,
)
from gandetect.config.class_images import Fit
from gandetect.config.sweep import one_choice
from gandetect.data import class_names, fashion_mnist
from gandetect.data import splits as splitting
from gandetect.data.class_images import ClassImages
from gandetect.data.pool_splits import make_pool_splits
from gandetect.data.small_sets import load_small_set
from gandetect.data.stored import Images, take
from gandetect.errors import DataError
from gandetect.preparation.pictures import load_pictures
from gandetect.progress import Listener

Labels = NDArray[np.int64]
LEAST_FOR_FID = 2  # a covariance of one image is none


@dataclass(frozen=True)
class SplitImages:
    """The images of a study by what they are used for, ``(N, C, H, W) uint8`` each."""

    digest: str
    classes: tuple[str, ...]
    training: Images
    in_distribution: Images
    in_distribution_labels: Labels
    held_out: Images
    calibration: Images
    labelled: Images
    labelled_labels: Labels
    fit: Fit = "pad"  # how a picture of another shape becomes such an image


def prepare_images(
    config: ClassImagesConfig,
    folder: Path,
    *,
    version: int,
    data_dir: Path,
    workers: int,
    listener: Listener,
) -> SplitImages:
    """Load a data set, split it, and keep in ``folder`` the manifest that proves the splits.

    ``version`` is the stage's, part of its digest. Raises `DataError` when the data cannot be had
    and `UsageError` for held-out classes that make no sense.
    """
    held_out, selection = resolve_classes(config, class_names(config, data_dir))
    dataset = _load(config, data_dir, workers, listener)
    splits = _split(config, dataset, held_out, selection)
    identity = config.model_copy(update={"path": ""}) if config.name == "folder" else config
    if not len(splits.held_out):
        raise DataError(
            "there is no image of the held-out classes in the data; see that their files are "
            "whole, or hold out others"
        )
    if len(splits.in_distribution) < LEAST_FOR_FID:
        raise DataError(
            f"the in-distribution test split has {len(splits.in_distribution)} image(s), and FID "
            f"needs at least {LEAST_FOR_FID}; give more images, or a larger test_fraction"
        )
    digest = digest_of(["data", version, identity.identity(), dataset.digest])
    labelled = np.concatenate([splits.train, splits.held_out])
    if runs.problem_with(folder, digest) is not None:
        _write_data(folder, digest, dataset, splits, selection or held_out)
    calibration = dataset.train_images if splits.one_file else dataset.test_images
    return SplitImages(
        digest=digest,
        classes=dataset.classes,
        training=take(dataset.train_images, splits.train),
        in_distribution=take(dataset.train_images, splits.in_distribution),
        in_distribution_labels=dataset.train_labels[splits.in_distribution],
        held_out=take(dataset.train_images, splits.held_out),
        calibration=take(calibration, splits.calibration),
        labelled=take(dataset.train_images, labelled),
        labelled_labels=dataset.train_labels[labelled],
        fit=(isinstance(config, PicturesConfig) and config.fit) or "pad",
    )


def resolve_classes(
    config: ClassImagesConfig, classes: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the classes that are held out, and of those in a selection.

    Raises `UsageError` for classes that make no sense, and for a sweep.
    """
    held_out = splitting.resolve_held_out(one_choice(config), classes, data_set=config.name)
    selection = splitting.resolve_selection(config.selection, held_out, classes, config.name)
    return held_out, selection


def _load(
    config: ClassImagesConfig, data_dir: Path, workers: int, listener: Listener
) -> ClassImages:
    if isinstance(config, PicturesConfig):
        return load_pictures(config, data_dir, workers=workers, listener=listener)
    if isinstance(config, SmallSetConfig):
        return load_small_set(config, data_dir, listener.say)
    return fashion_mnist.load(data_dir, notify=listener.say)


def _split(
    config: ClassImagesConfig,
    dataset: ClassImages,
    held_out: tuple[int, ...],
    selection: tuple[int, ...],
) -> splitting.Splits:
    common: dict[str, Any] = {
        "test_fraction": config.test_fraction,
        "seed": config.split_seed,
        "images": config.images,
        "selection": selection,
    }
    if not dataset.one_file:
        labels = dataset.train_labels, dataset.test_labels
        return splitting.make_splits(*labels, held_out, **common)
    assert isinstance(config, SmallSetConfig | PicturesConfig)
    return make_pool_splits(
        dataset.train_labels,
        held_out,
        groups=dataset.groups,
        calibration_fraction=config.calibration_fraction,
        **common,
    )


def _write_data(
    folder: Path,
    digest: str,
    dataset: ClassImages,
    splits: splitting.Splits,
    held_out: tuple[int, ...],
) -> None:
    manifest = splitting.manifest(dataset, splits)
    splitting.verify_disjoint(manifest)
    if dataset.hashes is not None:
        _verify_pixels(manifest, dataset.hashes, dataset.route)
    samples: dict[str, Any] = {
        str(number): dataset.train_images[np.flatnonzero(dataset.train_labels == number)[:10]]
        for number in range(len(dataset.classes))
    }
    with runs.atomic_folder(folder) as fresh:
        manifest.to_parquet(fresh / "splits.parquet", index=False)
        np.savez_compressed(fresh / "samples.npz", **samples)
        facts: Mapping[str, Any] = {
            "classes": list(dataset.classes),
            "held_out": [dataset.classes[number] for number in held_out],
            "counts": splitting.counts(manifest),
            "duplicates": splitting.duplicates_across(manifest),
            "digest": dataset.digest,
            **dataset.facts,
        }
        runs.write_json(fresh / "data.json", facts)
        runs.write_record(fresh, digest, ["splits.parquet", "samples.npz", "data.json"])


def _verify_pixels(manifest: pd.DataFrame, written: Sequence[str], cache: str) -> None:
    """Raise `DataError` when stored pixels are not those that were written."""
    expected = np.asarray(written, dtype=object)[manifest["index"]]
    changed = int((manifest["sha256"].to_numpy(dtype=object) != expected).sum())
    if changed:
        raise DataError(
            f"{changed:,} of {len(manifest):,} decoded pictures in {cache!r} are not those that "
            "were written; remove that folder, and they are decoded afresh"
        )
