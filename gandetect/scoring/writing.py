"""Writes scored images as they come: CSV, JSON lines, or a submission."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import PurePath
from typing import Any, Literal, TextIO

from gandetect.scoring.paths import ScoredImage

Form = Literal["csv", "jsonl", "kaggle"]
COLUMNS = tuple(name for name in ScoredImage.__dataclass_fields__ if name != "remark")
Writer = Callable[[ScoredImage], str | None]  # writes a line, or says why there is none


def write_scores(
    scored: Iterable[ScoredImage],
    stream: TextIO,
    form: Form,
    complain: Callable[[str], None] = lambda sentence: None,
    *,
    conversions: bool = False,
) -> tuple[int, int]:
    """Write lines as they come; returns how many images were scored and how many failed.

    With ``conversions`` there is one more column, of what was done to an image first.
    ``kaggle`` is the form of a submission: the file's name, and 1 for real or 0 for generated. It
    has no place for errors: an image without a score, and a second one of the same name, gets no
    line and is complained of instead.
    """
    columns = COLUMNS if conversions else COLUMNS[:-1]
    writers = {"csv": _csv_writer, "jsonl": _jsonl_writer, "kaggle": _kaggle_writer}
    write = writers[form](stream, columns)
    right = wrong = 0
    for line in scored:
        problem = write(line)
        if problem is not None:
            complain(problem)
        failed = line.error is not None or problem is not None
        right, wrong = right + (not failed), wrong + failed
    return right, wrong


def _csv_writer(stream: TextIO, columns: tuple[str, ...]) -> Writer:
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    # Before Python 3.13 a carriage return is left unquoted, and then does not read back.
    quoting = csv.DictWriter(stream, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()

    def write(line: ScoredImage) -> None:
        (quoting if "\r" in line.path else writer).writerow(_row(line, columns))

    return write


def _jsonl_writer(stream: TextIO, columns: tuple[str, ...]) -> Writer:
    def write(line: ScoredImage) -> None:
        stream.write(json.dumps(_row(line, columns)) + "\n")

    return write


def _kaggle_writer(stream: TextIO, columns: tuple[str, ...]) -> Writer:
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


def _row(line: ScoredImage, columns: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in asdict(line).items() if name in columns}
