"""Runs tasks side by side in processes of this machine, each with a share of the threads.

On two cores two processes of one thread each train some 30 % more than one of two (`make bench`).
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from queue import Empty
from typing import Any

from gandetect.engine.tasks import Event, Notify, Task, prepare_process
from gandetect.errors import RunError
from gandetect.workers import end_with_parent


class LocalEngine:
    """A pool of worker processes on this machine."""

    def __init__(self, pool: ProcessPoolExecutor, events: Any, listen: Notify) -> None:
        self._pool, self._events, self._listen = pool, events, listen

    def run(self, tasks: Sequence[Task]) -> list[Any]:
        """Run all tasks and return their results in order; the first failure is raised.

        Raises `RunError` when a worker is killed from outside, for example for want of memory.
        """
        futures = [self._pool.submit(_run_task, task) for task in tasks]
        pending: set[Future[Any]] = set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                self._drain()
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process was killed from outside, often for want of memory; "
                "free some, or give fewer --jobs; the same command goes on from the last "
                "complete epoch"
            ) from None
        return [future.result() for future in futures]

    def _drain(self) -> None:
        while True:
            try:
                self._listen(self._events.get_nowait())
            except Empty:
                return


@contextmanager
def local_engine(jobs: int, threads: int, listen: Notify) -> Iterator[LocalEngine]:
    """Open a pool of ``jobs`` processes with ``threads`` threads each.

    However the block is left, no worker outlives it: an interrupt ends them at once, which loses
    at most the epoch under way.
    """
    context = multiprocessing.get_context("spawn")
    events = context.Queue()
    pool = ProcessPoolExecutor(jobs, context, _start_worker, (threads, events))
    try:
        yield LocalEngine(pool, events, listen)
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_notify: Notify = lambda event: None  # noqa: E731 - replaced in each worker by its queue


def _start_worker(threads: int, events: Any) -> None:
    global _notify
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    end_with_parent()
    prepare_process(threads)
    _notify = events.put


def _run_task(task: Task) -> Any:
    def notify(event: Event) -> None:
        _notify({"task": task.name, **event})

    return task.function(notify=notify, **task.arguments)
