"""Files of scores as tables: CSV and its kin, Parquet, JSON lines, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet
from pyarrow import json as json_lines

from gandetect.data.tables import decoded, separator_of, stated_separator
from gandetect.errors import DataError, shortened

MOST_NAMES = 2**31 - 1
SAMPLE = 1 << 18  # bytes that the encoding and the separator are told by
EMPTY = ["", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None"]
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f]")  # what no table of scores holds
PACKED = (".gz", ".bz2", ".zst")


def read_scores_table(path: Path) -> pd.DataFrame:
    """Read a file of scores by its suffix: Parquet, JSON lines, JSON, else text with separators.

    The file may be packed (``.gz``, ``.bz2``, ``.zst``). Encoding and separator are told by its
    beginning. Raises `DataError` where it cannot be read, or holds no rows.
    """
    suffixes = [one for one in path.suffixes if one.lower() not in PACKED]
    reader = READERS.get(suffixes[-1].lower() if suffixes else "", _read_text)
    try:
        path.stat()  # told in the system's words where there is none
        table = reader(path)
    except (OSError, TypeError, ValueError, RecursionError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise DataError(
            f"{str(path)!r} cannot be read as a table of scores ({shortened(reason, 200)}); "
            "expected CSV, TSV, Parquet, JSON lines or JSON, one row an image"
        ) from None
    if not len(table):
        raise DataError(f"{str(path)!r} holds no rows; expected a row for each score")
    table = table.rename_columns([name.strip() for name in table.column_names])
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise DataError(f"{str(path)!r} has several columns {twice[0]!r}; name each column once")
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field.name, table.column(place).dictionary_encode())
    pool = pa.default_memory_pool()
    pool.release_unused()
    table = table.unify_dictionaries()
    pool.release_unused()
    columns: dict[str, Any] = {}
    for name in table.column_names:  # one at a time, so that no more than one is there twice
        column = table.column(name)
        table = table.drop_columns([name])
        columns[name] = _as_pandas(column)
        del column
        pool.release_unused()
    return pd.DataFrame(columns, copy=False)


def _as_pandas(column: pa.ChunkedArray) -> Any:
    """A column of a table; names that repeat are categories, whose texts are held once."""
    if not pa.types.is_dictionary(column.type):
        return column.to_pandas()
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in column.chunks]
    names = pd.Index(column.chunk(0).dictionary.to_pandas())
    return pd.Categorical.from_codes(np.concatenate(codes), names)


def _read_text(path: Path) -> pa.Table:
    with pa.input_stream(str(path)) as file:
        content = file.read(SAMPLE)
    if b"\0" not in content:  # whole lines only; in UTF-16 a line has other ends
        content = content[: content.rfind(b"\n") + 1] or content
    text, encoding = decoded(content)
    if NO_TEXT.search(text):
        raise ValueError("it holds no text")
    rest, separator = stated_separator(text)
    delimiter = separator or separator_of(rest, ("label", "score", "image"))
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text)
    edge = rf'[{re.escape(delimiter)}\s"]'  # of a cell; a decimal comma is no separator
    comma = delimiter != "," and re.search(rf"{edge}-?\d+,\d+(e[+-]?\d+)?{edge}", rest, re.I)
    convert = csv.ConvertOptions(
        decimal_point="," if comma else ".",
        null_values=EMPTY,
        strings_can_be_null=True,
        auto_dict_encode=True,  # so that an image's name is held once
        auto_dict_max_cardinality=MOST_NAMES,
    )
    for tried in dict.fromkeys((encoding, "cp1252")):
        read = csv.ReadOptions(encoding=tried, skip_rows=int(bool(separator)))
        try:
            with pa.input_stream(str(path)) as file:
                return csv.read_csv(file, read, parse, convert)
        except (UnicodeDecodeError, pa.ArrowInvalid) as error:
            if "UTF8" not in str(error) and not isinstance(error, UnicodeDecodeError):
                raise
    raise ValueError("its letters are of no known encoding")


def _read_parquet(path: Path) -> pa.Table:
    texts = [one.name for one in parquet.read_schema(path) if pa.types.is_string(one.type)]
    return parquet.read_table(path, read_dictionary=texts)


def _read_json(path: Path) -> pa.Table:
    """A list of rows, or an object with one in ``results``; or ``samples`` by detector."""
    with pa.input_stream(str(path)) as file:
        stored = json.loads(file.read())
    rows = stored.get("results", stored) if isinstance(stored, Mapping) else stored
    if isinstance(rows, Mapping):
        rows = [{"detector": name, **row} for name, one in rows.items()
                if isinstance(one, Mapping) for row in one.get("samples") or ()]  # fmt: skip
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("it is neither a list of rows nor of samples by detector")
    return pa.Table.from_pylist(rows)


READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": lambda path: json_lines.read_json(str(path)),
    ".ndjson": lambda path: json_lines.read_json(str(path)),
    ".json": _read_json,
}
