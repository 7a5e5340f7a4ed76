"""Worker processes, of which none outlives its parent, whatever ends that.

Each has a pipe of its own and does one job at a time, so nothing here can wait for a worker that
has ended. `ProcessPoolExecutor` can: its `shutdown` hangs when a worker is terminated while a job
is being written to it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from traceback import format_exc
from typing import Any, Generic, TypeVar

from gandetect.errors import WorkerError
from gandetect.events import Event, Notify, silent

AHEAD = 2  # items a worker that are done or wait to be: the most that is kept in memory
POLL = 0.2  # seconds
QUEUED = 4  # bytes of an item's number in a queue
TO_END = 3.0  # seconds that a terminated worker is given before it is killed

Item = TypeVar("Item")
Key = TypeVar("Key")
Result = TypeVar("Result")
Work = Callable[..., Any]  # called with ``notify``; it and what it returns are picklable


@dataclass
class _Worker(Generic[Key]):
    process: SpawnProcess
    pipe: Connection
    job: tuple[Key] | None = None  # the key of the job under way


class Pool(Generic[Key]):
    """At most ``workers`` processes, started when they are first needed.

    ``prepare`` is called in each as it starts; ``listen`` hears, with the job's key, of the events
    that a job reports. Close the pool however it is left.
    """

    def __init__(
        self,
        workers: int,
        prepare: Callable[[], None] | None = None,
        listen: Callable[[Key, Event], None] = lambda key, event: None,
    ) -> None:
        self._most, self._prepare, self._listen = workers, prepare, listen
        self._workers: list[_Worker[Key]] = []

    def room(self) -> int:
        """How many more jobs it takes now."""
        return self._most - sum(one.job is not None for one in self._workers)

    def start(self, key: Key, work: Work) -> None:
        """Give a job to an idle worker, or to a new one; call it only while there is room.

        Raises `WorkerError` when that worker has been killed.
        """
        idle = next((one for one in self._workers if one.job is None), None) or self._new_worker()
        idle.job = (key,)
        try:
            idle.pipe.send(work)
        except OSError:
            raise WorkerError from None

    def finished(self, seconds: float = POLL) -> list[tuple[Key, Any]]:
        """Wait at most so long; returns the keys and results of jobs that have ended since.

        Raises what a job raised, and `WorkerError` when a worker has been killed.
        """
        busy = {one.pipe: one for one in self._workers if one.job is not None}
        ended = []
        for ready in wait_for(list(busy), seconds):
            assert isinstance(ready, Connection)
            worker = busy[ready]
            assert worker.job is not None
            (key,) = worker.job
            try:
                kind, content = ready.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                raise WorkerError from None
            if kind == "event":
                self._listen(key, content)
            elif kind == "error":
                raise content
            else:
                ended.append((key, content))
                worker.job = None
        return ended

    def close(self) -> None:
        """End all workers at once; what they are doing is lost."""
        for one in self._workers:
            one.process.terminate()
        for one in self._workers:
            one.process.join(TO_END)
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
            one.pipe.close()

    def _new_worker(self) -> _Worker[Key]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._prepare))
        with _without_interrupts():
            process.start()
            theirs.close()  # so that the pipe ends when the process does
            self._workers.append(_Worker(process, ours))
        return self._workers[-1]


def map_ordered(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result]:
    """Yield ``function(item)`` of every item, in order; several workers compute some ahead.

    ``items`` is read only as far as needed. With one worker all is done in this process. Close
    the generator when it is left early. Raises `WorkerError` when a worker is killed from outside.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    waiting, results = iter(items), dict[int, Result]()
    started = taken = 0
    with closing(Pool[int](workers)) as pool:
        while True:
            for item in islice(
                waiting, max(0, min(pool.room(), AHEAD * workers - started + taken))
            ):
                pool.start(started, partial(_apply, function, item))
                started += 1
            if taken == started:
                return
            results.update(pool.finished(0 if taken in results else POLL))
            if taken in results:
                yield results.pop(taken)
                taken += 1


def map_forked(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """``[function(item) for item in items]`` by this process and a forked one, whoever is free.

    For what cannot be pickled, but whose results can; at most some thousand items, and nothing
    that needs the threads of this process, which the other one lacks. It forks on Linux alone, and
    not beside a running Ray. What the other process could not do is done in this one, so an error
    is raised as it always is.
    """
    ray = sys.modules.get("ray")
    beside_ray = ray is not None and ray.is_initialized()
    is_daemon = multiprocessing.current_process().daemon  # which may have no children
    if sys.platform != "linux" or beside_ray or is_daemon or _cores() < 2:
        return [function(item) for item in items]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    waiting = _queue(len(items))
    process = context.Process(target=_send_results, args=(theirs, function, items, waiting))
    with warnings.catch_warnings(), suppress(OSError):  # a process too many, or no memory for it
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads do not go along
        process.start()
    theirs.close()  # so that the pipe ends when the process does
    try:
        results = {place: function(items[place]) for place in _taken(waiting)}
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            results |= ours.recv()
    finally:
        os.close(waiting)
        ours.close()
        if process.pid is not None:
            process.kill()
            process.join()
    return [
        results[place] if place in results else function(item) for place, item in enumerate(items)
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0))  # `gandetect.machine` would bring torch


def _queue(n: int) -> int:
    """A pipe that holds the numbers below n, for the processes that share it."""
    waiting, filled = os.pipe()
    os.write(filled, b"".join(place.to_bytes(QUEUED, "big") for place in range(n)))
    os.close(filled)
    return waiting


def _taken(waiting: int) -> Iterator[int]:
    """Take numbers from such a pipe until none is left."""
    while number := os.read(waiting, QUEUED):
        yield int.from_bytes(number, "big")


def _send_results(
    pipe: Connection, function: Callable[[Item], Result], items: Sequence[Item], waiting: int
) -> None:
    """Send what a function makes of the items that it takes, by place; nothing where it fails."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(Exception):
        pipe.send({place: function(items[place]) for place in _taken(waiting)})


def _apply(function: Callable[[Item], Result], item: Item, *, notify: Notify = silent) -> Result:
    return function(item)


def _serve(pipe: Connection, prepare: Callable[[], None] | None) -> None:
    """Do jobs until the parent ends this process, or has ended itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare()

    def notify(event: Event) -> None:
        pipe.send(("event", event))

    with suppress(EOFError, OSError):  # the parent has gone
        while True:
            work = pipe.recv()
            try:
                answer = ("result", work(notify=notify))
            except Exception as error:
                # The text travels with the error, as its stack cannot.
                error.add_note(f"In the worker:\n{format_exc()}")
                answer = ("error", error)
            pipe.send(answer)


def _end_with_parent() -> None:
    """End this process as soon as its parent has, even if that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from the processes started here for good, and from this one for a moment.

    They inherit what is blocked: the parent decides what Ctrl-C means. The parent must not be
    interrupted before a process has all that it starts from; as another thread may take the
    signal, blocking alone does not do.
    """
    ensure_running()  # else it starts with the first process, and ends the blocking
    in_main = threading.current_thread() is threading.main_thread()
    held: list[int] = []
    if in_main:
        before = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if in_main:
            signal.signal(signal.SIGINT, before)
            if held:
                signal.raise_signal(signal.SIGINT)
