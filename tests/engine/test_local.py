"""Worker processes of this machine: as many as there are jobs, kept for the next task, ended."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from gandetect.engine import Task, local_engine
from gandetect.errors import TrainingError, WorkerError
from gandetect.events import Notify


def identify(number: int, *, notify: Notify) -> tuple[int, int]:
    """The number and the process that it was handed to."""
    notify({"event": "step", "done": number})
    return number, os.getpid()


def fail(*, notify: Notify) -> None:
    raise TrainingError("no luck")


def stay(*, notify: Notify) -> None:
    """Neither end nor listen."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    notify({"event": "step", "done": os.getpid()})
    time.sleep(40)


def finished(engine) -> list:
    while True:
        if found := engine.finished():
            return found


def test_workers_are_started_when_needed_kept_and_told_apart() -> None:
    events: list = []
    with local_engine(2, 1, events.append) as engine:
        assert engine.room() == 2
        engine.start(Task("first", partial(identify, 1)))
        assert engine.room() == 1
        (one,) = finished(engine)
        assert (one.task.name, one.result[0]) == ("first", 1)
        assert engine.room() == 2
        engine.start(Task("second", partial(identify, 2)))
        (other,) = finished(engine)
        assert other.result == (2, one.result[1])
        engine.start(Task("third", fail))
        with pytest.raises(TrainingError, match="no luck") as caught:
            finished(engine)
        assert "In the worker:" in caught.value.__notes__[0]
    assert [(event["task"], event["done"]) for event in events] == [("first", 1), ("second", 2)]
    with pytest.raises(ProcessLookupError):
        os.kill(one.result[1], 0)


def test_a_worker_that_will_not_end_is_killed(monkeypatch) -> None:
    monkeypatch.setattr("gandetect.workers.TO_END", 0.2)
    events: list = []
    with local_engine(1, 1, events.append) as engine:
        engine.start(Task("stays", stay))
        while not events:
            engine.finished()
    with pytest.raises(ProcessLookupError):
        os.kill(events[0]["done"], 0)


def test_a_worker_that_is_killed_is_said_and_none_is_left() -> None:
    events: list = []
    with local_engine(1, 1, events.append) as engine:
        engine.start(Task("stays", stay))
        while not events:
            engine.finished()
        os.kill(events[0]["done"], signal.SIGKILL)
        with pytest.raises(WorkerError, match="a worker process was killed from outside"):
            finished(engine)
    with pytest.raises(ProcessLookupError):
        os.kill(events[0]["done"], 0)
