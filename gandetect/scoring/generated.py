"""Writes images that a generator has drawn: PNG files or one Parquet file, and their scores."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gandetect import runs
from gandetect.data.parquet import BYTES, PATH
from gandetect.data.picture import picture_from
from gandetect.data.streaming import BATCH, decode_array
from gandetect.detectors.protocol import Detector
from gandetect.errors import RunError
from gandetect.scoring.paths import ScoredImage, cuts_at, decode_options, score_batch
from gandetect.scoring.writing import write_scores

TABLE, SCORES = "images.parquet", "scores.csv"
OURS = re.compile(rf"[0-9]{{6,}}\.png|{TABLE}|{SCORES}")
Pixels = NDArray[np.uint8]


def require_free(target: Path, force: bool) -> None:
    """Raise `RunError` where something stands that must not be overwritten.

    With ``force`` a file may be, and a folder that holds only what `write_generated` writes.
    """
    others = [one.name for one in target.iterdir()] if target.is_dir() else []
    if force:
        others = [name for name in others if not OURS.fullmatch(name)]
        if others:
            raise RunError(
                f"{str(target)!r} also holds other files, such as {others[0]!r}, which would be "
                "lost; give another folder"
            )
    elif others or target.is_file():
        raise RunError(f"{str(target)!r} exists already; give another name, or --force")


def write_generated(
    images: Pixels,
    out: Path,
    form: Literal["png", "parquet"] = "png",
    detector: Detector | None = None,
) -> list[Path]:
    """Write images ``(N, C, H, W)`` into a folder, as a whole or not at all; returns the files.

    They are named by their numbers, in a Parquet file too. With a detector ``scores.csv`` has a
    line for each. What stood in the folder goes.
    """
    names = [f"{number:06d}.png" for number in range(len(images))]
    with runs.atomic_folder(out) as folder:
        if form == "png":
            for name, image in zip(names, images, strict=True):
                (folder / name).write_bytes(_png(image))
        else:
            table = pa.table({PATH: names, BYTES: pa.array(map(_png, images), pa.binary())})
            pq.write_table(table, folder / TABLE)
        if detector is not None:
            with (folder / SCORES).open("w", encoding="utf-8") as file:
                write_scores(_scored(detector, names, images), file, "csv")
    return sorted(out.iterdir())


def _scored(detector: Detector, names: Sequence[str], images: Pixels) -> Iterator[ScoredImage]:
    options, native = decode_options(detector), cuts_at(detector, "native")
    for start in range(0, len(images), BATCH):
        part = zip(names[start : start + BATCH], images[start : start + BATCH], strict=True)
        batch = [decode_array(Path(name), image, options) for name, image in part]
        yield from score_batch(detector, batch, native)


def _png(image: Pixels) -> bytes:
    stream = io.BytesIO()
    picture_from(image).save(stream, format="png")
    return stream.getvalue()
