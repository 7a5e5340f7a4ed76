"""Scores a collection shard by shard, each into a Parquet file that is there only when it is done.

Who does the shards is left to the caller: this process one after the other, or workers.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from gandetect import runs
from gandetect.data.parquet import PARQUET, decode_parquet
from gandetect.data.streaming import BATCH, Decoded, DecodeOptions, decode
from gandetect.detectors.folder import DESCRIPTION, WEIGHTS, load_detector
from gandetect.detectors.protocol import Detector
from gandetect.errors import RunError
from gandetect.events import Notify
from gandetect.scoring.paths import cuts_at, decode_options, score_batch
from gandetect.scoring.shards import Entry, ScoringRequest, Shard

ROWS = 64 * BATCH  # lines that are written at a time
SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("score", pa.float64()),
        ("probability", pa.float64()),
        ("verdict", pa.string()),
        ("error", pa.string()),
        ("conversion", pa.string()),
    ]
)
DETECTOR = "_detector"  # in the output folder, passed over by readers of Parquet folders
Item = TypeVar("Item")


@dataclass(frozen=True)
class Counts:
    """How many images a shard holds, how many have no score, and how many were converted how."""

    images: int
    failed: int
    conversions: dict[str, int]


# Scores these shards in any order, and yields each one's counts as it is done.
Work = Callable[[Sequence[Shard]], Iterable[Counts]]


def score_collection(
    shards: Sequence[Shard], request: ScoringRequest, work: Work
) -> Iterator[Counts]:
    """Score what is not done yet; yields every shard's counts, those of done ones first."""
    done = [shard for shard in shards if shard.output(request.folder).exists()]
    for shard in done:
        yield counts_of(shard.output(request.folder))
    yield from work([shard for shard in shards if shard not in set(done)])


def copied_detector(detector: Path, request: ScoringRequest) -> Path:
    """A copy of a detector's folder in the output folder, for workers on other machines."""
    copy = Path(request.folder, DETECTOR)
    with runs.atomic_folder(copy) as fresh:
        for name in (DESCRIPTION, WEIGHTS):
            shutil.copyfile(detector / name, fresh / name)
    return copy


def score_on_worker(
    detector: Path, device: str, shard: Shard, request: ScoringRequest, *, notify: Notify
) -> Counts:
    """Score a shard in a process that sees the same paths, which keeps the detector it has loaded.

    Raises `RunError` when it does not see them.
    """
    for needed in (detector, Path(shard.source)):
        if not needed.exists():
            raise RunError(
                f"a Ray worker does not see {str(needed)!r}; put images and --out where every node "
                "sees them under the same path"
            )
    return score_shard(_loaded(detector, device), shard, request)


@lru_cache(maxsize=1)
def _loaded(detector: Path, device: str) -> Detector:
    return load_detector(detector, device)


def score_shard(detector: Detector, shard: Shard, request: ScoringRequest) -> Counts:
    """Score a shard's images, a batch at a time, into its output; no line is ever left out."""
    cuts = cuts_at(detector, request.operating_point)
    options = decode_options(detector, request.strict)
    target = shard.output(request.folder)
    with runs.atomic_file(target) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        decoded = _decoded(Path(shard.source), options)
        batches = iter(lambda: list(islice(decoded, BATCH)), [])
        lines = chain.from_iterable(score_batch(detector, batch, cuts) for batch in batches)
        while rows := [asdict(line) for line in islice(lines, ROWS)]:
            writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
    return counts_of(target)


def counts_of(output: Path) -> Counts:
    """Count the lines of an output."""
    table = pq.read_table(output, columns=["error", "conversion"], partitioning=None)
    conversions = Counter(table["conversion"].to_pylist())
    return Counts(len(table), len(table) - table["error"].null_count, dict(conversions))


def _decoded(source: Path, options: DecodeOptions) -> Iterator[Decoded]:
    if source.suffix.lower() == PARQUET:
        return decode_parquet(source, options)
    entries: list[Entry] = json.loads(source.read_text(encoding="utf-8"))
    return (
        Decoded(Path(name), None, error) if error else decode(Path(name), options)
        for name, error in entries
    )
