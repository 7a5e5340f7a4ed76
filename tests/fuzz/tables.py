"""Tables of labels, well and badly written: no wrong label, and no traceback.

A table that says the same in other bytes (another separator, encoding, quotes, spelling of a
number, order of rows and columns) has to give the very same labels. A damaged one is answered by
`gandetect data check EXPERIMENT.toml` with what was found, or with one sentence.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gandetect.config import CsvDataConfig
from gandetect.data.labelled import find_labelled
from gandetect.errors import GandetectError

from .judging import problem_with

Rows = list[list[str]]
NAMES = [
    "0001",
    "été 2",
    "a,b",
    "semi;colon",
    'quo"te',
    "-dash",
    "tab\tted",
    "19582218195625938945",
]
PAIRS = [("1", "0"), ("real", "fake"), ("1582218195625938945", "1582218195625938946"), ("01", "1")]
PAIRS += [("é", "è"), ("nan", "null"), ("-1", "1"), ("TRUE", "FALSE"), ("1.5", "1"), ("0", "00")]
CELLS = ["", " ", "1", "0", "2", "1.0", "1e0", "nan", "real", "9" * 5000, "x" * 200_000, "../../x"]
CELLS += [
    "/etc/passwd",
    "\\\\server\\x",
    "C:\\x.png",
    "a\nb",
    '"',
    "'",
    ";",
    "\ufeff",
    "\u202e",
    "=1+1",
]


def run(count: int, seed: int, until: float) -> list[str]:
    """Try so many tables, fewer where time is up; what went wrong, as text."""
    rng, failures = random.Random(seed), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _save_images(folder / "set" / "images")
        for number in range(count):
            if time.monotonic() > until:
                break
            pair = rng.choice(PAIRS)
            truth = {f"images/{name}.png": pair[n % 2] for n, name in enumerate(NAMES)}
            if rng.random() < 0.5:
                content, problem = _harmless(rng, folder, truth, pair)
            else:
                content, problem = _harmful(rng, folder, truth, pair)
            if problem is not None:
                failures.append(f"table {number}, labels {pair}: {problem}\n{content[:2000]!r}")
    return failures


def _harmless(
    rng: random.Random, folder: Path, truth: dict[str, str], pair: tuple[str, str]
) -> tuple[bytes, str | None]:
    """A table that says the truth in some way or other: it has to be read as just that."""
    content = _written(rng, _rows(rng, truth, spelt=True))
    (folder / "set" / "train.csv").write_bytes(content)
    try:
        table = find_labelled(_config(pair), folder).table
    except GandetectError as error:
        return content, f"refused: {str(error)[:300]}"
    found = dict(zip(table["path"], table["class_name"], strict=True))
    return content, None if found == truth else f"read as {found}, and it says {truth}"


def _harmful(
    rng: random.Random, folder: Path, truth: dict[str, str], pair: tuple[str, str]
) -> tuple[bytes, str | None]:
    """A damaged table, checked by the command: any answer, but no traceback."""
    rows = _rows(rng, truth, spelt=False)
    for _ in range(rng.randint(1, 3)):
        rng.choice(DAMAGE)(rng, rows)
    content = _written(rng, rows)
    if rng.random() < 0.4:
        content = _scrambled(rng, content)
    (folder / "set" / "train.csv").write_bytes(content)
    experiment = folder / "experiment.toml"
    options = rng.choice(["", 'split_column = "label"\n', 'group_column = "more"\n'])
    options += rng.choice(["", 'group_pattern = "^([a-z]+)"\n', "allow_contradictions = true\n"])
    experiment.write_text(
        f'name = "x"\n[data]\nname = "csv"\npath = "set"\n{options}'
        f'classes = {{ {json.dumps(pair[0])} = "real", {json.dumps(pair[1])} = "generated" }}\n'
        '[[classifiers]]\nrecipe = "cnn-small"\n',
        encoding="utf-8",
    )
    command = ["data", "check", str(experiment), "--data-dir", str(folder), "--workers", "1"]
    return content, problem_with([*command, "--json"])


def _config(pair: tuple[str, str]) -> CsvDataConfig:
    classes = {pair[0]: "real", pair[1]: "generated"}
    return CsvDataConfig(name="csv", path="set", classes=classes)


def _rows(rng: random.Random, truth: dict[str, str], *, spelt: bool) -> Rows:
    """A header and a row for each image, columns in any order."""
    columns = ["image", "label", "more"]
    rng.shuffle(columns)
    rows = []
    numbers = all(label.isdecimal() for label in truth.values())
    distinct = len({label.lstrip("0") for label in truth.values()}) == len(set(truth.values()))
    for path, label in truth.items():
        if spelt and numbers and distinct:
            label = rng.choice([label, f"{label}.0", f"0{label}", f"+{label}", f" {label} "])
        name = rng.choice([path, path.removesuffix(".png"), path.replace("/", "\\")])
        cells = {"image": name, "label": label, "more": rng.choice(["", "x", "3"])}
        rows.append([cells[column] for column in columns])
    rng.shuffle(rows)
    return [columns, *rows]


def _written(rng: random.Random, rows: Rows) -> bytes:
    """The rows as bytes, in one of the ways that programs write tables."""
    separator, told = rng.choice([",", ";", "\t", "|"]), ""
    if rng.random() < 0.2:
        separator = rng.choice([",", ";", "\t", "|", ":"])
        told = f"sep={separator}"
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    end = rng.choice(["\n", "\r\n"])
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows(rows)
    lines = (told + end if told else "") + text.getvalue() + rng.choice(["", end, end * 3])
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
    mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" and rng.random() < 0.5 else b""
    try:
        return mark + lines.encode(encoding)
    except UnicodeEncodeError:
        return lines.encode("utf-8")


# Damage to rows, in place.


def _other_cell(rng: random.Random, rows: Rows) -> None:
    row = rng.choice(rows)
    if row:
        row[rng.randrange(len(row))] = rng.choice(CELLS)


def _other_length(rng: random.Random, rows: Rows) -> None:
    row = rng.choice(rows)
    if row and rng.random() < 0.5:
        row.pop()
    else:
        row.append(rng.choice(CELLS))


def _again(rng: random.Random, rows: Rows) -> None:
    rows.append(list(rng.choice(rows)))


def _contradiction(rng: random.Random, rows: Rows) -> None:
    first, second = rng.choice(rows), rng.choice(rows)
    for place in range(min(len(first), len(second))):
        if rng.random() < 0.5:
            first[place] = second[place]


def _fewer(rng: random.Random, rows: Rows) -> None:
    del rows[rng.randrange(len(rows)) :]
    rows.append([])


DAMAGE: list[Callable[[random.Random, Rows], None]] = [
    *(_other_cell, _other_cell, _other_length, _again, _contradiction, _fewer)
]


def _scrambled(rng: random.Random, content: bytes) -> bytes:
    letters = bytearray(content)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(letters) + 1)
        letters[place : place + rng.randint(0, 4)] = rng.randbytes(rng.randint(0, 3))
    return bytes(letters)


def _save_images(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        pixels = np.random.default_rng(number).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
