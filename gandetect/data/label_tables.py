"""Labelled images in a table: one row for each, with the images in a folder beside it."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from gandetect.config import CsvDataConfig
from gandetect.data.found import (
    SPLIT_WORDS,
    FoundFile,
    LeftOut,
    Listings,
    leave_out,
    listed,
    on_disk,
)
from gandetect.data.images import SUFFIXES
from gandetect.data.tables import Row, TextTable, read_table
from gandetect.errors import DataError, UsageError, did_you_mean, shown


def files_in_table(config: CsvDataConfig, root: Path, left_out: LeftOut) -> list[FoundFile]:
    """Image files that the rows of a table name, but for those of ignored classes.

    Labels are found among the classes as `found_class` says. Raises
    `DataError` for a row without a label or with an unknown one, an image with two labels, a name
    that leads out of the data set's folder, and when more than half of the images are missing;
    `UsageError` for a column or a class that is not in the table.
    """
    table = _table(config, root)
    found: dict[str, tuple[FoundFile, int]] = {}
    seen: set[str] = set()
    named, missing = Counter[str](), Counter[str]()
    examples: dict[str, str] = {}
    known: Listings = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        where = f"line {line} of {config.table!r}"
        class_name = _class_of(row, config, where)
        seen.add(class_name)
        if config.classes[class_name] == "ignored":
            continue
        path = _path_in(config.images_folder, row[config.image_column], where)
        named[class_name] += 1
        file, reason = _existing(root, path, known)
        if reason:
            missing[class_name] += 1
            examples.setdefault(class_name, path)
            leave_out(left_out, path, f"{reason}; {where} names it")
            continue
        group = _plain(row[config.group_column]) if config.group_column else ""
        one = FoundFile(file, class_name, group, _split(row, config, where))
        if file in found:
            _refuse_contradiction(*found[file], one, line, config.table)
            leave_out(left_out, file, f"{where} names it again, after line {found[file][1]}")
            continue
        found[file] = one, line
    _require_classes(config, table, seen)
    _require_images(config, root, named, missing, examples)
    return [one for one, _ in found.values()]


def _require_images(
    config: CsvDataConfig,
    root: Path,
    named: Counter[str],
    missing: Counter[str],
    examples: Mapping[str, str],
) -> None:
    """Refuse a table of which more than half the images are missing, or all of one class."""
    whole = next((name for name in missing if missing[name] == named[name]), None)
    if missing.total() * 2 > named.total():
        of, lost, total, example = "", missing.total(), named.total(), next(iter(examples.values()))
    elif whole is not None:
        of, lost, total = f" of class {shown(whole)}", missing[whole], named[whole]
        example = examples[whole]
    else:
        return
    raise DataError(
        f"{lost:,} of the {total:,} images{of} that table {config.table!r} names are missing, for "
        f"example {shown(str(root / example), 200)}; images_folder says where the names start "
        f"(now {config.images_folder!r})"
    )


def _table(config: CsvDataConfig, root: Path) -> TextTable:
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
    wanted = (
        config.image_column,
        config.label_column,
        config.group_column,
        config.split_column,
    )
    return read_table(path, [column for column in wanted if column is not None])


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
    given = row[config.label_column]
    if not given:
        raise DataError(
            f"{where} has no label in column {config.label_column!r} (image "
            f"{row[config.image_column]!r}); fill it in or take the row out"
        )
    name = found_class(given, list(config.classes))
    if name is None:
        alike = [one for one in config.classes if _plain(one) == _plain(given)]
        state = f"could be any of {listed(alike)}" if alike else "is not in classes"
        raise DataError(
            f"{where} has label {shown(given)}, which {state}; those are: "
            f"{listed(list(config.classes))}{did_you_mean(given, config.classes)}"
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
    if _is_file(root / path):
        return path, ""
    path = on_disk(root, path, known) or path
    if _is_file(root / path):
        return path, ""
    names = (path + suffix for lower in sorted(SUFFIXES) for suffix in (lower, lower.upper()))
    found = [name for name in names if _is_file(root / name)]
    if len(found) > 1:
        return path, f"could be any of {', '.join(found)}"
    return (found[0], "") if found else (path, "does not exist")


def _is_file(path: Path) -> bool:
    # Unlike Path.is_file, it answers False to names that are too long for any file.
    return os.path.isfile(path)  # noqa: PTH113


def _split(row: Row, config: CsvDataConfig, where: str) -> str:
    if config.split_column is None:
        return ""
    given = row[config.split_column]
    if given.lower() not in SPLIT_WORDS:
        raise DataError(
            f"{where} has {given!r} in column {config.split_column!r}; expected train, "
            f"validation (or val) or test{did_you_mean(given, SPLIT_WORDS)}"
        )
    return SPLIT_WORDS[given.lower()]


def _refuse_contradiction(
    first: FoundFile, line: int, second: FoundFile, again: int, table: str
) -> None:
    for kind, one, other in (
        ("label", first.class_name, second.class_name),
        ("group", first.group, second.group),
        ("split", first.given_split, second.given_split),
    ):
        if one != other:
            raise DataError(
                f"lines {line} and {again} of {table!r} both name the image {first.path!r}, with "
                f"{kind} {one!r} and {other!r}; take one of them out"
            )


def _require_classes(config: CsvDataConfig, table: TextTable, seen: set[str]) -> None:
    for name in config.classes:
        if name not in seen:
            labels = sorted({row[config.label_column] for row in table.rows})
            raise UsageError(
                f"class {name!r} is no label of table {config.table!r}; column "
                f"{config.label_column!r} holds: {listed(labels)}{did_you_mean(name, labels)}"
            )
