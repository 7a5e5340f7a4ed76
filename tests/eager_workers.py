"""Lets few files be decoded by worker processes, which are else for many."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from typing import Any

import pytest

from gandetect.data import streaming
from gandetect.workers import map_ordered


def start_at_once(monkeypatch: pytest.MonkeyPatch, *, killed: bool = False) -> None:
    """Start the workers with the first file; or kill them as soon as one has answered."""

    def mapped(*given: Any) -> Generator[Any]:
        for result in map_ordered(*given):
            for worker in multiprocessing.active_children() if killed else ():
                worker.kill()
            yield result

    monkeypatch.setattr(streaming, "PATIENCE", 0)
    monkeypatch.setattr(streaming, "map_ordered", mapped)
