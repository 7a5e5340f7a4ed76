"""Work that is no part of a study, for workers to import."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandetect import runs
from gandetect.errors import TrainingError
from gandetect.events import Notify, warn


@dataclass(frozen=True)
class Sums:
    """Writes a folder as stages do, from a file of images and from what another has written."""

    folder: Path
    images: Path
    read: Path

    def __call__(self, *, notify: Notify) -> int:
        notify({"event": "epoch", "epoch": 1})
        found = int(np.sum(np.load(self.images, mmap_mode="r"), dtype=np.int64))
        with runs.atomic_folder(self.folder) as fresh:
            (fresh / "inner").mkdir()
            (fresh / "inner" / "read.txt").write_text(self.read.read_text())
            runs.write_json(fresh / "sums.json", found)
            runs.write_record(fresh, "digest", ["sums.json", "inner/read.txt"])
        return found


@dataclass(frozen=True)
class Fails:
    """Leaves a line for each attempt, then fails as a training does."""

    folder: Path

    def __call__(self, *, notify: Notify) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "attempts").open("a") as file:
            file.write("one\n")
        warn(notify, "about to fail")
        raise TrainingError("the loss is not finite")


@dataclass(frozen=True)
class DiesOnce:
    """Ends the process the first time, as a killed worker does."""

    folder: Path

    def __call__(self, *, notify: Notify) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os._exit(1)
        return "done"
