"""What commands print: data on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

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


def suggest(context: click.Context, hint: str) -> None:
    """Name the next command to try."""
    say(context)(f"next: {hint}")


def say_any_name() -> None:
    """Let stdout print file names that are not UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
