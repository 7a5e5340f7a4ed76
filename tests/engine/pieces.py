"""Tasks that are no part of a study, for workers to import."""

import os
from pathlib import Path

import numpy as np

from gandetect import runs
from gandetect.errors import TrainingError


def sums(folder: Path, *, parts, read: Path, notify) -> list[int]:
    """Write a folder as stages do, from arrays and from what another has written."""
    notify({"event": "epoch", "epoch": 1})
    found = [int(np.sum(part, dtype=np.int64)) for part in parts]
    with runs.atomic_folder(folder) as fresh:
        (fresh / "inner").mkdir()
        (fresh / "inner" / "read.txt").write_text(read.read_text())
        runs.write_json(fresh / "sums.json", found)
        runs.write_record(fresh, "digest", ["sums.json", "inner/read.txt"])
    return found


def fails(folder: Path, *, notify) -> None:
    """Leave a line for each attempt, then fail as a training does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "attempts").open("a") as file:
        file.write("one\n")
    notify({"event": "warning", "message": "about to fail"})
    raise TrainingError("the loss is not finite")


def dies_once(folder: Path, *, notify) -> str:
    """End the process the first time, as a killed worker does."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(1)
    return "done"
