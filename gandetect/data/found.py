"""Image files of a data set as they are found, what is left out and why, and how names compare."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from gandetect.data.folders import PassedOver

LeftOut = list[dict[str, str]]

# What people call the parts of a data set that comes split, and what we call them.
SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)  # there may be a million
class FoundFile:
    """A file: ``path`` from the data set's folder on; class, group and split may be ""."""

    path: str
    class_name: str
    group: str = ""
    split: str = ""


@dataclass
class FoundFiles:
    """Image files of every class, none decoded yet; and what is left out, with the reason.

    ``passed`` counts what is no picture.
    """

    root: Path
    files: list[FoundFile] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=list)
    passed: PassedOver = field(default_factory=PassedOver)

    def leave_out(self, path: str, reason: str) -> None:
        """Note a file that cannot be used."""
        leave_out(self.left_out, path, reason)

    def sort(self) -> None:
        """Sort by path; files whose names are no UTF-8 are left out."""
        for file in self.files:
            if file.path != readable(file.path):
                self.leave_out(file.path, "has a name that is not UTF-8; rename it")
        self.files = sorted(
            (file for file in self.files if file.path == readable(file.path)),
            key=lambda file: file.path,
        )
        self.left_out.sort(key=lambda entry: (entry["path"], entry["reason"]))


def leave_out(left_out: LeftOut, path: str, reason: str) -> None:
    """Note a file that cannot be used; the reason reads on from its name."""
    left_out.append({"path": readable(path), "reason": reason})


def same_text(name: str) -> str:
    """A name as it is compared where it is not found as it is: no edges, no case, one Unicode form.

    >>> same_text(" Été ") == same_text("e\u0301te\u0301")
    True
    """
    return unicodedata.normalize("NFC", name.strip().casefold())


Listings = dict[Path, dict[str, list[str]]]  # names of each folder by their NFC form


def on_disk(root: Path, path: str, known: Listings) -> str | None:
    """The path as it stands on the disk, where only the Unicode form of its letters differs.

    What one system writes as one letter, é, another writes as two, e and an accent. None where
    there is no such path, or more than one. ``known`` keeps what was listed, for the next path.
    """
    if path.isascii():
        return None
    parts: list[str] = []
    for part in path.split("/"):
        folder = root.joinpath(*parts)
        if folder not in known:
            known[folder] = _names_by_form(folder)
        names = known[folder].get(unicodedata.normalize("NFC", part), [])
        if len(names) != 1:
            return None
        parts.append(names[0])
    return "/".join(parts)


def _names_by_form(folder: Path) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    try:
        for entry in os.scandir(folder):
            names.setdefault(unicodedata.normalize("NFC", entry.name), []).append(entry.name)
    except OSError:
        return {}
    return names


def readable(path: str) -> str:
    """The path with bytes that are no UTF-8 written as escapes."""
    return path.encode(errors="backslashreplace").decode()


def written(path: str | os.PathLike[str]) -> str:
    """A path as a table can hold it: UTF-8, and no two files alike.

    A byte that is no UTF-8 is written ``\\xff``, in hexadecimal. Where a name has such bytes, or
    holds that very text, each of its backslashes is doubled; any other name stays as it is.

    >>> written("a.png"), written(os.fsdecode(b"\\xff.png")), written(r"\\xff.png")
    ('a.png', '\\\\xff.png', '\\\\\\\\xff.png')
    """
    name = os.fsencode(path)
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return text.replace("\\", "\\\\") if re.search(r"\\x[0-9a-f]{2}", text) else text


def left_out_sentences(entries: LeftOut, listed: str = "data/data.json") -> list[str]:
    """One warning for all files that are left out, the first three named; none for none.

    ``listed`` is the file that names all.
    """
    if not entries:
        return []
    shown = "; ".join(f"{entry['path']}: {entry['reason']}" for entry in entries[:3])
    more = f"; and {len(entries) - 3} more (all in {listed})" if len(entries) > 3 else ""
    return [f"{len(entries)} file(s) are left out: {shown}{more}"]
