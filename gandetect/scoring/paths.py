"""Scores image files and folders in order, a batch at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from scipy.special import expit

from gandetect.data.found import written
from gandetect.data.streaming import Decoded, DecodeOptions, Tell, decode_batches
from gandetect.detectors.protocol import Detector

# The operating point of a verdict, or two between which it is "unsure".
Point: TypeAlias = str | tuple[str, str]


@dataclass(frozen=True)
class ScoredImage:
    """One line of the answer; ``error`` says why an image has no score.

    ``conversion`` says what was done to a picture that is not as the detector takes it, as in
    ``RGB 640x480 to grey 28x28, pad``; it is empty for one that is.
    ``remark`` is on metadata that are broken or large, which change no score; it is no column.
    """

    path: str
    score: float | None
    probability: float | None
    verdict: str | None
    error: str | None = None
    conversion: str = ""
    remark: str = ""


def score_paths(
    detector: Detector,
    paths: Iterable[str | Path],
    operating_point: Point = "native",
    workers: int = 1,
    *,
    strict: bool = False,
    tell: Tell = lambda found: None,
) -> Generator[ScoredImage, None, None]:
    """Score image files and folders in order, one `ScoredImage` each, a batch at a time.

    What cannot be scored becomes a line with its error and never a score: a damaged file, a path
    that does not exist, a folder without images, and with ``strict`` a picture that would have to
    be converted first. ``tell`` hears of every file of a folder that is no picture. With
    ``workers`` above 1 so many processes decode many files ahead, with the same lines as the
    answer; a script that asks for them needs an ``if __name__ == "__main__"``, and does well to
    call `gandetect.machine.wait_asleep` before torch is imported, as the command line does. No
    worker outlives the generator: close it when you leave it early. Raises `UsageError` for an
    unknown operating point, before anything is read, and `WorkerError` when a worker is killed.
    """
    cuts = cuts_at(detector, operating_point)
    return _score_all(
        detector,
        cuts,
        decode_batches(map(Path, paths), decode_options(detector, strict), workers, tell),
    )


def cuts_at(detector: Detector, point: Point) -> tuple[float, float]:
    """The thresholds of a verdict: the same twice, or two with "unsure" between them."""
    if isinstance(point, str):
        return (detector.threshold(point),) * 2
    return detector.unsure_between(point)


def decode_options(detector: Detector, strict: bool = False) -> DecodeOptions:
    """How files become what a detector takes."""
    expected = detector.description.preprocessing
    return DecodeOptions(
        expected.channels, expected.image_size, expected.fit, expected.background, strict
    )


def score_batch(
    detector: Detector, batch: Sequence[Decoded], cuts: tuple[float, float]
) -> Iterator[ScoredImage]:
    """Score decoded files, one line each, in order; the verdict is by the thresholds."""
    low, high = cuts
    images = [decoded.pixels for decoded in batch if decoded.pixels is not None]
    scores = iter(detector.decision_function(np.stack(images)).tolist() if images else [])
    for decoded in batch:
        name = written(decoded.path)
        if decoded.pixels is None:
            yield ScoredImage(name, None, None, None, decoded.error)
            continue
        score: float = next(scores)
        verdict = "generated" if score > high else "unsure" if score > low else "real"
        probability = round(float(expit(score)), 6)
        yield ScoredImage(
            name, round(score, 6), probability, verdict, None, decoded.conversion, decoded.remark
        )


def _score_all(
    detector: Detector, cuts: tuple[float, float], decoded: Generator[list[Decoded], None, None]
) -> Generator[ScoredImage, None, None]:
    """Score batch after batch, while the workers decode the next ones."""
    with closing(decoded) as batches:
        for batch in batches:
            yield from score_batch(detector, batch, cuts)
