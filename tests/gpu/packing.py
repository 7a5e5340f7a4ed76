"""Few files of bounded size, of a run folder of thousands: what is looked at afterwards."""

from __future__ import annotations

import zipfile
from pathlib import Path

MOST_FILES = 8
MOST_BYTES = 16_000_000

# What of a run folder comes back, most wanted first: the last ones give way. With all but the
# weights the report can be made again at home.
WANTED = (
    "*.toml",
    "*.json",
    "metrics.csv",
    "[!ef]*/**/*.json",
    "[!ef]*/**/*.csv",
    "robustness/**/*.parquet",
    "trajectories/**/*.parquet",
    "detectors/**/*.parquet",
    "[!def]*/**/*.npz",
    "detectors/**/*.npz",
    "data/*.parquet",
    "report.html",
    "gans/*/seed-*/*.gif",
    "gans/*/seed-*/*.safetensors",
    "quality-classifier/*.safetensors",
    "post_hoc/**/*.safetensors",
)


def pack(run: Path, out: Path, most: int = MOST_BYTES) -> list[str]:
    """Zip what is wanted of a run folder, complete or not; returns what had no room.

    Writes ``study-1.zip`` and so on to the folder ``out``, each of at most ``most`` bytes, and as
    many as may come back beside what is there and the scores.
    """
    parts = max(1, MOST_FILES - 1 - len(list(out.glob("*.*"))))
    files = list(dict.fromkeys(file for one in WANTED for file in sorted(run.glob(one))))
    for part in range(1, parts + 1):
        if files:
            files = _zip(run, files, out / f"study-{part}.zip", most)
    return [str(file.relative_to(run)) for file in files]


def _zip(run: Path, files: list[Path], target: Path, most: int) -> list[Path]:
    """Zip what fits of some files; returns the others."""
    left_out, size = [], 0
    temporary = target.with_name(f".{target.name}.tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as content:
        for file in files:
            if size + file.stat().st_size > most - 200_000:  # for the zip's own table
                left_out.append(file)
                continue
            content.write(file, str(file.relative_to(run)))
            size += content.getinfo(str(file.relative_to(run))).compress_size
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
