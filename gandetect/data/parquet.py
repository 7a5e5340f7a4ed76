"""Images in Parquet files: their bytes in a column ``bytes``, their names in ``path``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gandetect.data.streaming import BATCH, Decoded, DecodeOptions, decode
from gandetect.errors import DataError

PARQUET = ".parquet"
BYTES, PATH = "bytes", "path"


def images_in_parquet(source: Path) -> int:
    """How many rows of image bytes a file has; `DataError` where it holds none."""
    try:
        with pq.ParquetFile(source) as file:
            _require_bytes(file)
            return int(file.metadata.num_rows)
    except (pa.ArrowException, OSError, _NoBytes) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{str(source)!r} cannot be read as Parquet ({reason}); give a file with images as "
            f"PNG or JPEG bytes in a column {BYTES!r}"
        ) from None


def decode_parquet(source: Path, options: DecodeOptions) -> Iterator[Decoded]:
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
        message = (
            f"{str(source)!r} cannot be read from row {number} on ({reason}); get an intact copy"
        )
        yield Decoded(source, None, message)


class _NoBytes(Exception):
    """A table without images."""


def _rows(source: Path) -> Iterator[tuple[str | None, bytes | None]]:
    with pq.ParquetFile(source) as file:
        kinds = _require_bytes(file)
        columns = [BYTES, *([PATH] if PATH in kinds else [])]
        for batch in file.iter_batches(BATCH, columns=columns):
            for row in batch.to_pylist():
                name: Any = row.get(PATH)
                yield (None if name is None else str(name)), row[BYTES]


def _require_bytes(file: pq.ParquetFile) -> dict[str, Any]:
    """The columns with their types, among them that of the bytes."""
    kinds = {field.name: field.type for field in file.schema_arrow}
    if not any(kinds.get(BYTES) == kind for kind in (pa.binary(), pa.large_binary())):
        raise _NoBytes(f"it has no binary column {BYTES!r}, but: {', '.join(kinds)}")
    return kinds
