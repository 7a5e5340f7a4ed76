"""Leaves out what takes a study long and is not what a test looks at; numbers stay the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.engine import Context, Finished, Plan, Stage, Task, run_graph
from gandetect.events import Event, Listener, Notify, silent
from gandetect.sources.pixel_cache import cache_folder


class ThisProcess:
    """An engine that does one task after the other, each as a worker would get it."""

    shared = True

    def __init__(self, listen: Notify) -> None:
        self.listen = listen
        self.ended: list[Finished] = []

    def room(self) -> int:
        return 1 - len(self.ended)

    def start(self, task: Task) -> None:
        work = pickle.loads(pickle.dumps(task)).work
        result = work(notify=lambda event: self.listen({"task": task.name, **event}))
        self.ended.append(Finished(task, result))

    def finished(self) -> list[Finished]:
        ended, self.ended = self.ended, []
        return ended


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no workers, which takes seconds; tasks get as many threads here as they would there."""

    @contextmanager
    def engine(jobs: int, threads: int, listen: Notify) -> Iterator[ThisProcess]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield ThisProcess(listen)
        finally:
            torch.set_num_threads(before)

    monkeypatch.setattr("gandetect.study.engines.local_engine", engine)


def without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose every figure of a report, but draw none."""
    monkeypatch.setattr("gandetect.report.material.figure_svg", lambda figure: b"<svg/>")


def without_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no probe try anything."""
    monkeypatch.setattr("gandetect.stages.audit.audit", lambda *_: [])


def context_in(run: Path, folder: Path | None = None) -> Context:
    """Where a stage of a run would run, in this process."""
    data_dir = resolve_data_dir(None)
    return Context(run, folder or run, data_dir, cache_folder(data_dir), "cpu", 1, 1, 1)


class Kept:
    """A listener that keeps what is said, for whoever looks."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warnings: list[str] = []
        self.say, self.warn = self.said.append, self.warnings.append

    def event(self, event: Event) -> None:
        if event["event"] == "warning":
            self.warn(event["message"])


def make_stages(
    run: Path, data_dir: Path, *stages: Stage, listener: Listener | None = None
) -> Path:
    """Make stages complete in a run folder, with images from a data folder; returns the cache."""
    cache = cache_folder(data_dir)
    plan = Plan(Context(run, run, data_dir, cache, "cpu", 1, 1, 1), stages)
    run_graph([plan], ThisProcess(silent), listener or Kept())
    return cache
