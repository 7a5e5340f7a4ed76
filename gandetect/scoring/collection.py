"""Scores a collection shard by shard, each into a Parquet file that is there only when it is done.

Who does the shards is left to the caller: this process one after the other, or `on_ray`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from gandetect import runs
from gandetect.data.streaming import BATCH, Decoded, DecodeOptions, decode
from gandetect.detectors.protocol import Detector
from gandetect.scoring.paths import ScoredImage, decode_options, score_batch
from gandetect.scoring.shards import PARQUET, Entry, Order, Shard

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
BYTES, PATH = "bytes", "path"
Item = TypeVar("Item")


@dataclass(frozen=True)
class Counts:
    """How many images a shard holds, how many have no score, and how many were converted how."""

    images: int
    failed: int
    conversions: dict[str, int]


# Scores these shards in any order, and yields each one's counts as it is done.
Work = Callable[[Sequence[Shard]], Iterable[Counts]]


def score_collection(shards: Sequence[Shard], order: Order, work: Work) -> Iterator[Counts]:
    """Score what is not done yet; yields every shard's counts, those of done ones first."""
    done = [shard for shard in shards if shard.output(order.folder).exists()]
    for shard in done:
        yield counts_of(shard.output(order.folder))
    yield from work([shard for shard in shards if shard not in set(done)])


def score_here(detector: Detector, order: Order) -> Work:
    """Let this process do one shard after the other."""
    return lambda shards: (score_shard(detector, shard, order) for shard in shards)


def score_shard(detector: Detector, shard: Shard, order: Order) -> Counts:
    """Score a shard's images, a batch at a time, into its output; no line is ever left out."""
    threshold = detector.threshold(order.operating_point)
    options = decode_options(detector, order.strict)
    target = shard.output(order.folder)
    with runs.atomic_file(target) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        lines = _score_all(detector, _decoded(Path(shard.source), options), threshold)
        while rows := [asdict(line) for line in islice(lines, ROWS)]:
            writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
    return counts_of(target)


def counts_of(output: Path) -> Counts:
    """Count the lines of an output."""
    table = pq.read_table(output, columns=["error", "conversion"], partitioning=None)
    conversions = Counter(table["conversion"].to_pylist())
    return Counts(len(table), len(table) - table["error"].null_count, dict(conversions))


def _score_all(
    detector: Detector, decoded: Iterable[Decoded], threshold: float
) -> Iterator[ScoredImage]:
    waiting = iter(decoded)
    while batch := list(islice(waiting, BATCH)):
        yield from score_batch(detector, batch, threshold)


def _decoded(source: Path, options: DecodeOptions) -> Iterator[Decoded]:
    if source.suffix.lower() == PARQUET:
        return _from_parquet(source, options)
    entries: list[Entry] = json.loads(source.read_text(encoding="utf-8"))
    return (
        Decoded(Path(name), None, error) if error else decode(Path(name), options)
        for name, error in entries
    )


def _from_parquet(source: Path, options: DecodeOptions) -> Iterator[Decoded]:
    """Decode rows of image bytes; what of the file cannot be read is one line with its error."""
    number = 0
    try:
        for name, content in _rows(source):
            path = Path(name or f"{source}#{number}")
            number += 1
            if content is None:
                yield Decoded(path, None, f"row {number - 1} of {str(source)!r} holds no bytes")
                continue
            yield decode(path, options, content)
    except (pa.ArrowException, OSError, _NoBytes) as error:
        reason = str(error).splitlines()[0]
        said = f"{str(source)!r} cannot be read from row {number} on ({reason}); get an intact copy"
        yield Decoded(source, None, said)


class _NoBytes(Exception):
    """A table without images."""


def _rows(source: Path) -> Iterator[tuple[str | None, bytes | None]]:
    with pq.ParquetFile(source) as file:
        kinds = {field.name: field.type for field in file.schema_arrow}
        if not any(kinds.get(BYTES) == kind for kind in (pa.binary(), pa.large_binary())):
            raise _NoBytes(f"it has no binary column {BYTES!r}, but: {', '.join(kinds)}")
        columns = [BYTES, *([PATH] if PATH in kinds else [])]
        for batch in file.iter_batches(BATCH, columns=columns):
            for row in batch.to_pylist():
                name: Any = row.get(PATH)
                yield (None if name is None else str(name)), row[BYTES]
