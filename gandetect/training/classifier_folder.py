"""A classifier's folder while it is trained: the last and the best epoch, history and results.

``epochs/0001/`` holds the network as safetensors, what resuming needs (read with
``weights_only=True``) and a record with the history so far; it is complete or absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from gandetect import runs
from gandetect.events import Notify, warn
from gandetect.training.checkpoints import (
    HISTORY,
    RESUME,
    epoch_folder,
    load_state,
    load_weights,
    save_state,
    save_weights,
    write_history,
)

WEIGHTS = "weights.safetensors"
BATCH = "batch.npz"
TRAINING = "training.json"

History = Sequence[Mapping[str, Any]]


def best_epoch(history: History, monitor: str, pretraining: int = 0) -> int:
    """The first epoch of the best validation figure: the lowest loss, the highest of any other.

    None of the first ``pretraining`` epochs, while there are others.
    """
    candidates = history[pretraining:] or history
    column = f"validation_{monitor}"
    sign = -1.0 if monitor == "loss" else 1.0
    values = [float("-inf") if row[column] is None else sign * row[column] for row in candidates]
    return len(history) - len(candidates) + values.index(max(values)) + 1


@dataclass(frozen=True)
class ClassifierFolder:
    """``classifiers/<name>/seed-<s>/`` of a run, for one configuration and seed."""

    path: Path
    digest: str
    monitor: str
    notify: Notify
    pretraining: int = 0

    def history(self) -> list[dict[str, Any]]:
        """One row for each complete epoch; empty for a fresh start.

        Epochs that were damaged are never gone on from: training starts afresh, with a warning.
        """
        folders = sorted((self.path / "epochs").glob("[0-9][0-9][0-9][0-9]"))
        if not folders:
            return []
        problem = runs.problem_with(folders[-1], self.digest)
        if problem is None:
            rows: list[dict[str, Any]] = runs.read_json(folders[-1] / runs.RECORD)["history"]
            best = self._epoch(self._best(rows))
            problem = runs.problem_with(best, self.digest)
            if problem is None:
                write_history(self.path / HISTORY, rows)
                return rows
            folders.append(best)
        message = (
            f"epoch {folders[-1].name} in {str(self.path)!r} is not used: "
            f"{problem or 'it was never finished'}; training starts afresh"
        )
        warn(self.notify, message)
        return []

    def restore(self, classifier: nn.Module, epoch: int) -> dict[str, Any]:
        """Load an epoch's weights into a classifier; returns the rest of the state."""
        load_weights(classifier, self._epoch(epoch) / WEIGHTS)
        return load_state(self._epoch(epoch) / RESUME)

    def save_epoch(self, classifier: nn.Module, state: Mapping[str, Any], history: History) -> None:
        """Write the last epoch of ``history``, then drop those that are not needed any more."""
        with runs.atomic_folder(self._epoch(len(history))) as folder:
            save_weights(classifier, folder / WEIGHTS)
            save_state(state, folder / RESUME)
            runs.write_record(folder, self.digest, (WEIGHTS, RESUME), history=list(history))
        write_history(self.path / HISTORY, history)
        needed = {self._epoch(len(history)), self._epoch(self._best(history))}
        for folder in (self.path / "epochs").glob("[0-9][0-9][0-9][0-9]"):
            if folder not in needed:
                shutil.rmtree(folder)

    def finish(self, classifier: nn.Module, history: History, **facts: object) -> None:
        """Load the best epoch into the classifier and save it; the other epochs are deleted."""
        best = self._best(history)
        self.restore(classifier, best)
        with runs.atomic_file(self.path / WEIGHTS) as temporary:
            shutil.copyfile(self._epoch(best) / WEIGHTS, temporary)
        results = {"best_epoch": best, "monitor": self.monitor, "epochs": len(history), **facts}
        runs.write_json(self.path / TRAINING, results)
        shutil.rmtree(self.path / "epochs")

    def _best(self, history: History) -> int:
        return best_epoch(history, self.monitor, self.pretraining)

    def _epoch(self, epoch: int) -> Path:
        return epoch_folder(self.path, epoch)
