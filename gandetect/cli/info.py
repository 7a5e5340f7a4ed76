"""`gandetect info` and `gandetect completion`: what is here, and how to type it."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from gandetect.cli.options import data_dir_option, json_option
from gandetect.cli.output import print_json


@click.command("info")
@click.argument("what", required=False, metavar="[RECIPE|RUN]")
@json_option
@data_dir_option
def info_command(what: str | None, as_json: bool, data_dir: Path | None) -> None:
    """Tell versions, devices, precisions, data found, architectures and recipes with their sizes.

    With the name of a classifier's RECIPE: its layers, output shapes and parameters. With a RUN
    folder: when each of its stages ran, and how busy its jobs were.

    \b
    Examples:
      gandetect info cnn-small
      gandetect info runs/quick-d66912124b7b
    """
    from gandetect import information

    if what is None:
        facts = information.information(data_dir)
        lines = information.information_lines(facts)
    elif Path(what).is_dir():
        facts = information.run_information(Path(what))
        lines = information.run_lines(facts, shutil.get_terminal_size().columns)
    else:
        facts = information.recipe_information(what)
        lines = information.recipe_lines(facts)
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(lines))


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(context: click.Context, /, shell: str) -> None:
    """Print the shell completion script.

    \b
    Example:
      eval "$(gandetect completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "gandetect", "_GANDETECT_COMPLETE").source())
