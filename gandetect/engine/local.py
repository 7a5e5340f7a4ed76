"""Runs tasks side by side in processes of this machine, each with a share of the threads.

On two cores two processes of one thread each train some 30 % more than one of two (`make bench`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from gandetect.engine.tasks import Finished, Task, prepare_process
from gandetect.events import Event, Notify
from gandetect.machine import wait_asleep
from gandetect.workers import Pool


class LocalEngine:
    """Gives tasks to worker processes of this machine."""

    shared = True

    def __init__(self, pool: Pool[Task]) -> None:
        self._pool = pool

    def room(self) -> int:
        """How many more tasks it takes now."""
        return self._pool.room()

    def start(self, task: Task) -> None:
        """Hand a task to a worker; `WorkerError` when that has been killed."""
        self._pool.start(task, task.work)

    def finished(self) -> list[Finished]:
        """Pass on what workers tell; returns the tasks that have ended, and raises a failure.

        Raises `WorkerError` when a worker is killed from outside, for example for want of memory.
        """
        return [Finished(task, result) for task, result in self._pool.finished()]


class InlineEngine:
    """Does one task after the other in this process."""

    shared = True

    def __init__(self, listen: Notify) -> None:
        self._listen = listen
        self._ended: list[Finished] = []

    def room(self) -> int:
        """One task at a time."""
        return 1 - len(self._ended)

    def start(self, task: Task) -> None:
        """Do the task at once."""
        result = task.work(notify=partial(_tell, self._listen, task))
        self._ended.append(Finished(task, result))

    def finished(self) -> list[Finished]:
        """The task that was done last, once."""
        ended, self._ended = self._ended, []
        return ended


@contextmanager
def local_engine(jobs: int, threads: int, listen: Notify) -> Iterator[LocalEngine]:
    """Open an engine of ``jobs`` processes with ``threads`` threads each.

    However the block is left, no worker outlives it.
    """
    wait_asleep()  # which workers inherit
    prepare = partial(prepare_process, threads)
    with closing(Pool[Task](jobs, prepare, lambda task, event: _tell(listen, task, event))) as pool:
        yield LocalEngine(pool)


@contextmanager
def inline_engine(threads: int, listen: Notify) -> Iterator[InlineEngine]:
    """Open an engine that computes in this process, with so many threads."""
    import torch

    before = torch.get_num_threads()
    prepare_process(threads)
    try:
        yield InlineEngine(listen)
    finally:
        torch.set_num_threads(before)


def _tell(listen: Notify, task: Task, event: Event) -> None:
    listen({"task": task.name, **event})
