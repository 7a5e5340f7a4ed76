"""Worker processes of which none outlives its parent, whatever ends that."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for

from gandetect.errors import DataError


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open worker processes; however the block is left, none outlives it.

    Raises `DataError` when one is killed from outside.
    """
    others = multiprocessing.active_children()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, end_with_parent)
    try:
        _start_workers(pool, workers)
        yield pool
    except BaseException as error:
        for worker in multiprocessing.active_children():
            if worker not in others:
                worker.terminate()
        if not isinstance(error, BrokenProcessPool):
            raise
        raise DataError(
            "a worker process was killed from outside, often for want of memory; free some, or "
            "use fewer workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def end_with_parent() -> None:
    """Let this worker end as soon as its parent has, even if that was killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _start_workers(pool: ProcessPoolExecutor, workers: int) -> None:
    """Start processes that hear nothing of Ctrl-C: the parent decides what it means."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(workers):
            pool.submit(int)  # each starts one, which inherits what is blocked
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait_for([parent.sentinel])
    os._exit(1)
