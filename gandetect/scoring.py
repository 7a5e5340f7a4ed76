"""Scores files and folders with a saved detector: streaming, in constant memory."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Literal, TextIO

import numpy as np
from scipy.special import expit

from gandetect.data.streaming import Decoded, DecodeOptions, decode_batches
from gandetect.detectors import Detector

Form = Literal["csv", "jsonl", "kaggle"]


@dataclass(frozen=True)
class ScoredImage:
    """One line of the answer; ``error`` says why an image has no score."""

    path: str
    score: float | None
    probability: float | None
    verdict: str | None
    error: str | None = None


Writer = Callable[[ScoredImage], str | None]  # writes a line, or says why there is none


def score_paths(
    detector: Detector,
    paths: Iterable[Path],
    operating_point: str = "native",
    workers: int = 1,
) -> Generator[ScoredImage, None, None]:
    """Score image files and folders in order, one `ScoredImage` each, a batch at a time.

    What cannot be scored becomes a line with its error and never a score: a damaged file, a path
    that does not exist, a folder without images. With ``workers`` above 1 so many processes decode
    many files ahead, with the same lines as the answer; a script that asks for them needs an
    ``if __name__ == "__main__"``, and does well to set ``OMP_WAIT_POLICY=PASSIVE`` before torch is
    imported, as `gandetect score` does. No worker outlives the generator: close it when you leave
    it early. Raises `UsageError` for an unknown operating point, before anything is read, and
    `DataError` when a worker is killed from outside.
    """
    threshold = detector.threshold(operating_point)
    return _score_all(detector, paths, threshold, workers)


def write_scores(
    scored: Iterable[ScoredImage],
    stream: TextIO,
    form: Form,
    complain: Callable[[str], None] = lambda sentence: None,
) -> tuple[int, int]:
    """Write lines as they come; returns how many images were scored and how many failed.

    ``kaggle`` is the form of a submission: the file's name, and 1 for real or 0 for generated. It
    has no place for errors: an image without a score, and a second one of the same name, gets no
    line and is complained of instead.
    """
    write = {"csv": _csv_writer, "jsonl": _jsonl_writer, "kaggle": _kaggle_writer}[form](stream)
    right = wrong = 0
    for line in scored:
        problem = write(line)
        if problem is not None:
            complain(problem)
        failed = line.error is not None or problem is not None
        right, wrong = right + (not failed), wrong + failed
    return right, wrong


def _csv_writer(stream: TextIO) -> Writer:
    columns = list(ScoredImage.__dataclass_fields__)
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    # Before Python 3.13 a carriage return is left unquoted, and then does not read back.
    quoting = csv.DictWriter(stream, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()

    def write(line: ScoredImage) -> None:
        (quoting if "\r" in line.path else writer).writerow(asdict(line))

    return write


def _jsonl_writer(stream: TextIO) -> Writer:
    def write(line: ScoredImage) -> None:
        stream.write(json.dumps(asdict(line)) + "\n")

    return write


def _kaggle_writer(stream: TextIO) -> Writer:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["image", "label"])
    written: dict[str, str] = {}

    def write(line: ScoredImage) -> str | None:
        name = PurePath(line.path).name
        if line.error is not None:
            return line.error
        if name in written:
            return f"{line.path!r} has the same name as {written[name]!r}, which has a line already"
        written[name] = line.path
        writer.writerow([name, int(line.verdict == "real")])
        return None

    return write


def _score_all(
    detector: Detector, paths: Iterable[Path], threshold: float, workers: int
) -> Generator[ScoredImage, None, None]:
    """Score batch after batch, while the workers decode the next ones."""
    expected = detector.description.preprocessing
    options = DecodeOptions(
        expected.channels, expected.image_size, expected.fit, expected.background
    )
    with closing(decode_batches(paths, options, workers)) as batches:
        for batch in batches:
            yield from _score_batch(detector, batch, threshold)


def _score_batch(
    detector: Detector, batch: Sequence[Decoded], threshold: float
) -> Iterator[ScoredImage]:
    images = [image for _, image in batch if not isinstance(image, str)]
    scores = iter(detector.decision_function(np.stack(images)).tolist() if images else [])
    for path, image in batch:
        # A name that is not UTF-8 is still told apart from others.
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        if isinstance(image, str):
            yield ScoredImage(name, None, None, None, image)
            continue
        score: float = next(scores)
        verdict = "generated" if score > threshold else "real"
        yield ScoredImage(name, round(score, 6), round(float(expit(score)), 6), verdict)
