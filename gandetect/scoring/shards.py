"""Large collections as shards: what is in each, which output is its own, and whether it is done."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from gandetect import runs
from gandetect.data.folders import NO_PICTURE, Found
from gandetect.data.images import find_images
from gandetect.data.parquet import PARQUET
from gandetect.data.streaming import Tell
from gandetect.detectors.folder import DESCRIPTION
from gandetect.errors import DataError, RunError
from gandetect.scoring.paths import Point

FILES = 10_000  # image files in a shard
# Readers of Parquet folders pass over names with an underscore.
RECORD = "_scoring.json"
LISTINGS = "_listings"
VERSION = 2  # of what stands in an output, raised when that changes

Entry = tuple[str, str | None]  # a file's name, or what was given instead and why it is none


@dataclass(frozen=True)
class ScoringRequest:
    """How every image of a collection is scored, and the folder of the scores."""

    folder: str
    detector: str  # digest of its description, in which the digest of its weights stands
    operating_point: Point
    strict: bool

    def identity(self) -> dict[str, Any]:
        """Everything of it that changes an answer."""
        plain = {k: v for k, v in asdict(self).items() if k != "folder"}
        if not isinstance(self.operating_point, str):
            plain["operating_point"] = list(self.operating_point)  # as JSON reads it back
        return {"version": VERSION, **plain}


@dataclass(frozen=True)
class Shard:
    """A Parquet file of image bytes, or the listing of image files, and its output's name."""

    name: str
    source: str

    def output(self, folder: str) -> Path:
        """The file that is there only when the shard is done."""
        return Path(folder) / f"{self.name}{PARQUET}"


def scoring_request(
    folder: Path, detector: Path, operating_point: Point, strict: bool
) -> ScoringRequest:
    """The request for a detector that was loaded from its folder, and so is complete."""
    digest = runs.file_digest(detector / DESCRIPTION)
    return ScoringRequest(str(folder.absolute()), digest, operating_point, strict)


def open_folder(request: ScoringRequest, inputs: Iterable[Path]) -> None:
    """Make the output folder, or see that it belongs to this detector and these inputs.

    Raises `RunError` when it holds anything else.
    """
    folder = Path(request.folder)
    wanted = {**request.identity(), "inputs": [str(path.absolute()) for path in inputs]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / RECORD).exists():
            if any(folder.iterdir()):
                raise RunError(f"{str(folder)!r} holds other files; give --out an empty folder")
            runs.write_text(folder / RECORD, json.dumps(wanted, indent=1) + "\n")
    except OSError as error:
        raise RunError(
            f"{str(folder)!r} cannot be written ({error.strerror or error}); give another --out"
        ) from None
    stored = runs.read_json(folder / RECORD)
    other = [name for name in wanted if stored.get(name) != wanted[name]]
    if other:
        raise RunError(
            f"{str(folder)!r} holds the scores of another {', '.join(other).replace('_', ' ')}; "
            "give another --out, or the same command as before to go on"
        )


def shards_of(
    request: ScoringRequest, inputs: Iterable[Path], tell: Tell = lambda found: None
) -> list[Shard]:
    """The shards of a collection, in order; each listing of files is written beside the answers.

    A shard's name holds a digest of what is asked and of its files' names, sizes and times of
    change: a file that changed makes it another shard, which is not done yet. ``tell`` hears of
    every other file of a folder, but for this command's own answers.
    """
    shards: list[Shard] = []
    for source in _sources(request, inputs, tell):
        number = len(shards)
        if isinstance(source, Path):
            name = _name(request, number, [(str(source), None)])
            shards.append(Shard(name, str(source)))
            continue
        name = _name(request, number, source)
        listing = Path(request.folder) / LISTINGS / f"{name}.json"
        if not listing.exists():
            runs.write_text(listing, json.dumps(source))
        shards.append(Shard(name, str(listing)))
    return shards


def remove_others(request: ScoringRequest, shards: Iterable[Shard]) -> int:
    """Remove answers of files that have changed or gone since; returns how many shards.

    Call it with the folder locked: what a killed process was writing goes as well.
    """
    folder, names = Path(request.folder), {shard.name for shard in shards}
    for unfinished in folder.glob(".*.tmp"):
        unfinished.unlink()
    stale = [path for path in folder.glob(f"[0-9]*-*{PARQUET}") if path.stem not in names]
    for path in stale:
        path.unlink()
    for path in (folder / LISTINGS).glob("*.json"):
        if path.stem not in names:
            path.unlink()
    return len(stale)


def _sources(
    request: ScoringRequest, inputs: Iterable[Path], tell: Tell
) -> Iterator[Path | list[Entry]]:
    """Parquet files one by one, and image files by thousands."""
    waiting: list[Path] = []
    answers = Path(request.folder).resolve()

    def entries() -> Iterator[Entry]:
        for location in inputs:
            if location.suffix.lower() == PARQUET and location.is_file():
                waiting.append(location)
                continue
            before = len(waiting)
            holds_answers = answers.is_relative_to(location.resolve())

            def hear(listing: Found, check: bool = holds_answers) -> None:
                if check and listing.path.resolve().is_relative_to(answers):
                    return
                table = listing.passed == NO_PICTURE and listing.path.suffix.lower() == PARQUET
                waiting.append(listing.path) if table else tell(listing)

            try:
                yield from ((str(path.absolute()), None) for path in find_images([location], hear))
            except DataError as error:
                if len(waiting) == before:
                    yield str(location), str(error)

    listing = entries()
    while part := list(islice(listing, FILES)):
        yield part
    yield from (path.absolute() for path in waiting)


def _name(request: ScoringRequest, number: int, entries: list[Entry]) -> str:
    digest = hashlib.sha256(json.dumps(request.identity()).encode())
    for name, error in entries:
        digest.update(json.dumps([name, error, *_size_and_time(name)]).encode())
    return f"{number:06d}-{digest.hexdigest()[:16]}"


def _size_and_time(name: str) -> list[int]:
    try:
        status = os.stat(name)  # noqa: PTH116 - twice as fast, for millions of files
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
