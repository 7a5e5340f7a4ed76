"""Fresh processes that measure when they are asked, so that nothing leaks from piece to piece."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from time import perf_counter
from typing import Any, TypeVar

SPAWN = multiprocessing.get_context("spawn")
# Imports take seconds: where it can be, a server that has done nothing but import is forked.
FORKS = "forkserver" in multiprocessing.get_all_start_methods()
FRESH = multiprocessing.get_context("forkserver") if FORKS else SPAWN
if FORKS:
    FRESH.set_forkserver_preload(["gandetect.training.adversarial", "gandetect.scoring"])
Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece:
    """Something to measure: ``prepare(*arguments)`` gives the function that measures it once.

    With more than one process all of them measure at the same time, and their values are summed.
    """

    prepare: Callable[..., Callable[[], float]]
    arguments: tuple[Any, ...]
    processes: int = 1


def interleaved(
    pieces: Mapping[str, Piece], repeats: int, context: BaseContext = FRESH
) -> dict[str, list[float]]:
    """Measure A, B, … and again A, B, …; returns the values by name, one a repeat.

    Every piece lives in processes of its own, which sleep while another is measured.
    """
    values: dict[str, list[float]] = {name: [] for name in pieces}
    with ExitStack() as stack:
        children = {
            name: [stack.enter_context(_started(piece, context)) for _ in range(piece.processes)]
            for name, piece in pieces.items()
        }
        for child in (child for group in children.values() for child in group):
            _answer(child)  # it is ready
        for _ in range(repeats):
            for name, group in children.items():
                for child in group:
                    child.send("measure")
                values[name].append(sum(_answer(child) for child in group))
    return values


def in_fresh_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, FRESH) as pool:
        return pool.submit(function, *arguments).result()


def rate(work: Callable[[], object], count: int, seconds: float) -> float:
    """Repeat work that does ``count`` things for at least so many seconds; things per second."""
    started, done = perf_counter(), 0
    while perf_counter() - started < seconds:
        work()
        done += count
    return done / (perf_counter() - started)


@contextmanager
def _started(piece: Piece, context: BaseContext) -> Iterator[Connection]:
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, piece))
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()  # which ends the child's waiting
        process.join(timeout=60)
        process.kill()


def _serve(parent: Connection, piece: Piece) -> None:
    try:
        measure = piece.prepare(*piece.arguments)
        parent.send((0.0, None))
        while parent.recv():
            parent.send((measure(), None))
    except EOFError:  # the parent has all it asked for
        return
    except Exception:
        parent.send((0.0, traceback.format_exc()))


def _answer(child: Connection) -> float:
    value, failure = child.recv()
    if failure is not None:
        raise RuntimeError(f"a measuring process failed:\n{failure}")
    return value
