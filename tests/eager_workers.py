"""Lets few files be decoded by worker processes, which are else for many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import pytest

from gandetect import workers as processes
from gandetect.data import streaming


def start_at_once(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None] = lambda: None) -> None:
    """Start the workers before the first file, wait for them, and only then go on."""

    @contextmanager
    def started(workers: int) -> Iterator[ProcessPoolExecutor]:
        with processes.worker_pool(workers) as pool:
            pool.submit(int).result()
            then()
            yield pool

    monkeypatch.setattr(streaming, "PATIENCE", 0)
    monkeypatch.setattr(streaming, "worker_pool", started)
