"""The run folder: atomic writes, digests, locks, and "is this stage complete".

A write is complete or absent: temporary file, fsync, rename. A stage writes its files first and
its `record.json` last; the record holds the stage's digest and the SHA-256 of every file, so a
file that was truncated or edited afterwards is noticed and never silently used.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomli_w

from gandetect.config import Experiment, parse_experiment
from gandetect.errors import RunError

RECORD = "record.json"
STUDY = "study.json"


def run_folder(out: Path, experiment: Experiment) -> Path:
    """The folder of an experiment: ``<out>/<name>-<first 12 of the digest>``."""
    return out / f"{experiment.name}-{experiment.digest()[:12]}"


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes ``path`` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; it replaces ``path`` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            _fsync(file)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
        _fsync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, completely or not at all."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write JSON (indented, NaN refused), completely or not at all."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; `RunError` names the file when it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{str(path)!r} is missing; run the study again to make it") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{str(path)!r} cannot be read as JSON ({error})") from None


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_record(folder: Path, digest: str, files: Iterable[str], **facts: object) -> None:
    """Declare a stage complete: its digest, its files' digests, and any further facts."""
    digests = {name: file_digest(folder / name) for name in files}
    write_json(folder / RECORD, {"digest": digest, "files": digests, **facts})


def problem_with(folder: Path, digest: str) -> str | None:
    """Say why a stage cannot be used as it stands; None when it can.

    The empty string means that it was never finished: nothing to warn about.
    """
    if not (folder / RECORD).exists():
        return ""
    try:
        record = read_json(folder / RECORD)
        recorded: Mapping[str, str] = record["files"]
        if record["digest"] != digest:
            return "it was made by another configuration, with other seeds, or by another version"
    except (RunError, KeyError, TypeError):
        return "its record is damaged"
    for name, expected in recorded.items():
        if not (folder / name).is_file():
            return f"its file {name!r} is missing"
        if file_digest(folder / name) != expected:
            return f"its file {name!r} was changed or truncated"
    return None


def take_over(folder: Path, other: Path, digest: str) -> bool:
    """Make a complete stage of another run this one's; returns whether there was one to take.

    Files are linked where the disk allows it, so nothing is stored twice; no stage writes into a
    file that exists. A stage that stands here already stays as it is.
    """
    if problem_with(folder, digest) is None or problem_with(other, digest) is not None:
        return False
    if folder.exists():
        shutil.rmtree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.tmp")
    try:
        shutil.copytree(other, temporary, copy_function=_link_or_copy)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


def open_run(folder: Path, experiment: Experiment) -> None:
    """Create a run folder, or check that an existing one belongs to this experiment.

    Call it with the folder `locked`. Raises `RunError` when another configuration made it or when
    it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unfinished(folder)
        if (folder / STUDY).exists() and load_study(folder).digest() != experiment.digest():
            raise RunError(
                f"run folder {str(folder)!r} holds another configuration than the experiment "
                f"{experiment.name!r}; choose another --out, or move that folder away"
            )
        write_json(folder / STUDY, experiment.model_dump(mode="json"))
        write_text(folder / "study.toml", to_toml(experiment))
    except OSError as error:
        raise RunError(
            f"run folder {str(folder)!r} cannot be written ({error.strerror or error}); "
            "choose another place with --out, or free some space"
        ) from None


def load_study(folder: Path) -> Experiment:
    """The resolved experiment that a run folder was made from."""
    if not folder.is_dir():
        raise RunError(f"run folder {str(folder)!r} does not exist; `gandetect run` makes one")
    if not (folder / STUDY).exists():
        raise RunError(
            f"{str(folder)!r} is not a run folder: it has no {STUDY}; "
            "give a folder that `gandetect run` made"
        )
    return parse_experiment(read_json(folder / STUDY), str(folder / STUDY))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder for this process; a second one is refused with `RunError`.

    The system releases the lock when the process ends, however it ends.
    """
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"run folder {str(folder)!r} is in use by another gandetect process; "
                "wait until that one ends, or choose another --out"
            ) from None
        yield


def to_toml(experiment: Experiment) -> str:
    """Write an experiment as TOML that `load_experiment` reads back to the same experiment."""
    return tomli_w.dumps(_without_empty(experiment.model_dump(mode="json", exclude_none=True)))


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the tables and lists in it that say nothing."""
    return {
        key: _without_empty(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value not in ({}, [])
    }


def _remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing; nothing else has such a name."""
    for temporary in [*folder.rglob(".*.tmp")]:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
