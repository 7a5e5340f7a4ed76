"""Broken images through the real path: a folder of them, scored with a detector on disk.

Every file has one row or is counted as no picture; a row has a score or one sentence; nobody
crashes or prints; and where the format has checksums, a score is that of intact pixels.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from random_detector import save_random_detector

from gandetect.cli import main

from .corpus import Seed, corpus
from .mutations import ALL, SAME_LENGTH, with_right_checksums

BATCH = 100  # files in a folder
ROUNDING = 1e-5  # by which a score depends on its neighbours in a batch
_COUNTED = re.compile(r"note: ([\d,]+) files? (?:is|are) no pictures?: ")
_NAMES = ("", ".txt", ".jpg_large", "*", "*", "*")  # suffixes; a star is the format's own


@dataclass(frozen=True)
class Case:
    """A broken image: its name in the folder, and whether its checksums must tell the change."""

    number: int
    seed: Seed
    name: str
    content: bytes
    done: str
    checked: bool


def case(seed: int, number: int) -> Case:
    """Draw the image of that number, whatever came before it."""
    rng = np.random.default_rng([seed, number])
    images = corpus()
    intact = images[rng.integers(len(images))]
    content, done = bytearray(intact.content), []
    inside = intact.checked is not None and intact.checked[0] > 0
    start, end = intact.checked if inside and intact.checked else (0, len(content))
    part = content[start:end]
    kinds = SAME_LENGTH if inside else ALL
    for _ in range(int(rng.integers(0, 4))):
        mutation = kinds[rng.integers(len(kinds))]
        part = mutation(part, rng)
        done.append(mutation.__name__)
    content = content[:start] + part + content[end:]
    mended = intact.suffix == ".png" and rng.random() < 0.4
    if mended:
        content, done = bytearray(with_right_checksums(content)), [*done, "mended"]
    suffix = _NAMES[rng.integers(len(_NAMES))].replace("*", intact.suffix)
    checked = intact.checked is not None and not mended
    said = ", ".join(done) or "intact"
    return Case(number, intact, f"{number:07}{suffix}", bytes(content), said, checked)


def run(count: int, seed: int, until: float) -> list[str]:
    """Score so many broken images, folder by folder; returns what was not answered well."""
    failures = []
    with tempfile.TemporaryDirectory() as place:
        detector = save_random_detector(Path(place, "detector"), scale=20)
        expected = _intact_scores(detector, Path(place, "intact"))
        for start in range(0, count, BATCH):
            if time.monotonic() >= until:
                break
            cases = [case(seed, one) for one in range(start, min(start + BATCH, count))]
            found = _failures(cases, detector, Path(place, f"{start}"), expected)
            failures += [f"images, seed {seed}: {one}" for one in found]
    return failures


def _intact_scores(detector: Path, folder: Path) -> dict[str, float]:
    folder.mkdir()
    for number, intact in enumerate(corpus()):
        (folder / f"{number}{intact.suffix}").write_bytes(intact.content)
    rows, _, _ = _score(detector, folder)
    names = {f"{number}{one.suffix}": one.name for number, one in enumerate(corpus())}
    return {names[name]: float(row["score"]) for name, row in rows}


def _failures(
    cases: list[Case], detector: Path, folder: Path, expected: dict[str, float]
) -> Iterator[str]:
    folder.mkdir()
    for one in cases:
        (folder / one.name).write_bytes(one.content)
    rows, errors, printed = _score(detector, folder)
    if printed:
        yield f"a library printed {printed[:200]!r} for one of {cases[0].name} to {cases[-1].name}"
    counted = sum(int(one.replace(",", "")) for one in _COUNTED.findall(errors))
    if len(rows) + counted != len(cases):
        yield f"{len(cases)} files are {len(rows)} rows and {counted} counted: {errors[-300:]!r}"
    answers = dict(rows)
    if len(answers) != len(rows):
        yield f"a file has two rows, from {cases[0].name} on"
    for one in cases:
        if problem := _problem(one, answers.get(one.name), expected[one.seed.name]):
            yield f"case {one.number} ({one.seed.name}: {one.done}) {problem}"


def _problem(one: Case, row: dict[str, str] | None, intact: float) -> str | None:
    """What is wrong with the answer to one file; None if nothing is."""
    if row is None:
        return "has no row" if one.name.endswith(one.seed.suffix) else None
    if bool(row["score"]) == bool(row["error"]):
        return f"has a score and an error, or neither: {row}"
    if row["error"]:
        bad = "\n" in row["error"] or "Traceback" in row["error"] or len(row["error"]) > 600
        if one.done == "intact":
            return f"is intact and refused: {row['error']}"
        return f"has no single sentence: {row['error']!r}" if bad else None
    score = float(row["score"])
    if not math.isfinite(score):
        return f"has the score {score}"
    alike = math.isclose(score, intact, rel_tol=ROUNDING)
    if (one.checked or one.done == "intact") and not alike:
        return f"is scored {score}, though its intact pixels are scored {intact}"
    return None


def _score(detector: Path, folder: Path) -> tuple[list[tuple[str, dict[str, str]]], str, str]:
    """Score a folder by the command; returns its rows by name, its stderr, what libraries print."""
    with _printed() as printed:
        command = ["score", str(detector), str(folder), "--workers", "0"]
        result = CliRunner().invoke(main, command)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    rows = csv.DictReader(io.StringIO(result.stdout, newline=""))
    return [(Path(row["path"]).name, row) for row in rows], result.stderr, printed[0]


@contextmanager
def _printed() -> Iterator[list[str]]:
    """Catch what C libraries write to the process' stderr, past Python."""
    kept, heard = os.dup(2), [""]
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield heard
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            heard[0] = file.read().decode(errors="replace")


if __name__ == "__main__":  # python -m fuzz.images SEED CASE > file
    sys.stdout.buffer.write(case(int(sys.argv[1]), int(sys.argv[2])).content)
