"""What a study says while it runs: progress bars on a terminal, plain lines elsewhere.

Everything goes to stderr; stdout is for data.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gandetect.events import Event


class Silent:
    """Says nothing, but a warning becomes Python's; the API's default."""

    def say(self, message: str) -> None:
        """Ignore it."""

    def warn(self, message: str) -> None:
        """Warn as Python does, so that a file made afresh is never passed over in silence."""
        warnings.warn(message, stacklevel=2)

    def event(self, event: Event) -> None:
        """Ignore all but warnings."""
        if event["event"] == "warning":
            self.warn(str(event["message"]))


class TerminalListener:
    """Shows one bar a task on a terminal, one line an epoch where there is none."""

    def __init__(self, console: Console, progress: Progress | None, quiet: bool) -> None:
        self._console, self._progress, self._quiet = console, progress, quiet
        self._bars: dict[str, Any] = {}

    def say(self, message: str) -> None:
        """Print a line, unless quiet."""
        if not self._quiet:
            self._console.print(message, highlight=False, markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Print a warning, also when quiet."""
        text = f"warning: {message}"
        self._console.print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)

    def event(self, event: Event) -> None:
        """Move a task's bar, or print the epoch that it finished."""
        if event["event"] == "warning":
            self.warn(str(event["message"]))
        elif event["event"] == "message":
            self.say(str(event["message"]))
        elif event["event"] == "step" and self._progress is not None:
            self._advance(event)
        elif event["event"] == "epoch":
            self.say(_epoch_line(event))

    def _advance(self, event: Event) -> None:
        assert self._progress is not None
        name = str(event["task"])
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=event["total"], detail="")
        bar = self._bars[name]
        self._progress.update(bar, completed=event["done"], detail=_step_detail(event))
        if event["done"] == event["total"]:
            self._progress.remove_task(self._bars.pop(name))


@contextmanager
def terminal_listener(quiet: bool = False) -> Iterator[TerminalListener]:
    """Open a listener on stderr; bars appear only on a terminal wide enough to hold them."""
    console = Console(stderr=True, highlight=False)
    if quiet or not sys.stderr.isatty():
        yield TerminalListener(console, None, quiet)
        return
    columns = [TextColumn("{task.description}"), BarColumn(bar_width=None)]
    if console.width >= 60:
        columns += [MofNCompleteColumn(), TimeRemainingColumn(compact=True)]
    if console.width >= 100:
        columns.append(TextColumn("{task.fields[detail]}"))
    with Progress(*columns, console=console, transient=True) as progress:
        yield TerminalListener(console, progress, quiet)


def _epoch_line(event: Event) -> str:
    return (
        f"  {event['task']}: epoch {event['epoch']}/{event['epochs']}, "
        f"{event['images_per_second']:.0f} images/s, {event['summary']}"
    )


def _step_detail(event: Event) -> str:
    parts = []
    if "epoch" in event:
        parts.append(f"epoch {event['epoch']}/{event['epochs']}")
    if "images_per_second" in event:
        parts.append(f"{event['images_per_second']:.0f} images/s")
    if "summary" in event:
        parts.append(str(event["summary"]))
    return " ".join(parts)
