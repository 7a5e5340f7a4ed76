"""Pictures decoded once into one file of pixels, which training maps into memory.

A cache is keyed by content: by the bytes of all files with their names, and by what was made of
them (size, channels, fit). A listing of names, sizes and times of change tells whether files have
to be read again to know that. A cache is complete or absent, and many studies share it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from gandetect import runs
from gandetect.config import PicturesConfig, digest_of
from gandetect.data.decoded import decode_pictures
from gandetect.data.found import FoundFile, FoundFiles
from gandetect.errors import DataError, RunError
from gandetect.events import Notify, say, steps, warn
from gandetect.machine import require_room

VERSION = 3  # raise it when the code here makes other pixels of the same files
PIXELS, TABLE, LISTING = "images.npy", "files.parquet", "listing"


def cached_pictures(
    config: PicturesConfig, found_files: FoundFiles, folder: Path, *, workers: int, notify: Notify
) -> Path:
    """The folder of a complete cache of these pictures, below ``folder``; made when missing.

    It holds the pixels (`PIXELS`, ``(N, C, S, S) uint8``) and a row for each file (`TABLE`: path,
    class_name and what `DecodedFile` tells; with an error the row of pixels is black). Raises
    `DataError` when there is no room, before anything is decoded, when the folder cannot be
    written, and for pictures of other sizes without a ``fit``.
    """
    settings = _pixel_settings(config)
    listing = folder / LISTING / f"{_listing_digest(found_files, settings)[:16]}.json"
    try:
        known = _listed(folder, listing)
        if known is not None and _problem_with(known) is None:
            return known
        with _held(folder):  # another study may be decoding the same
            place = _listed(folder, listing) or _alike(folder, found_files, settings)
            problem = _problem_with(place) if place else None
            if problem:
                warn(notify, f"cache {str(place)!r} is not used: {problem}; it is built again")
            if place is None or problem:
                pictures = f"{len(found_files.files):,} pictures of {config.path}"
                say(notify, f"Decoding {pictures} into {folder}")
                place = _build(config, found_files, folder, settings, workers, notify)
            # A file that cannot be read now may be readable next time, though no listing tells.
            if pd.read_parquet(place / TABLE, columns=["sha256"])["sha256"].all():
                runs.write_json(listing, {"cache": place.name})
    except OSError as error:
        raise DataError(
            f"the cache of decoded pictures cannot be written in {str(folder)!r} "
            f"({error.strerror or error}); set GANDETECT_CACHE_DIR to a folder with room for it"
        ) from None
    return place


def _pixel_settings(config: PicturesConfig) -> dict[str, Any]:
    """The settings that change the pixels or the facts on them."""
    return {
        "version": VERSION,
        "size": config.image_size,
        "channels": config.channels,
        "fit": config.fit,
        "hashes": config.near_duplicates is not None,
    }


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the cache for this process; others wait until it is theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _listed(folder: Path, listing: Path) -> Path | None:
    """The cache that a listing names, complete or not; None where there is no such listing."""
    name = _table(listing).get("cache")
    return folder / str(name) if name else None


def _alike(folder: Path, found_files: FoundFiles, settings: Mapping[str, Any]) -> Path | None:
    """The cache of files with the same content: they may have been copied or touched since."""
    records = [place / runs.RECORD for place in folder.glob("*-*")]
    alike = [file.parent for file in records if _table(file).get("n") == len(found_files.files)]
    if not alike:
        return None
    with ThreadPoolExecutor() as pool:
        digests = list(
            pool.map(lambda file: _sha256(found_files.root / file.path), found_files.files)
        )
    digest = _content_digest(found_files.files, digests, settings)
    place = folder / f"{found_files.root.name}-{digest[:12]}"
    return place if place in alike else None


def _table(file: Path) -> dict[str, Any]:
    """What a JSON file of ours holds; nothing where it is missing or damaged."""
    try:
        content = runs.read_json(file)
    except RunError:
        return {}
    return content if isinstance(content, dict) else {}


def _build(
    config: PicturesConfig,
    found_files: FoundFiles,
    folder: Path,
    settings: Mapping[str, Any],
    workers: int,
    notify: Notify,
) -> Path:
    require_room(
        folder,
        len(found_files.files) * config.channels * config.image_size**2,
        f"the cache of {len(found_files.files):,} decoded pictures",
        "set GANDETECT_CACHE_DIR to a folder with room, or give a smaller image_size",
    )
    for left in folder.glob(".*.tmp"):  # of a process that was killed while it decoded
        shutil.rmtree(left, ignore_errors=True)
    building = folder / f"{found_files.root.name}-building"
    with runs.atomic_folder(building) as fresh:
        decoded = decode_pictures(
            [found_files.root / file.path for file in found_files.files],
            fresh / PIXELS,
            size=config.image_size,
            channels=config.channels,
            fit=config.fit,
            hashes=config.near_duplicates is not None,
            workers=workers,
            progress=steps(notify, "decoding pictures"),
        )
        table = pd.DataFrame(
            {
                part.name: [getattr(file, part.name) for file in decoded]
                for part in fields(decoded[0])
            }
        )
        table.insert(0, "path", [file.path for file in found_files.files])
        table.insert(1, "class_name", [file.class_name for file in found_files.files])
        table.to_parquet(fresh / TABLE, index=False)
        digest = _content_digest(found_files.files, [file.sha256 for file in decoded], settings)
        runs.write_record(fresh, digest, [TABLE], n=len(decoded), pixels=_facts(fresh / PIXELS))
    place = folder / f"{found_files.root.name}-{digest[:12]}"
    if place.exists():
        shutil.rmtree(place)
    building.replace(place)
    return place


def _problem_with(place: Path) -> str | None:
    """Why a cache cannot be used; None when it can.

    The pixels' length and time of change are compared, not their digest: to read all of 12 GB at
    every start would take longer than many a study. A new study reads them once, for its manifest,
    and compares.
    """
    record = _table(place / runs.RECORD)
    digest = str(record.get("digest", ""))
    if record and not place.name.endswith(f"-{digest[:12]}"):
        return "it holds other pictures than its name says"
    problem = runs.problem_with(place, digest)
    if problem is not None:
        return problem or "it was never finished"
    if not (place / PIXELS).is_file():
        return f"its file {PIXELS!r} is missing"
    if _facts(place / PIXELS) != record.get("pixels"):
        return f"its file {PIXELS!r} was changed or truncated"
    return None


def _facts(file: Path) -> dict[str, int]:
    facts = file.stat()
    return {"bytes": facts.st_size, "changed_ns": facts.st_mtime_ns}


def _content_digest(
    files: Sequence[FoundFile], digests: Sequence[str], settings: Mapping[str, Any]
) -> str:
    rows = [[file.path, digest] for file, digest in zip(files, digests, strict=True)]
    return digest_of(["pictures", settings, rows])


def _listing_digest(found_files: FoundFiles, settings: Mapping[str, Any]) -> str:
    rows = []
    for file in found_files.files:
        try:
            facts = (found_files.root / file.path).stat()
            rows.append([file.path, facts.st_size, facts.st_mtime_ns])
        except OSError:  # a link that leads to nothing; it is left out, and named, when it is read
            rows.append([file.path])
    return digest_of(["listing", str(found_files.root.resolve()), settings, rows])


def _sha256(path: Path) -> str:
    if not os.path.isfile(path):  # noqa: PTH113  (a pipe would block for ever)
        return ""
    try:
        return runs.file_digest(path)
    except OSError:
        return ""
