"""Labelled images in a table: one row for each, with the images in a folder beside it."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from gandetect.config import CsvDataConfig
from gandetect.data.found import SPLIT_WORDS, FoundFile, FoundFiles, Listings, on_disk
from gandetect.data.signatures import SUFFIXES
from gandetect.data.tables import Row, read_table
from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown


def add_rows(config: CsvDataConfig, found_files: FoundFiles) -> None:
    """Find the image files that the rows of a table name, but for those of ignored classes.

    Labels are found among the classes as `found_class` says. Raises `DataError` for a row without a
    label or with an unknown one, an image with two labels, a name that leads out of the data set's
    folder, and when more than half of the images are missing; `UsageError` for a column or a class
    that is not in the table.
    """
    rows = _rows(config, found_files.root)
    lines: dict[str, tuple[int, FoundFile]] = {}
    missing: list[tuple[str, str]] = []  # class and path
    named: Counter[str] = Counter()
    known: Listings = {}
    for line, row in rows:
        where = f"line {line} of {config.table!r}"
        name = _class_of(row, config, where)
        ignored = config.classes[name] == "ignored"
        named[name] += not ignored
        if ignored:
            continue
        path = _path_in(config.images_folder, row[config.image_column], where)
        file, reason = _existing(found_files.root, path, known)
        if reason:
            missing.append((name, path))
            found_files.leave_out(path, f"{reason}; {where} names it")
            continue
        group = _plain(row[config.group_column]) if config.group_column else ""
        entry = FoundFile(file, name, group, _split(row, config, where))
        first, other = lines.setdefault(file, (line, entry))
        if first != line:
            _refuse_contradiction(other, entry, (first, line), config.table)
            found_files.leave_out(file, f"{where} names it again, after line {first}")
    _require_classes(config, rows, named)
    _require_images(config, found_files.root, named, missing)
    found_files.files += [entry for _, entry in lines.values()]


def _rows(config: CsvDataConfig, root: Path) -> list[tuple[int, Row]]:
    path = root / config.table
    if not path.is_file():
        names = sorted(entry.name for entry in root.iterdir() if entry.is_file())
        raise DataError(
            f"table {config.table!r} is not in {str(root)!r}; the files there are: "
            f"{listed(names)}{did_you_mean(config.table, names)}"
        )
    if not (root / config.images_folder).is_dir():
        raise DataError(
            f"images_folder {config.images_folder!r} is not in {str(root)!r}; give the folder "
            "where the names of the image column start"
        )
    optional = (config.group_column, config.split_column)
    wanted = [config.image_column, config.label_column, *filter(None, optional)]
    return read_table(path, wanted)


def found_class(label: str, classes: Sequence[str]) -> str | None:
    """The class that a label of a table names; None where there is none, or more than one.

    That is the class of just this text, else the one of the same whole number: a sign, zeros in
    front and ``.0`` behind do not count. Every digit does, however many there are.

    >>> found_class("1.0", ["0", "1"]), found_class("01", ["1", "01"]), found_class("1", ["one"])
    ('1', '01', None)
    """
    if label in classes:
        return label
    alike = [name for name in classes if _plain(name) == _plain(label)]
    return alike[0] if len(alike) == 1 else None


def _plain(label: str) -> str:
    """A label as it is compared: stripped, in one Unicode form, and of a whole number its digits.

    It stays text: a float would lose the last digits of a number of 19.
    """
    label = unicodedata.normalize("NFC", label.strip())
    number = re.fullmatch(r"([+-]?)0*([0-9]+)(\.0*)?", label)
    if number is None:
        return label
    minus = "-" if number[1] == "-" and number[2] != "0" else ""
    return minus + number[2]


def _class_of(row: Row, config: CsvDataConfig, where: str) -> str:
    label = row[config.label_column]
    if not label:
        raise DataError(
            f"{where} has no label in column {config.label_column!r} (image "
            f"{row[config.image_column]!r}); fill it in or take the row out"
        )
    name = found_class(label, list(config.classes))
    if name is None:
        alike = [one for one in config.classes if _plain(one) == _plain(label)]
        state = f"could be any of {listed(alike)}" if alike else "is not in classes"
        raise DataError(
            f"{where} has label {shown(label)}, which {state}; those are: "
            f"{listed(list(config.classes))}{did_you_mean(label, config.classes)}"
        )
    return name


def _path_in(folder: str, name: str, where: str) -> str:
    """The path from the data set's folder on; refused when it leads out of it."""
    if not name:
        raise DataError(f"{where} names no image; fill it in or take the row out")
    path = posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))
    if posixpath.isabs(path) or PureWindowsPath(path).drive or path.split("/")[0] == "..":
        raise DataError(
            f"{where} names the image {name!r}, which leads out of the data set's folder; give "
            "names relative to images_folder"
        )
    return path


def _existing(root: Path, path: str, known: Listings) -> tuple[str, str]:
    """The path of the file of that name, suffix added where it lacks one, or what is wrong."""
    # Unlike Path.is_file, os.path's answers False to names that are too long for any file.
    if os.path.isfile(root / path):  # noqa: PTH113
        return path, ""
    path = on_disk(root, path, known) or path
    names = [path + suffix for lower in sorted(SUFFIXES) for suffix in (lower, lower.upper())]
    existing = [name for name in (path, *names) if os.path.isfile(root / name)]  # noqa: PTH113
    if len(existing) > 1 and existing[0] != path:
        return path, f"could be any of {', '.join(existing)}"
    return (existing[0], "") if existing else (path, "does not exist")


def _split(row: Row, config: CsvDataConfig, where: str) -> str:
    if config.split_column is None:
        return ""
    split = row[config.split_column]
    if split.lower() not in SPLIT_WORDS:
        raise DataError(
            f"{where} has {split!r} in column {config.split_column!r}; expected train, "
            f"validation (or val) or test{did_you_mean(split, SPLIT_WORDS)}"
        )
    return SPLIT_WORDS[split.lower()]


def _refuse_contradiction(
    one: FoundFile, other: FoundFile, lines: tuple[int, int], table: str
) -> None:
    for kind, first, second in (
        ("label", one.class_name, other.class_name),
        ("group", one.group, other.group),
        ("split", one.split, other.split),
    ):
        if first != second:
            raise DataError(
                f"lines {lines[0]} and {lines[1]} of {table!r} both name the image {one.path!r}, "
                f"with {kind} {first!r} and {second!r}; take one of them out"
            )


def _require_classes(
    config: CsvDataConfig, rows: Sequence[tuple[int, Row]], named: Counter[str]
) -> None:
    for name in config.classes:
        if name not in named:
            labels = sorted({row[config.label_column] for _, row in rows})
            raise UsageError(
                f"class {name!r} is no label of table {config.table!r}; column "
                f"{config.label_column!r} holds: {listed(labels)}{did_you_mean(name, labels)}"
            )


def _require_images(
    config: CsvDataConfig, root: Path, named: Counter[str], missing: Sequence[tuple[str, str]]
) -> None:
    """Refuse a table when more than half of its images are missing, or all of one class."""
    lost = Counter(name for name, _ in missing)
    whole = [name for name in lost if lost[name] == named[name]]
    if len(missing) * 2 > named.total():
        of, examples, total = "", missing, named.total()
    elif whole:
        of, total = f" of class {shown(whole[0])}", named[whole[0]]
        examples = [one for one in missing if one[0] == whole[0]]
    else:
        return
    raise DataError(
        f"{len(examples):,} of the {total:,} images{of} that table {config.table!r} names are "
        f"missing, for example {shown(str(root / examples[0][1]), 200)}; images_folder says where "
        f"the names start (now {config.images_folder!r})"
    )
