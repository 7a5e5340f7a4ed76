"""Runs tasks side by side in processes of this machine, each with a share of the threads.

On two cores two processes of one thread each train some 30 % more than one of two (`make bench`).
Each worker has a pipe of its own and is handed one small task at a time, so nothing here can wait
for a worker that has ended.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnProcess
from traceback import format_exc

from gandetect.engine.tasks import Finished, Task, prepare_process
from gandetect.errors import RunError
from gandetect.events import Event, Notify
from gandetect.workers import end_with_parent

POLL = 0.2  # seconds
TO_END = 3.0  # seconds that a worker is given to end before it is killed
KILLED = (
    "a worker process was killed from outside, often for want of memory; free some, or give "
    "fewer --jobs; the same command goes on from the last complete epoch"
)


class Worker:
    """A process that does one task after the other."""

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, self._theirs = context.Pipe()
        arguments = (self._theirs, threads)
        self.process: SpawnProcess = context.Process(target=_serve, args=arguments)
        self.task: Task | None = None

    def start(self) -> None:
        """Start the process; it hears nothing of Ctrl-C, as the parent decides what that means."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
            self._theirs.close()  # so that the pipe ends when the process does
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def give(self, task: Task) -> None:
        """Hand over a task; `RunError` when the process has been killed."""
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:
            raise RunError(KILLED) from None

    def end(self) -> None:
        """End the process however it is, and wait until it has gone."""
        if self.process.pid is not None:
            self.process.join(TO_END)
            if self.process.is_alive():
                self.process.kill()
                self.process.join()
        self.pipe.close()


class LocalEngine:
    """At most ``jobs`` worker processes on this machine, started when they are first needed."""

    shared = True

    def __init__(self, jobs: int, threads: int, listen: Notify) -> None:
        self._jobs, self._threads, self._listen = jobs, threads, listen
        self.workers: list[Worker] = []

    def room(self) -> int:
        """How many more tasks it takes now."""
        return self._jobs - sum(one.task is not None for one in self.workers)

    def start(self, task: Task) -> None:
        """Hand a task to an idle worker, or to a new one."""
        idle = next((one for one in self.workers if one.task is None), None)
        if idle is None:
            idle = Worker(self._threads)
            self.workers.append(idle)  # first, so that an interrupted start leaves none behind
            idle.start()
        idle.give(task)

    def finished(self) -> list[Finished]:
        """Pass on what workers tell; returns the tasks that have ended, and raises a failure.

        Raises `RunError` when a worker is killed from outside, for example for want of memory.
        """
        pipes = {one.pipe: one for one in self.workers if one.task is not None}
        ended = []
        for ready in wait_for(list(pipes), POLL):
            assert isinstance(ready, Connection)
            worker = pipes[ready]
            assert worker.task is not None
            try:
                kind, content = ready.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                raise RunError(KILLED) from None
            if kind == "event":
                self._listen({"task": worker.task.name, **content})
            elif kind == "error":
                raise content
            else:
                ended.append(Finished(worker.task, content))
                worker.task = None
        return ended

    def close(self) -> None:
        """End all workers at once; an epoch under way is lost."""
        for one in self.workers:
            if one.process.pid is not None:
                one.process.terminate()
        for one in self.workers:
            one.end()


@contextmanager
def local_engine(jobs: int, threads: int, listen: Notify) -> Iterator[LocalEngine]:
    """Open an engine of ``jobs`` processes with ``threads`` threads each.

    However the block is left, no worker outlives it.
    """
    engine = LocalEngine(jobs, threads, listen)
    try:
        yield engine
    finally:
        engine.close()


def _serve(pipe: Connection, threads: int) -> None:
    """Do tasks until the parent ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    prepare_process(threads)

    def notify(event: Event) -> None:
        pipe.send(("event", event))

    with suppress(EOFError, OSError):  # the parent has gone
        while True:
            task: Task = pipe.recv()
            try:
                answer = ("result", task.work(notify=notify))
            except Exception as error:
                error.add_note(
                    f"In the worker:\n{format_exc()}"
                )  # which travels, as its stack cannot
                answer = ("error", error)
            pipe.send(answer)
