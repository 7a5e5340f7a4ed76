"""Options that several commands take."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

PATH = click.Path(path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MOST_PROCESSES = 1024  # on one machine, and CPUs or GPUs of one task


class FiniteRange(click.FloatRange):
    """A number in a range; NaN, which no comparison finds outside, is none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Turn the text into a number; fails as click's own types do."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


Command = TypeVar("Command", bound=Callable[..., Any])

data_dir_option = click.option(
    "--data-dir",
    type=FOLDER,
    envvar="GANDETECT_DATA_DIR",
    help="Where data sets are kept; default: ./data.",
)
code_from_option = click.option(
    "--code-from",
    type=FOLDER,
    help="Run the code or program that an external DETECTOR names, whose files are below this "
    "folder: that of its experiment file. Only for what you trust.",
)
address_option = click.option(
    "--address",
    metavar="HOST:PORT",
    help="With Ray: its head; default: a Ray of this machine alone.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def experiment_options(command: Command) -> Command:
    """Add the options that every command on an experiment file takes."""
    options = [
        click.argument("experiment", type=PATH, metavar="EXPERIMENT.toml"),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a key of the file, as in data.max_images=2000 or gans.0.epochs=1.",
        ),
        click.option(
            "--seed",
            "seeds",
            type=click.IntRange(0, 2**32 - 1),
            multiple=True,
            metavar="N",
            help="Seed to run instead of the file's; repeat for several.",
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda", "mps"]),
            default="auto",
            show_default=True,
            help="Where to compute.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(1, MOST_PROCESSES),
            metavar="N",
            help="Trainings side by side; default: one a core.",
        ),
        click.option(
            "--out",
            type=FOLDER,
            default=Path("runs"),
            show_default=True,
            help="Folder that run folders are put in.",
        ),
        data_dir_option,
        click.option(
            "--reuse",
            type=FOLDER,
            multiple=True,
            metavar="RUN",
            help="Take GANs that were trained in just the same way from this run folder; "
            "repeat for several.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="What does the work: processes of this machine, or Ray (docs/ray.md).",
        ),
        address_option,
        click.option(
            "--cpus-per-task",
            type=click.IntRange(1, MOST_PROCESSES),
            metavar="N",
            help="With Ray: CPUs and threads of a task; default: as processes would have.",
        ),
        click.option(
            "--gpus-per-task",
            type=FiniteRange(0, MOST_PROCESSES, min_open=True),
            metavar="F",
            help="With Ray: GPUs of a task, which may be a part of one; then it computes there.",
        ),
        click.option(
            "--no-shared-path",
            is_flag=True,
            help="With Ray: nodes do not see --out; files are sent through Ray.",
        ),
        click.option(
            "--log",
            type=click.Choice(["tensorboard"]),
            help="Write event files as well, live, into RUN/tensorboard; needs "
            "`pip install 'gandetect[tensorboard]'`.",
        ),
        click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
