"""Pixels of data sets by name, kept once for all studies as files that are mapped into memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gandetect import runs
from gandetect.data.class_images import ClassImages
from gandetect.data.stored import Images, StoredImages
from gandetect.errors import DataError

PARTS = ("train", "test")


def cache_folder(data_dir: Path) -> Path:
    """Where decoded pixels are kept: GANDETECT_CACHE_DIR, else ``cache`` in the data folder."""
    return Path(os.environ.get("GANDETECT_CACHE_DIR") or data_dir / "cache")


def keep_pixels(name: str, dataset: ClassImages, cache: Path) -> Mapping[str, object]:
    """Keep the pixels of a data set in ``cache``; returns what `open_pixels` wants to know.

    Pictures that were decoded into the cache are there already. Raises `DataError` when the cache
    cannot be written.
    """
    if isinstance(dataset.train_images, StoredImages):
        file = dataset.train_images.file
        return {"folder": file.parent.name, "train": file.name, "on_disk": True}
    place = cache / f"{name}-{dataset.digest[:12]}"
    try:
        if runs.problem_with(place, dataset.digest) is not None:
            with runs.atomic_folder(place) as fresh:
                np.save(fresh / "train.npy", dataset.train_images[:], allow_pickle=False)
                np.save(fresh / "test.npy", dataset.test_images[:], allow_pickle=False)
                runs.write_record(fresh, dataset.digest, [f"{part}.npy" for part in PARTS])
    except OSError as error:
        raise DataError(
            f"pixels of {name} cannot be kept in {str(cache)!r} ({error.strerror or error}); set "
            "GANDETECT_CACHE_DIR to a folder with room for them"
        ) from None
    return {"folder": place.name, **{part: f"{part}.npy" for part in PARTS}, "on_disk": False}


def open_pixels(cache: Path, pixels: Mapping[str, object], part: str) -> Images:
    """All images of a ``part``, "train" or "test", of what `keep_pixels` has kept."""
    file = cache / str(pixels["folder"]) / str(pixels[part])
    if not file.is_file():
        raise DataError(
            f"{str(file)!r} is missing; the same command makes it afresh when the study is started"
        )
    if pixels["on_disk"]:
        return StoredImages(file)
    mapped: Images = np.load(file, mmap_mode="r", allow_pickle=False)
    return mapped
