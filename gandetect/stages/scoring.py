"""What all stages that score images share: a source's scores, their rows, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect.config import ClassifierConfig, DetectorConfig, GanConfig
from gandetect.detectors import Detector
from gandetect.events import Notify
from gandetect.sources import ImageSet, Indices
from gandetect.training.augmentation import fixed_copy

Trained = GanConfig | ClassifierConfig | DetectorConfig
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
    config: Trained,
    tick: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Score images in order, a chunk at a time: ``(M,)`` log-odds."""
    pixels, rows = images.array(), images.all_rows()
    scores = np.empty(len(rows))
    chunk = max(1, CHUNK * 28 * 28 // max(pixels.shape[2], 28) ** 2)
    for start in range(0, len(rows), chunk):
        chosen = rows[start : start + chunk]
        part = np.asarray(pixels[chosen])
        if images.copies is not None and isinstance(config, ClassifierConfig):
            copies = images.copies[start : start + chunk].tolist()
            augmentation, size = config.augmentation, config.image_size
            part = np.stack(
                [
                    fixed_copy(image, copy, row, augmentation, size)
                    for image, copy, row in zip(part, copies, chosen.tolist(), strict=True)
                ]
            )
        scores[start : start + chunk] = detector.decision_function(part)
        tick(len(part))
    return scores


def tidy_scores(
    name: str, seed: int, source: str, index: Indices, scores: NDArray[np.float64]
) -> pd.DataFrame:
    """Rows of `scores.parquet`, but for the epoch."""
    kind = source.partition(":")[0]
    return pd.DataFrame(
        {
            "detector": name,
            "detector_seed": seed,
            "epoch": 0,
            "source": source,
            "source_seed": seed if kind == "generated" else 0,
            "label": kind,
            "index": index,
            "score": scores.astype(np.float32),
        }
    )
