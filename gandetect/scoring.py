"""Scores files and folders with a saved detector: streaming, in constant memory."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TextIO

import numpy as np

from gandetect.data.images import find_images, read_image
from gandetect.detectors import Detector
from gandetect.errors import DataError

BATCH = 64


@dataclass(frozen=True)
class ScoredImage:
    """One line of the answer; ``error`` says why an image has no score."""

    path: str
    score: float | None
    probability: float | None
    verdict: str | None
    error: str | None = None


def score_paths(
    detector: Detector, paths: Sequence[Path], operating_point: str = "native"
) -> Iterator[ScoredImage]:
    """Score image files and folders in order, one `ScoredImage` each, a batch at a time.

    A file that cannot be read becomes a line with its error and never a score. A path that does
    not exist, or a folder without images, raises `DataError`.
    """
    threshold = detector.threshold(operating_point)
    for batch in _batched(find_images(paths)):
        yield from _score_batch(detector, batch, threshold)


def write_scores(
    scored: Iterable[ScoredImage], stream: TextIO, form: Literal["csv", "jsonl"]
) -> tuple[int, int]:
    """Write lines as they come; returns how many images were scored and how many failed."""
    columns = list(ScoredImage.__dataclass_fields__)
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    if form == "csv":
        writer.writeheader()
    right = wrong = 0
    for line in scored:
        right, wrong = right + (line.error is None), wrong + (line.error is not None)
        if form == "csv":
            writer.writerow(asdict(line))
        else:
            stream.write(json.dumps(asdict(line)) + "\n")
    return right, wrong


def _score_batch(
    detector: Detector, paths: Sequence[Path], threshold: float
) -> Iterator[ScoredImage]:
    preprocessing = detector.description.preprocessing
    images, errors = [], {}
    for path in paths:
        try:
            image = read_image(
                path,
                channels=preprocessing.channels,
                size=preprocessing.image_size,
                fit=preprocessing.fit,
                background=preprocessing.background,
            )
            images.append(image)
        except DataError as error:
            errors[path] = str(error)
    scores = iter(detector.decision_function(np.stack(images)).tolist() if images else [])
    for path in paths:
        name = str(path).encode(errors="replace").decode()
        if path in errors:
            yield ScoredImage(name, None, None, None, errors[path])
            continue
        score: float = next(scores)
        verdict = "generated" if score > threshold else "real"
        yield ScoredImage(name, round(score, 6), round(_logistic(score), 6), verdict)


def _logistic(score: float) -> float:
    return 1.0 / (1.0 + math.exp(-score)) if score > -700 else 0.0


def _batched(paths: Iterable[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    for path in paths:
        batch.append(path)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
