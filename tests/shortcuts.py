"""Leaves out what takes a study long and is not what a test looks at; numbers stay the same."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from gandetect.analyses.audit.judging import _model
from gandetect.analyses.audit.probes import POSITION
from gandetect.analyses.audit.sides import Audited, audit_sides
from gandetect.data.class_images import ClassImages
from gandetect.data.fashion_mnist import load, resolve_data_dir
from gandetect.engine import Context, InlineEngine, Plan, Stage, Task, inline_engine, run_graph
from gandetect.events import Event, Listener, Notify, silent
from gandetect.report.document import Picture
from gandetect.sources.pixel_cache import cache_folder
from gandetect.stages.saliency import pixel_changes


class Pickled(InlineEngine):
    """Does one task after the other in this process, each as a worker would get it."""

    def start(self, task: Task) -> None:
        super().start(replace(task, work=pickle.loads(pickle.dumps(task.work))))


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no workers, which takes seconds; tasks get as many threads here as they would there.

    Fashion-MNIST is unpacked and verified once. What moves a score is not asked of the detectors,
    which takes thousands of scores: maps are how much the pixels change.
    """
    monkeypatch.setattr(
        "gandetect.stages.saliency.occlusion_maps",
        lambda _, images, mean, tick: pixel_changes(images, mean),
    )

    @contextmanager
    def engine(jobs: int, threads: int, listen: Notify) -> Iterator[InlineEngine]:
        with inline_engine(threads, listen):
            yield Pickled(listen)

    monkeypatch.setattr("gandetect.study.engines.local_engine", engine)
    monkeypatch.setattr("gandetect.data.fashion_mnist.load", lambda place, **_: _loaded(place))


@cache
def _loaded(data_dir: Path) -> ClassImages:
    return load(data_dir)


def without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose every figure of a report, but draw none."""
    monkeypatch.setattr("gandetect.report.style.figure_svg", lambda figure: b"<svg/>")


def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose no figure of a report: matplotlib takes as long as what a small study measures."""

    def undrawn(name: str, draw: object, alt: str, caption: str) -> Picture:
        return Picture(f"figures/{name}.svg", b"<svg/>", alt, caption)

    # Analyses have imported it by name, so the function itself is changed.
    monkeypatch.setattr("gandetect.report.style.drawn.__code__", undrawn.__code__)


def without_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no probe try anything."""
    nothing = Audited([], [], {})
    monkeypatch.setattr("gandetect.stages.audit.audit_sides", lambda *_, **__: nothing)


def with_linear_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let linear probes alone try, in two folds: boosted trees take as long as a small study."""

    def linear(probe: str, rows: int) -> object:
        return _model(POSITION, rows)

    monkeypatch.setattr("gandetect.analyses.audit.judging._model", linear)
    monkeypatch.setattr("gandetect.stages.audit.audit_sides", partial(audit_sides, folds=2))


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
    run_graph([plan], Pickled(silent), listener or Kept())
    return cache
