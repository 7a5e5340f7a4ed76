"""What running work tells: steps, epochs, messages and warnings, each a small mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Protocol

Event = Mapping[str, Any]
Notify = Callable[[Event], None]


class Listener(Protocol):
    """Hears of stages, warnings and the events of running tasks."""

    def say(self, message: str) -> None:
        """A stage began, or something worth a line happened."""

    def warn(self, message: str) -> None:
        """Something the user should know of, though the study goes on."""

    def event(self, event: Event) -> None:
        """A running task reports a step, an epoch or a warning."""


def say(notify: Notify, message: str) -> None:
    """Tell of something worth a line."""
    notify({"event": "message", "message": message})


def warn(notify: Notify, message: str) -> None:
    """Tell of something the user should know, though the work goes on."""
    notify({"event": "warning", "message": message})


def steps(notify: Notify, task: str) -> Callable[[int, int], None]:
    """A function that tells how many of how many images of ``task`` are done, and the rate."""
    began = perf_counter()

    def tick(done: int, total: int) -> None:
        rate = done / max(perf_counter() - began, 1e-6)
        step = {"event": "step", "task": task, "done": done, "total": total}
        notify({**step, "images_per_second": rate})

    return tick


def silent(event: Event) -> None:
    """Tell nobody."""
