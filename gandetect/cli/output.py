"""What commands print: data on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


def print_json(value: object) -> None:
    """Print a value as indented JSON on stdout."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def say(context: click.Context) -> Callable[[str], None]:
    """Give a function that prints a line on stderr, unless the user wants quiet."""

    def print_line(message: str) -> None:
        if not context.obj["quiet"]:
            click.echo(message, err=True)

    return print_line


@contextmanager
def bar(context: click.Context, task: str) -> Iterator[Callable[[int, int], None]]:
    """Open a progress bar on stderr, where there is a terminal."""
    from gandetect.events import steps
    from gandetect.progress import terminal_listener

    with terminal_listener(context.obj["quiet"]) as listener:
        yield steps(listener.event, task)


def suggest(context: click.Context, hint: str) -> None:
    """Name the next command to try."""
    say(context)(f"next: {hint}")


def say_any_name() -> None:
    """Let stdout print file names that are not UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
