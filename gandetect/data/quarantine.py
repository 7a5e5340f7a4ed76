"""Moves bad files out of a data set, with a log that undoes it; nothing is lost on the way.

The log in the quarantine folder holds one JSON object a line: ``from`` (absolute), ``to``
(relative to the quarantine folder), ``reason``, ``sha256`` (null where a file cannot be read) and
``time``. A line is on the disk before its file moves, so a quarantine that was interrupted
anywhere can be gone on with, or undone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from uuid import uuid4

from gandetect.data.folders import behind_a_link
from gandetect.errors import DataError, UsageError

LOG = "quarantine.jsonl"
UNFINISHED = ".quarantine-tmp"
Progress = Callable[[int, int], None]
Entry = dict[str, Any]


@dataclass
class Outcome:
    """Which files were dealt with, and of the others a sentence each."""

    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_quarantine(folder: Path, target: Path) -> None:
    """Raise `UsageError` unless bad files of ``folder`` can be moved to ``target``.

    It must stand apart from the folder, and be new, empty, or a quarantine of the same folder.
    """
    ours, theirs = folder.resolve(), target.resolve()
    if theirs.is_relative_to(ours) or ours.is_relative_to(theirs):
        raise UsageError(
            f"quarantine {str(target)!r} and the data in {str(folder)!r} lie inside one another; "
            "give a folder that stands apart"
        )
    if target.exists() and not target.is_dir():
        raise UsageError(f"quarantine {str(target)!r} is not a folder; give a new or empty one")
    if (target / LOG).exists():
        for entry in read_log(target):
            if _home(entry) != ours:
                raise UsageError(
                    f"quarantine {str(target)!r} holds files of {str(_home(entry))!r}; give "
                    "another folder, or bring those back with `gandetect data restore`"
                )
    elif target.is_dir() and any(target.iterdir()):
        raise UsageError(
            f"quarantine {str(target)!r} is not empty and has no {LOG}; give a new or empty folder"
        )


def quarantine(
    folder: Path, reasons: Mapping[str, str], target: Path, progress: Progress | None = None
) -> Outcome:
    """Move files of a folder to a quarantine, where they keep their relative paths.

    ``reasons`` says of each path, relative to the folder, why. Nothing is overwritten; what cannot
    be moved, or is behind a link, stays and is named. Raises `UsageError` as `check_quarantine`
    does, and `DataError` when another process is at work there.
    """
    check_quarantine(folder, target)
    target.mkdir(parents=True, exist_ok=True)
    progress = progress or (lambda done, total: None)
    with _opened_log(target) as log:

        def move(path: str) -> None:
            _quarantine_one(folder.resolve(), path, reasons[path], target, log)

        return _each(folder, list(reasons), move, "stays where it is", progress)


def delete(folder: Path, paths: Iterable[str]) -> Outcome:
    """Delete files of a folder for good; what cannot be deleted, or is behind a link, is named."""
    return _each(folder, list(paths), lambda path: (folder / path).unlink(), "was not deleted")


def _each(
    folder: Path,
    paths: Sequence[str],
    act: Callable[[str], None],
    failed: str,
    progress: Progress = lambda done, total: None,
) -> Outcome:
    """Deal with one file after the other, but for those behind a link to another folder."""
    outcome = Outcome()
    for number, path in enumerate(paths):
        progress(number, len(paths))
        try:
            if behind_a_link(folder, path):
                raise OSError(0, "it is behind a link to another folder; give that folder itself")
            act(path)
            outcome.done.append(path)
        except OSError as error:
            outcome.problems.append(f"{path} {failed}: {_reason(error)}")
    progress(len(paths), len(paths))
    return outcome


def restore(target: Path) -> Outcome:
    """Bring all files of a quarantine back to where they came from, as its log says.

    A file is brought back only unchanged (by SHA-256) and only to a free place. What cannot be
    brought back stays in quarantine, keeps its line in the log, and is named. Raises `DataError`
    when there is no log, when it is damaged, or when the data set's folder is gone.
    """
    entries = read_log(target)
    for home in {_home(entry) for entry in entries}:
        if not home.is_dir():
            raise DataError(
                f"folder {str(home)!r}, which the files of quarantine {str(target)!r} came from, "
                "is gone; put it back first"
            )
    outcome, remaining = Outcome(), []
    with _opened_log(target):
        for entry in entries:
            try:
                if _restore_one(entry, target):
                    outcome.done.append(entry["to"])
            except OSError as error:
                remaining.append(entry)
                outcome.problems.append(f"{entry['to']} stays in quarantine: {_reason(error)}")
        _tidy(target, remaining)
    return outcome


def read_log(target: Path) -> list[Entry]:
    """Read a quarantine's log; a last line that was never finished moved nothing and is left out.

    Raises `DataError` when there is none or a line is damaged.
    """
    try:
        content = (target / LOG).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            f"{str(target)!r} is not a quarantine: it has no {LOG}; give a folder that "
            "`gandetect data check --quarantine` filled"
        ) from None
    entries = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(line)
            moved = PurePosixPath(entry["to"])
            if moved.is_absolute() or ".." in moved.parts or not _home(entry).is_absolute():
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise DataError(
                f"line {number} of {str(target / LOG)!r} is damaged; mend or remove it"
            ) from None
        entries.append(entry)
    return entries


def _quarantine_one(home: Path, path: str, reason: str, target: Path, log: BinaryIO) -> None:
    source, place = home / path, target / path
    _refuse_occupied(place)
    entry = {
        "from": str(source),
        "to": path,
        "reason": reason,
        "sha256": _digest(source),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    log.write(_line(entry))
    log.flush()
    os.fsync(log.fileno())
    _move(source, place)


def _restore_one(entry: Entry, target: Path) -> bool:
    """Bring one file back; False when it is there already, as after an interruption."""
    place, source = target / entry["to"], Path(entry["from"])
    back = os.path.lexists(source) and _digest(source) == entry["sha256"]
    if not os.path.lexists(place):
        if back:
            return False
        raise FileNotFoundError(errno.ENOENT, "it is missing here, and not back in its place")
    if _digest(place) != entry["sha256"]:
        raise OSError(errno.EINVAL, "it was changed here")
    if back:  # it was copied to another disk and not yet removed when that was interrupted
        place.unlink()
        return True
    _refuse_occupied(source)
    _move(place, source)
    return True


def _move(source: Path, place: Path) -> None:
    """Move a file; to another disk it is copied, and removed once the copy is on the disk."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(place)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    temporary = place.with_name(f".{uuid4().hex[:8]}{UNFINISHED}")
    try:
        shutil.copy2(source, temporary, follow_symlinks=False)
        if not temporary.is_symlink():
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.rename(place)
    finally:
        temporary.unlink(missing_ok=True)
    source.unlink()


def _refuse_occupied(place: Path) -> None:
    if os.path.lexists(place):
        raise FileExistsError(errno.EEXIST, f"{str(place)!r} exists and is not overwritten")


def _digest(path: Path) -> str | None:
    """SHA-256 of a file, or of where a link leads; None when it may not be read."""
    if path.is_symlink():
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except PermissionError:
        return None


def _home(entry: Entry) -> Path:
    """The folder that an entry's file was in quarantine of: ``from`` without ``to``."""
    source, moved = Path(entry["from"]), PurePosixPath(entry["to"])
    if source.parts[-len(moved.parts) :] != moved.parts:
        raise ValueError("from does not end in to")
    return source.parents[len(moved.parts) - 1]


@contextmanager
def _opened_log(target: Path) -> Iterator[BinaryIO]:
    """Open the log to add to it, for this process alone, behind its last finished line."""
    with (target / LOG).open("a+b") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(
                f"quarantine {str(target)!r} is in use by another gandetect process; "
                "wait until that one ends"
            ) from None
        log.seek(0)
        log.truncate(log.read().rfind(b"\n") + 1)
        yield log


def _line(entry: Entry) -> bytes:
    return json.dumps(entry).encode("ascii") + b"\n"


def _tidy(target: Path, remaining: Sequence[Entry]) -> None:
    """Leave a log of what is still here, and neither empty folders nor unfinished copies."""
    for unfinished in target.rglob(f"*{UNFINISHED}"):
        unfinished.unlink()
    if remaining:
        fresh = target / f"{LOG}{UNFINISHED}"
        with fresh.open("wb") as file:
            file.writelines(map(_line, remaining))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target / LOG)
    else:
        (target / LOG).unlink()
    for parent, _, _ in os.walk(target, topdown=False):
        if not any(Path(parent).iterdir()):
            Path(parent).rmdir()


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
