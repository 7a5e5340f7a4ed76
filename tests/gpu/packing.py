"""Few files of bounded size, of a run folder of thousands: what is looked at afterwards."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST_FILES = 8
MOST_BYTES = 16_000_000
LAST_SAMPLES = 1  # grids of each GAN and seed

# What of a run folder comes back, most wanted first: the last ones give way. With all of it the
# report can be made again at home.
WANTED = (
    "*.toml",
    "*.json",
    "*.npz",
    "metrics.csv",
    "[!ef]*/**/*.json",
    "[!ef]*/**/*.parquet",
    "[!ef]*/**/*.csv",
    "[!ef]*/**/*.npz",
    "report.md",
    "report.html",
    "gans/*/seed-*/samples.gif",
)
WEIGHTS = ("gans/*/{seed}/*.safetensors", "quality-classifier/*.safetensors")


def pack(run: Path, target: Path, most: int = MOST_BYTES) -> list[str]:
    """Zip what is wanted of a run folder, complete or not; returns what had no room."""
    return _zip(run, _wanted(run), target, most)


def pack_weights(run: Path, out: Path, most: int = MOST_BYTES) -> list[str]:
    """Zip the last weights of each seed's GANs, a file a seed; returns what had no room."""
    left_out = []
    for seed in sorted({folder.name for folder in run.glob("gans/*/seed-*")}):
        patterns = [pattern.format(seed=seed) for pattern in WEIGHTS]
        left_out += _zip(run, _matching(run, patterns), out / f"weights-{seed}.zip", most)
    return left_out


def _zip(run: Path, files: Iterable[Path], target: Path, most: int) -> list[str]:
    left_out, size = [], 0
    temporary = target.with_name(f".{target.name}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as content:
        for file in files:
            name = str(file.relative_to(run))
            if size + file.stat().st_size > most - 200_000:  # for the zip's own table
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
    last = WANTED.index("report.md")
    yield from _matching(run, WANTED[:last])
    for training in sorted(run.glob("gans/*/seed-*")):
        yield from sorted(training.glob("epochs/*/samples.png"))[-LAST_SAMPLES:]
    yield from _matching(run, WANTED[last:])


def _matching(run: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(file for file in run.glob(pattern) if file.is_file())
