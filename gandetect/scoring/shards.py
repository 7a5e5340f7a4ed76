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
from gandetect.data.streaming import Tell
from gandetect.detectors.folder import DESCRIPTION
from gandetect.errors import DataError, RunError

FILES = 10_000  # image files in a shard
PARQUET = ".parquet"
# Readers of Parquet folders pass over names with an underscore.
RECORD = "_scoring.json"
LISTINGS = "_listings"
VERSION = 2  # of what stands in an output, raised when that changes

Entry = tuple[str, str | None]  # a file's name, or what was given instead and why it is none


@dataclass(frozen=True)
class Order:
    """What is asked of every image of a collection, and the folder that the answers go to."""

    folder: str
    detector: str  # digest of its description, in which the digest of its weights stands
    operating_point: str
    strict: bool

    def identity(self) -> dict[str, Any]:
        """Everything of it that changes an answer."""
        return {"version": VERSION, **{k: v for k, v in asdict(self).items() if k != "folder"}}


@dataclass(frozen=True)
class Shard:
    """A Parquet file of image bytes, or the listing of image files, and its output's name."""

    name: str
    source: str

    def output(self, folder: str) -> Path:
        """The file that is there only when the shard is done."""
        return Path(folder) / f"{self.name}{PARQUET}"


def order_for(folder: Path, detector: Path, operating_point: str, strict: bool) -> Order:
    """What is asked with a detector that has been loaded, and so found whole, from its folder."""
    digest = runs.file_digest(detector / DESCRIPTION)
    return Order(str(folder.absolute()), digest, operating_point, strict)


def open_folder(order: Order, inputs: Iterable[Path]) -> None:
    """Make the output folder, or see that it belongs to this detector and these inputs.

    Raises `RunError` when it holds anything else.
    """
    folder = Path(order.folder)
    wanted = {**order.identity(), "inputs": [str(one.absolute()) for one in inputs]}
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
    found = runs.read_json(folder / RECORD)
    other = [name for name in wanted if found.get(name) != wanted[name]]
    if other:
        raise RunError(
            f"{str(folder)!r} holds the scores of another {', '.join(other).replace('_', ' ')}; "
            "give another --out, or the same command as before to go on"
        )


def shards_of(order: Order, inputs: Iterable[Path], tell: Tell = lambda found: None) -> list[Shard]:
    """The shards of a collection, in order; each listing of files is written beside the answers.

    A shard's name holds a digest of what is asked and of its files' names, sizes and times of
    change: a file that changed makes it another shard, which is not done yet. ``tell`` hears of
    every other file of a folder, but for this command's own answers.
    """
    shards: list[Shard] = []
    for source in _sources(order, inputs, tell):
        number = len(shards)
        if isinstance(source, Path):
            name = _name(order, number, [(str(source), None)])
            shards.append(Shard(name, str(source)))
            continue
        name = _name(order, number, source)
        listing = Path(order.folder) / LISTINGS / f"{name}.json"
        if not listing.exists():
            runs.write_text(listing, json.dumps(source))
        shards.append(Shard(name, str(listing)))
    return shards


def remove_others(order: Order, shards: Iterable[Shard]) -> int:
    """Remove answers of files that have changed or gone since; returns how many shards.

    Call it with the folder locked: what a killed process was writing goes as well.
    """
    folder, names = Path(order.folder), {shard.name for shard in shards}
    for unfinished in folder.glob(".*.tmp"):
        unfinished.unlink()
    stale = [path for path in folder.glob(f"[0-9]*-*{PARQUET}") if path.stem not in names]
    for path in stale:
        path.unlink()
    for path in (folder / LISTINGS).glob("*.json"):
        if path.stem not in names:
            path.unlink()
    return len(stale)


def _sources(order: Order, inputs: Iterable[Path], tell: Tell) -> Iterator[Path | list[Entry]]:
    """Parquet files one by one, and image files by thousands."""
    waiting: list[Path] = []
    answers = Path(order.folder).resolve()

    def entries() -> Iterator[Entry]:
        for given in inputs:
            if given.suffix.lower() == PARQUET and given.is_file():
                waiting.append(given)
                continue
            before = len(waiting)
            holds_answers = answers.is_relative_to(given.resolve())

            def hear(found: Found, check: bool = holds_answers) -> None:
                if check and found.path.resolve().is_relative_to(answers):
                    return
                table = found.passed == NO_PICTURE and found.path.suffix.lower() == PARQUET
                waiting.append(found.path) if table else tell(found)

            try:
                yield from ((str(path.absolute()), None) for path in find_images([given], hear))
            except DataError as error:
                if len(waiting) == before:
                    yield str(given), str(error)

    found = entries()
    while part := list(islice(found, FILES)):
        yield part
    yield from (path.absolute() for path in waiting)


def _name(order: Order, number: int, entries: list[Entry]) -> str:
    digest = hashlib.sha256(json.dumps(order.identity()).encode())
    for name, error in entries:
        digest.update(json.dumps([name, error, *_size_and_time(name)]).encode())
    return f"{number:06d}-{digest.hexdigest()[:16]}"


def _size_and_time(name: str) -> list[int]:
    try:
        found = os.stat(name)  # noqa: PTH116 - twice as fast, for millions of files
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]
