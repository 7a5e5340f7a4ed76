"""The data stage of GAN studies: images with classes, split, and a proof of disjoint splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import ClassImagesConfig, PicturesConfig, SmallSetConfig
from gandetect.data import class_names, fashion_mnist
from gandetect.data import splits as splitting
from gandetect.data.class_images import ClassImages
from gandetect.data.held_out import resolve_held_out, resolve_selection
from gandetect.data.small_sets import load_small_set
from gandetect.engine import Context, Facts, Stage
from gandetect.errors import DataError
from gandetect.events import say, silent
from gandetect.sources.pictures import load_pictures
from gandetect.sources.pixel_cache import keep_pixels
from gandetect.sources.splits import (
    CALIBRATION,
    FACTS,
    FOLDER,
    HELD_OUT,
    IN_DISTRIBUTION,
    ROWS,
    OpenSplits,
    write_rows,
)

LEAST_FOR_FID = 2  # a covariance of one image is none
SAMPLED = 10  # images of each class that are kept for the report
SAMPLES = "samples.npz"
# Of real images to test and to calibrate on, as the scores call them: source, index, class_name.
CLASSES = "classes.parquet"


@dataclass(frozen=True)
class ClassData(Stage):
    """Load a data set with classes, split it, and prove with hashes that the splits are disjoint.

    Raises `DataError` when the data cannot be had and `UsageError` for held-out classes that make
    no sense.
    """

    config: ClassImagesConfig

    VERSION: ClassVar[int] = 4
    HERE: ClassVar[bool] = True
    PLACE: ClassVar = FOLDER
    TITLE: ClassVar = "Splitting {self.config.name}"

    def settings(self) -> Mapping[str, object]:
        """All of the table but the place of a folder, whose content counts."""
        unused = set() if self.config.validation else {"validation"}
        return {"config": self.config.model_dump(mode="json", exclude={"path", *unused})}

    def check(self, context: Context) -> None:
        """Refuse classes that the data set does not have, or that leave nothing to train on."""
        resolve_classes(self.config, context.data_dir)

    def outside(self, context: Context) -> object:
        """The digest of the images, whose pixels are in the cache from here on."""
        dataset = _load(self.config, context)
        keep_pixels(self.config.name, dataset, context.cache)
        return dataset.digest

    def run(self, context: Context) -> Facts:
        """Split, verify, and keep rows, facts and a few samples."""
        dataset = _load(self.config, replace(context, notify=silent))  # all was told before
        held_out, selection, validation = resolve_classes(self.config, context.data_dir)
        # Where thresholds have no file of their own.
        fraction = getattr(self.config, "calibration_fraction", 0.0) if dataset.one_file else 0.0
        splits = splitting.make_splits(
            dataset.train_labels,
            None if dataset.one_file else dataset.test_labels,
            held_out,
            groups=dataset.groups,
            calibration_fraction=fraction,
            test_fraction=self.config.test_fraction,
            seed=self.config.split_seed,
            max_images=self.config.max_images,
            selection=selection,
            validation=validation,
        )
        if not len(splits.held_out):
            raise DataError(
                "there is no image of the held-out classes in the data; see that their files are "
                "whole, or hold out others"
            )
        if len(splits.in_distribution) < LEAST_FOR_FID:
            raise DataError(
                f"the in-distribution test split has {len(splits.in_distribution)} image(s), and "
                f"FID needs at least {LEAST_FOR_FID}; give more images, or a larger test_fraction"
            )
        manifest = splitting.manifest(dataset, splits)
        splitting.verify_disjoint(manifest)
        if dataset.hashes is not None:
            _verify_pixels(manifest, dataset.hashes, dataset.route)
        folder = context.folder
        manifest.to_parquet(folder / "splits.parquet", index=False)
        write_rows(folder / ROWS, dataset, splits)
        pixels = keep_pixels(self.config.name, dataset, context.cache)
        opening = {"pixels": pixels, "official_test": not splits.one_file}
        runs.write_json(folder / FACTS, {"classes": list(dataset.classes), **opening})
        _keep_for_report(folder, dataset, splits)
        facts: Mapping[str, Any] = {
            "classes": list(dataset.classes),
            "held_out": [dataset.classes[number] for number in selection or held_out],
            "counts": splitting.counts(manifest),
            "duplicates": splitting.duplicates_across(manifest),
            "digest": dataset.digest,
            **dataset.facts,
        }
        if validation:
            facts = {**facts, "validation": [dataset.classes[number] for number in validation]}
        runs.write_json(folder / "data.json", facts)
        return {}

    def splits(self, context: Context) -> OpenSplits:
        """The splits that it has left."""
        return OpenSplits(context.of(self), context.cache)

    def shares(self, context: Context) -> list[Path]:
        pixels = runs.read_json(context.of(self) / FACTS)["pixels"]
        return [context.cache / pixels["folder"]]


def resolve_classes(
    config: ClassImagesConfig, data_dir: Path
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Numbers of the classes that are held out, of those in a selection, and in validation.

    Raises `UsageError` for classes that make no sense.
    """
    classes = class_names(config, data_dir)
    held_out = resolve_held_out(config.held_out, classes, data_set=config.name)
    selection = resolve_selection(config.selection, held_out, classes, config.name)
    untouched = *held_out, *selection
    validation = resolve_selection(config.validation, untouched, classes, config.name, "validation")
    return held_out, selection, validation


def _load(config: ClassImagesConfig, context: Context) -> ClassImages:
    def tell(message: str) -> None:
        say(context.notify, message)

    if isinstance(config, PicturesConfig):
        return load_pictures(
            config, context.data_dir, context.cache, workers=context.workers, notify=context.notify
        )
    if isinstance(config, SmallSetConfig):
        return load_small_set(config, context.data_dir, tell)
    return fashion_mnist.load(context.data_dir, notify=tell)


def _keep_for_report(folder: Path, dataset: ClassImages, splits: splitting.Splits) -> None:
    """A few images of each class, and the classes of all reals to test and to calibrate on."""
    labels, names = dataset.train_labels, np.array(dataset.classes)
    places = [np.flatnonzero(labels == label)[:SAMPLED] for label in range(len(names))]
    samples: dict[str, Any] = {str(n): dataset.train_images[rows] for n, rows in enumerate(places)}
    np.savez_compressed(folder / SAMPLES, allow_pickle=False, **samples)
    apart = labels if splits.one_file else dataset.test_labels
    scored = {
        IN_DISTRIBUTION: labels[splits.in_distribution],
        HELD_OUT: labels[splits.held_out],
        CALIBRATION: apart[splits.calibration],
    }
    parts = [
        {"source": f"real:{split}", "index": np.arange(len(of)), "class_name": names[of]}
        for split, of in scored.items()
    ]
    pd.concat(map(pd.DataFrame, parts)).to_parquet(folder / CLASSES, index=False)


def _verify_pixels(manifest: pd.DataFrame, written: Sequence[str], cache: str) -> None:
    """Raise `DataError` when stored pixels are not those that were written."""
    expected = np.asarray(written, dtype=object)[manifest["index"]]
    changed = int((manifest["sha256"].to_numpy(dtype=object) != expected).sum())
    if changed:
        raise DataError(
            f"{changed:,} of {len(manifest):,} decoded pictures in {cache!r} are not those that "
            "were written; remove that folder, and they are decoded afresh"
        )
