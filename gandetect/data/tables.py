"""Reads a table of text, such as a CSV file of labels, without guessing what its cells mean."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from gandetect.errors import DataError, UsageError, did_you_mean

SEPARATORS = (",", ";", "\t", "|")
Row = dict[str, str]


def read_table(path: Path, columns: Sequence[str]) -> list[tuple[int, Row]]:
    """Read a table that has at least these columns; every cell stays the text that it is, stripped.

    Returns the rows by column name, each after the line of the file where it ends. The separator is
    a comma, semicolon, tab or bar, the encoding UTF-8, UTF-16 or Windows' Latin, with or without a
    byte order mark. A first line such as ``sep=;``, which spreadsheets write, names the separator.
    Empty lines are passed over. Raises `DataError` for a file that is missing, empty or no table,
    and `UsageError` for a column that is not there.
    """
    text, separator = stated_separator(decoded(_content(path))[0])
    separator = separator or separator_of(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, Row]] = []
    header: list[str] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if header:
                rows.append((reader.line_num, _row(path, header, stripped, reader.line_num)))
            else:
                header = stripped
                _check_header(path, header, columns)
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num} of table {str(path)!r} cannot be read ({error}); "
            "look there for a quotation mark that is not closed"
        ) from None
    if not rows:
        raise DataError(
            f"table {str(path)!r} holds no rows; expected a line of column names, "
            "then one line for each image"
        )
    return rows


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"table {str(path)!r} cannot be read: {error.strerror}") from None


def decoded(content: bytes) -> tuple[str, str]:
    """The text, and its encoding: UTF-8, UTF-16 or Windows' Latin."""
    encodings = ["utf-8-sig", "cp1252"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content[:200]:  # UTF-16 without its mark: every other byte of letters is zero
        encodings = ["utf-16-be" if content[:1] == b"\0" else "utf-16-le"]
    for encoding in encodings:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1"), "latin-1"  # which knows a letter for every byte


def stated_separator(text: str) -> tuple[str, str]:
    """The text without its ``sep=;`` (an empty line in its place), and the separator or ""."""
    line = re.match(r'(\s*)"?sep=([^"\r\n])"?\2*[ \t]*(?=\r|\n|$)', text, re.IGNORECASE)
    if line is None:
        return text, ""
    return line[1] + text[line.end() :], line[2]


def separator_of(text: str, columns: Sequence[str]) -> str:
    """The separator that finds most of the wanted columns in the header, else most columns."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def fits(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=separator), [])
        except csv.Error:  # one cell too long for any; reading says so with its line
            return 0, 0
        names = [name.strip() for name in cells]
        return sum(column in names for column in columns), len(names)

    return max(SEPARATORS, key=fits)


def _check_header(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    for column in columns:
        if column not in names:
            raise UsageError(
                f"table {str(path)!r} has no column {column!r}; its columns are: "
                f"{', '.join(names)}{did_you_mean(column, names)}"
            )
        if names.count(column) > 1:
            raise DataError(
                f"table {str(path)!r} has {names.count(column)} columns {column!r}; "
                "give each a name of its own"
            )


def _row(path: Path, header: Sequence[str], cells: list[str], line: int) -> Row:
    while len(cells) > len(header) and not cells[-1]:  # spreadsheets leave separators behind
        cells.pop()
    if len(cells) != len(header):
        raise DataError(
            f"line {line} of table {str(path)!r} has {len(cells)} cell(s), but the table has "
            f"{len(header)} columns; quote cells that hold the separator"
        )
    return dict(zip(header, cells, strict=True))
