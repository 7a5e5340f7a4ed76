"""The benchmark's command: measures, prints a table, writes JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from gandetect.machine import wait_asleep

from . import (
    colour,
    commands,
    engines,
    folders,
    growth,
    keras_beside,
    large,
    memory,
    scoring,
    training,
)
from .children import in_fresh_process
from .facts import machine_facts
from .results import Measured, Settings
from .table import print_table

SECTIONS = (
    "training", "keras", "scoring", "folders", "start-up", "memory", "growth", "colour", "large",
    "engines",
)  # fmt: skip
USUAL = SECTIONS[:-3]  # of the others one takes minutes, one gigabytes of disk, and one needs Ray
BUSY = 0.5  # processes that want to run, on average of the last minute


@click.command()
@click.option("--quick", is_flag=True, help="A second a piece: whether it works, not how fast.")
@click.option(
    "--repeats", type=click.IntRange(1), help="Rounds of each section.  [default: 3; quick: 1]"
)
@click.option("--only", multiple=True, type=click.Choice(SECTIONS), help="Repeatable.")
@click.option(
    "--run",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also time `gandetect report` on this run folder; its report is made again.",
)
@click.option(
    "--keras",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The Python of an environment with TensorFlow, which the notebooks' training is timed in.",
)
@click.option("--out", type=click.Path(path_type=Path), default="bench.json", show_default=True)
def main(
    quick: bool,
    repeats: int | None,
    only: tuple[str, ...],
    run: Path | None,
    keras: Path | None,
    out: Path,
) -> None:
    """Measure gandetect on this machine, beside a plain PyTorch port and the machine's own limit.

    The table goes to stdout and the same as JSON to a file. Leave the machine alone meanwhile:
    10 minutes on 2 cores, with --quick a minute and a half.
    """
    wait_asleep()  # as the command line does
    settings = Settings(quick, repeats or (1 if quick else 3))
    facts = in_fresh_process(machine_facts)
    measured = Measured()
    if (facts["load_before"] or 0.0) > BUSY:
        measured.notes.append(
            f"the machine was busy (load {facts['load_before']:.1f}): these figures compare nothing"
        )
    for name, section in _sections(settings, facts, only or USUAL, run, keras):
        started = perf_counter()
        found = section()
        measured.rows += found.rows
        measured.ratios += found.ratios
        measured.notes += found.notes
        click.echo(f"{name}: {perf_counter() - started:.0f} s", err=True)
    print_table(facts, measured)
    content = {
        "schema": 1,
        "quick": quick,
        "machine": facts,
        "rows": [row.as_dict() for row in measured.rows],
        "ratios": [row.as_dict() for row in measured.ratios],
        "notes": measured.notes,
    }
    out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    click.echo(f"written to {out}", err=True)


def _sections(
    settings: Settings,
    facts: dict[str, Any],
    wanted: tuple[str, ...],
    run: Path | None,
    keras: Path | None,
) -> Iterator[tuple[str, Callable[[], Measured]]]:
    cores = facts["cores"]
    known: dict[str, Callable[[], Measured]] = {
        "training": lambda: training.measure(settings, cores, facts["native_precisions"]),
        "colour": lambda: colour.measure(settings, cores, facts["native_precisions"]),
        "keras": lambda: keras_beside.measure(settings, cores, keras),
        "scoring": lambda: scoring.measure(settings, cores),
        "folders": lambda: folders.measure(settings, cores),
        "start-up": lambda: commands.measure_start_up(settings),
        "memory": lambda: memory.measure(settings, cores),
        "growth": lambda: growth.measure(settings),
        "large": lambda: large.measure(settings, cores),
        "engines": lambda: engines.measure(settings),
    }
    yield from ((name, known[name]) for name in SECTIONS if name in wanted)
    if run is not None:
        yield "report", lambda: commands.measure_report(settings, run)


if __name__ == "__main__":
    sys.exit(main())
