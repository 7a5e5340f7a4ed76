"""Few files of bounded size, of a run folder of thousands: what is looked at afterwards."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST_FILES = 8
MOST_BYTES = 16_000_000
LAST_SAMPLES = 1  # grids of each GAN and seed

# What of a run folder is worth the way, most wanted first: the last ones give way.
WANTED = (
    "study.toml",
    "manifest.json",
    "metrics.json",
    "metrics.csv",
    "gans/*/seed-*/history.csv",
    "gans/*/seed-*/epochs/*/record.json",
    "quality-classifier/record.json",
    "report.md",
    "figures/*.svg",
)


def pack(run: Path, target: Path, most: int = MOST_BYTES) -> list[str]:
    """Zip what is wanted of a run folder, complete or not; returns what had no room.

    Last sample grids come before the report, as they are all that shows images.
    """
    left_out, size = [], 0
    temporary = target.with_name(f".{target.name}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as content:
        for file in _wanted(run):
            name = str(file.relative_to(run))
            if size + file.stat().st_size > most - 100_000:  # for the zip's own table
                left_out.append(name)
                continue
            content.write(file, name)
            size += content.getinfo(name).compress_size
    temporary.replace(target)
    return left_out


def pack_scores(table: Path, target: Path, most: int = MOST_BYTES) -> int:
    """Rewrite ``scores.parquet`` as small as it goes without loss; returns its bytes.

    Raises `ValueError` where it is larger than ``most``.
    """
    import pyarrow.parquet as parquet

    temporary = target.with_name(f".{target.name}.tmp")
    parquet.write_table(
        parquet.read_table(table), temporary, compression="zstd", compression_level=9
    )
    size = temporary.stat().st_size
    if size > most:
        temporary.unlink()
        raise ValueError(f"the scores take {size / 1e6:.0f} MB, and {most / 1e6:.0f} may come back")
    temporary.replace(target)
    return size


def over_the_limits(out: Path) -> list[str]:
    """What of a folder could not come back, one sentence each."""
    files = [file for file in out.rglob("*") if file.is_file()]
    found = [
        f"{file.name} has {file.stat().st_size:,} bytes"
        for file in files
        if file.stat().st_size > MOST_BYTES
    ]
    if len(files) > MOST_FILES:
        found.append(f"there are {len(files)} files, and {MOST_FILES} may come back")
    return found


def _wanted(run: Path) -> Iterator[Path]:
    before, after = WANTED[:-2], WANTED[-2:]
    yield from _matching(run, before)
    for training in sorted(run.glob("gans/*/seed-*")):
        yield from sorted(training.glob("epochs/*/samples.png"))[-LAST_SAMPLES:]
    yield from _matching(run, after)


def _matching(run: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(file for file in run.glob(pattern) if file.is_file())
