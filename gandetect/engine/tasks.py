"""What an engine is given, and what it promises, wherever the work is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gandetect.events import Notify
from gandetect.machine import keep_freed_memory, settle_cuda


class Work(Protocol):
    """What a task does; it and its result are picklable."""

    def __call__(self, *, notify: Notify) -> object:
        """Do it, and report progress through ``notify``."""


@dataclass(frozen=True)
class Task:
    """One independent piece of work. It is small: images travel by file.

    Work that ``computes`` gets its share of a GPU where there are any. ``folder`` is where it
    writes and ``reads`` what it reads, for an engine whose workers see no shared path.
    """

    name: str
    work: Work
    computes: bool = True
    folder: Path | None = None
    reads: Sequence[Path] = ()


@dataclass(frozen=True)
class Finished:
    """A task that has ended well, with its result."""

    task: Task
    result: object


class Engine(Protocol):
    """Does independent pieces of a study, side by side."""

    @property
    def shared(self) -> bool:
        """Whether its workers see the run folder."""

    def room(self) -> int:
        """How many more tasks it takes now."""

    def start(self, task: Task) -> None:
        """Begin a task; call it only while there is room."""

    def finished(self) -> list[Finished]:
        """Wait a moment for tasks to end; the failure of one is raised."""


def as_finished(
    engine: Engine, tasks: Iterable[Task], most: int | None = None
) -> Iterator[Finished]:
    """Run independent tasks, at most so many at a time, and yield each as it ends.

    The first failure is raised.
    """
    waiting, running = deque(tasks), 0
    while waiting or running:
        while waiting and engine.room() and (most is None or running < most):
            engine.start(waiting.popleft())
            running += 1
        ended = engine.finished()
        running -= len(ended)
        yield from ended


def run_all(engine: Engine, tasks: Iterable[Task]) -> list[Any]:
    """Run independent tasks and return their results in order; the first failure is raised."""
    order = list(tasks)
    results = {one.task.name: one.result for one in as_finished(engine, order)}
    return [results[task.name] for task in order]


def prepare_process(threads: int) -> None:
    """Make a process ready to compute with torch on ``threads`` threads."""
    import torch

    keep_freed_memory()
    settle_cuda()
    torch.set_num_threads(threads)
