"""What a command costs from the shell: its start, and a report on a run that stands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from .results import Measured, Settings


def measure_start_up(settings: Settings) -> Measured:
    """Time ``gandetect --help`` beside the import of click, by turns."""
    commands = {
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "gandetect --help": [gandetect(), "--help"],
    }
    values: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        seconds(command)  # the first time, files come from the disk
    for _ in range(5 if settings.quick else 15):
        for name, command in commands.items():
            values[name].append(seconds(command))
    measured = Measured()
    measured.add_rows("start-up", "s", values)
    measured.add_ratio(
        "start-up",
        "gandetect --help / python -c 'import click'",
        values["gandetect --help"],
        values["python -c 'import click'"],
    )
    return measured


def measure_report(settings: Settings, run: Path) -> Measured:
    """Time ``gandetect report`` on a run folder, which it rebuilds the report of."""
    command = [gandetect(), "report", str(run)]
    measured = Measured()
    times = [seconds(command) for _ in range(settings.repeats)]
    measured.add_rows("report", "s", {f"gandetect report {run.name}": times})
    return measured


def seconds(command: Sequence[str]) -> float:
    started = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def gandetect() -> str:
    """The command of this environment, whatever the search path finds."""
    found = shutil.which("gandetect", path=str(Path(sys.executable).parent))
    if found is None:
        raise FileNotFoundError(f"no gandetect beside {sys.executable}; install the project there")
    return found
