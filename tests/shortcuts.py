"""Leaves out what takes a study long and is not what a test looks at; numbers stay the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from gandetect.engine import Notify, Task


class ThisProcess:
    """An engine that does one task after the other, each as a worker would get it."""

    def __init__(self, listen: Notify) -> None:
        self.listen = listen

    def run(self, tasks: Sequence[Task]) -> list[Any]:
        return [self._do(pickle.loads(pickle.dumps(task))) for task in tasks]

    def _do(self, task: Task) -> Any:
        return task.function(
            notify=lambda event: self.listen({"task": task.name, **event}), **task.arguments
        )


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no workers, which takes seconds; tasks get as many threads here as they would there."""

    @contextmanager
    def engine(jobs: int, threads: int, listen: Notify) -> Iterator[ThisProcess]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield ThisProcess(listen)
        finally:
            torch.set_num_threads(before)

    monkeypatch.setattr("gandetect.engine.opening.local_engine", engine)


def without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose every figure of a report, but draw none."""
    monkeypatch.setattr("gandetect.report.material.figure_svg", lambda figure: b"<svg/>")
