"""The engines beside each other: what a task costs on this machine's processes and on Ray.

The same four short trainings go to each engine, one at a time and two, on workers that have been
started before. Then come tasks that do nothing: the driver's cost.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from .memory import short_training
from .results import Measured, Settings
from .training import real_images

if TYPE_CHECKING:
    from gandetect.events import Notify

SECTION = "engines"
TRAININGS = 4


def measure(settings: Settings) -> Measured:
    """Wall and processor seconds of four trainings, and the driver's of an empty task."""
    measured = Measured()
    images = real_images()
    steps, empty = (5, 20) if settings.quick else (100, 300)
    given = {"images": images, "reference": images[:2000]}
    walls: dict[tuple[str, int], list[float]] = {}
    for name in ("local", "ray"):
        for jobs in (1, 2):
            wall, costs, driver = _on(name, jobs, {**given, "steps": steps}, empty)
            walls[name, jobs] = [wall]
            told = f"{name}, {jobs} at a time"
            measured.add_rows(SECTION, "s", {f"{TRAININGS} trainings, {told}, wall": [wall]})
            measured.add_rows(SECTION, "s", {f"a training, {told}, processor": costs})
            measured.add_rows(SECTION, "ms", {f"an empty task, {told}, driver": [driver]})
    for name in ("local", "ray"):
        measured.add_ratio(
            SECTION, f"{name}: 1 / 2 at a time, wall", walls[name, 1], walls[name, 2]
        )
    return measured


def _on(
    name: str, jobs: int, training: dict[str, Any], empty: int
) -> tuple[float, list[float], float]:
    """Wall seconds of the trainings, processor seconds of each, the driver's ms a task."""
    from gandetect.engine import Task, run_all
    from gandetect.study.engines import EngineOptions, open_engine

    with TemporaryDirectory() as folder:
        options = {"jobs": jobs, "threads": 1, "device": "cpu", "folder": Path(folder)}
        with open_engine(EngineOptions(name), listen=lambda event: None, **options) as engine:
            warm = partial(timed_training, **{**training, "steps": 2})
            run_all(engine, [Task(f"warm {n}", warm) for n in range(2 * jobs)])
            started = perf_counter()
            work = partial(timed_training, **training)
            costs = run_all(engine, [Task(f"training {n}", work) for n in range(TRAININGS)])
            wall = perf_counter() - started
            before = process_time()
            run_all(engine, [Task(f"empty {n}", nothing) for n in range(empty)])
            driver = 1000 * (process_time() - before) / empty
    return wall, costs, driver


def timed_training(images: Any, reference: Any, steps: int, notify: Notify) -> float:
    """Processor seconds of a short training of `dcgan-plain`."""
    before = process_time()
    short_training("dcgan-plain", steps, images, reference, notify)
    return process_time() - before


def nothing(notify: Notify) -> None:
    """Do nothing."""
