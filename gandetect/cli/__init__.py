"""The command line: parse, call, print. Heavy imports happen inside the commands."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from gandetect import __version__
from gandetect.cli.compare import compare_command
from gandetect.cli.data import data_group
from gandetect.cli.info import completion_command, info_command
from gandetect.cli.report import grid_command, report_command
from gandetect.cli.run import run_command
from gandetect.cli.score import score_command
from gandetect.cli.train import train_group
from gandetect.errors import GandetectError

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GANDETECT"}


class Group(click.Group):
    """Turns our errors into one sentence on stderr and an exit code; ``-v`` shows the traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; exit 1 on failure, 2 on wrong usage, 130 when interrupted."""
        try:
            return super().invoke(context)
        except GandetectError as error:
            if context.params.get("verbose"):
                raise
            click.echo(f"error: {error}", err=True)
            context.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(
                "\ninterrupted; what is complete is kept: give the same command again to go on",
                err=True,
            )
            context.exit(130)
        except OSError as error:
            if context.params.get("verbose"):
                raise
            # What cannot be written any more must not be tried again when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):  # the reader has gone, as in `… | head`
                context.exit(0)
            click.echo(f"error: {error.strerror or error}: {error.filename or 'output'}", err=True)
            context.exit(1)


@click.group(cls=Group, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="gandetect")
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of an error.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
@click.pass_context
def main(context: click.Context, /, verbose: bool, quiet: bool) -> None:
    """Does a discriminator trained inside a GAN detect generated images, and does it generalise?

    \b
    Examples:
      gandetect run experiments/quick.toml
      gandetect score runs/quick-…/detectors/dcgan-plain/seed-0 photo.png folder/
      gandetect report runs/quick-…

    Shell completion: see `gandetect completion --help`.
    """
    context.obj = {"quiet": quiet, "verbose": verbose}


for command in (
    run_command,
    train_group,
    data_group,
    score_command,
    report_command,
    compare_command,
    grid_command,
    info_command,
    completion_command,
):
    main.add_command(command)
