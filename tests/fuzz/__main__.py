"""The fuzzer's command: runs the parts, prints their failures, and exits with 1 for any."""

from __future__ import annotations

import importlib
import sys
import time
from importlib.util import find_spec

import click

PARTS = ("images", "tables", "configurations")


@click.command()
@click.option("--images", type=click.IntRange(0), default=10_000, show_default=True, metavar="N")
@click.option("--tables", type=click.IntRange(0), default=2_000, show_default=True, metavar="N")
@click.option(
    "--configurations", type=click.IntRange(0), default=1_000, show_default=True, metavar="N"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S")
@click.option(
    "--minutes", type=click.FloatRange(0), default=60, show_default=True, help="For all parts."
)
def main(seed: int, minutes: float, **counts: int) -> None:
    """Try many broken inputs, drawn from a seed, and name those that are not answered well."""
    until = time.monotonic() + 60 * minutes
    failures = [one for part in PARTS for one in _run(part, counts[part], seed, until)]
    for failure in failures:
        click.echo(failure)
    click.echo(f"{len(failures)} failures", err=True)
    sys.exit(bool(failures))


def _run(part: str, count: int, seed: int, until: float) -> list[str]:
    if count == 0 or find_spec(f"fuzz.{part}") is None:
        return []
    began = time.monotonic()
    failures: list[str] = importlib.import_module(f"fuzz.{part}").run(count, seed, until)
    click.echo(f"{part}: up to {count:,} in {time.monotonic() - began:.0f} s", err=True)
    return failures


if __name__ == "__main__":
    main()
