"""The command line: parse, call, print. Heavy imports happen inside the commands."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from gandetect import __version__
from gandetect.cli.compare import compare_command
from gandetect.cli.data import data_group
from gandetect.cli.evaluate import evaluate_command
from gandetect.cli.explain import explain_command
from gandetect.cli.export import export_command
from gandetect.cli.generate import generate_command
from gandetect.cli.info import completion_command, info_command
from gandetect.cli.init import init_command
from gandetect.cli.report import grid_command, report_command
from gandetect.cli.run import run_command
from gandetect.cli.schema import schema_command
from gandetect.cli.score import score_command
from gandetect.cli.train import train_group
from gandetect.errors import GandetectError, shortened
from gandetect.machine import wait_asleep

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "GANDETECT"}


READER_GONE = 128 + 13  # what a shell reports of a tool that SIGPIPE has ended


class Group(click.Group):
    """Turns our errors into one sentence on stderr and an exit code; ``-v`` shows the traceback."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by what somebody wants to do."""
        for purpose, commands in COMMANDS.items():
            with formatter.section(purpose):
                formatter.write_dl([(str(c.name), c.get_short_help_str(100)) for c in commands])

    def make_context(self, *arguments: Any, **given: Any) -> click.Context:
        """Parse what stands before the command; `--help` may find nobody who reads it."""
        _open_closed_streams()
        try:
            return super().make_context(*arguments, **given)
        except click.ClickException as error:
            raise _cut(error) from None
        except OSError as error:
            _end(error)

    def invoke(self, context: click.Context) -> Any:
        """Run a command; exit 1 on failure, 2 on wrong usage, 130 when interrupted."""
        try:
            return super().invoke(context)
        except click.ClickException as error:
            raise _cut(error) from None
        except GandetectError as error:
            if context.params.get("verbose"):
                raise
            click.echo(f"error: {shortened(str(error))}", err=True)
            context.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(
                "\ninterrupted; what is complete is kept: give the same command again to go on",
                err=True,
            )
            context.exit(130)
        except OSError as error:
            if context.params.get("verbose") and not isinstance(error, BrokenPipeError):
                raise
            _end(error)


def _cut(error: click.ClickException) -> click.ClickException:
    """Click's own error, such as that of an unknown option, not longer than ours."""
    vars(error)["message"] = shortened(error.message, 500)  # final for mypy
    return error


def _end(error: OSError) -> NoReturn:
    """End with one sentence; in silence where the reader has gone, as in ``… | head -1``."""
    gone = isinstance(error, BrokenPipeError)
    for stream in (sys.stdout, sys.stderr) if gone else (sys.stdout,):
        # What cannot be written any more must not be tried again when Python ends.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if gone:
        sys.exit(READER_GONE)
    reason = str(error.strerror or error)
    if error.filename is None:
        what = f"the output cannot be written ({reason}); give it a file or pipe that takes it"
    else:
        what = f"{error.filename!r} cannot be used ({reason}); see that it is there, and has room"
    click.echo(f"error: {shortened(what)}", err=True)
    sys.exit(1)


def _open_closed_streams() -> None:
    """Give a stream that was closed before we began (``>&-``) a place to fail, or to be silent."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")  # as in other tools: EBADF
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


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
    wait_asleep()
    context.obj = {"quiet": quiet, "verbose": verbose}


COMMANDS = {
    "Run a study": (init_command, run_command, train_group, data_group),
    "Use its networks": (score_command, explain_command, generate_command, export_command),
    "Look at results": (report_command, compare_command, grid_command, evaluate_command),
    "Look things up": (info_command, schema_command, completion_command),
}
for commands in COMMANDS.values():
    for command in commands:
        main.add_command(command)
