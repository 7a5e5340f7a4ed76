"""Shared by all stages that score images: a source's scores, their rows, and progress."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect.detectors.protocol import Detector
from gandetect.events import Notify
from gandetect.sources import ImageSet, Indices
from gandetect.stages.trained import Trained

Pixels = NDArray[np.uint8]
Augment = Callable[[Pixels, Indices, Indices], Pixels]  # images, copies of them, their rows
CHUNK = 2000  # images of 28 x 28 in memory at a time
SCORES = "scores.parquet"


def ticker(total: int, notify: Notify) -> Callable[[int], None]:
    """Tell how many of so many images are scored, and at which rate, each time it is called."""
    started, done = perf_counter(), 0

    def tick(scored: int) -> None:
        nonlocal done
        done += scored
        rate = done / (perf_counter() - started)
        notify({"event": "step", "done": done, "total": total, "images_per_second": rate})

    return tick


def score_images(
    detector: Detector,
    images: ImageSet,
    tick: Callable[[int], None] = lambda _: None,
    augment: Augment | None = None,
) -> NDArray[np.float64]:
    """Score images in order, a chunk at a time: ``(M,)`` log-odds.

    ``augment`` makes the configured copies.
    """
    pixels, rows = images.array(), images.all_rows()
    scores = np.empty(len(rows))
    chunk = max(1, CHUNK * 28 * 28 // max(pixels.shape[2], 28) ** 2)
    chunk = min(chunk, detector.at_once or chunk)
    for start in range(0, len(rows), chunk):
        chosen = rows[start : start + chunk]
        part: Pixels = np.asarray(pixels[chosen])
        if images.copies is not None and augment is not None:
            part = augment(part, images.copies[start : start + chunk], chosen)
        scores[start : start + chunk] = detector.decision_function(part)
        tick(len(part))
    return scores


def tidy_scores(
    trained: Trained,
    source: str,
    source_seed: int,
    images: ImageSet,
    scores: NDArray[np.float64],
    **columns: object,
) -> pd.DataFrame:
    """Rows of `scores.parquet` but for the epoch, and whatever further columns there are."""
    return pd.DataFrame(
        {
            "detector": trained.config.name,
            "detector_seed": trained.seed,
            "epoch": 0,
            "source": source,
            "source_seed": source_seed,
            "label": source.partition(":")[0],
            "index": images.indices(),
            "score": scores.astype(np.float32),
            **columns,
        }
    )
