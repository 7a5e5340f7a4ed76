"""`gandetect info` and `gandetect completion`: what is here, and how to type it."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import data_dir_option, json_option
from gandetect.cli.output import print_json


@click.command("info")
@click.argument("recipe", required=False)
@json_option
@data_dir_option
def info_command(recipe: str | None, as_json: bool, data_dir: Path | None) -> None:
    """Tell versions, devices, precisions, data found, and architectures with their sizes.

    With the name of a classifier's RECIPE: its layers, output shapes and parameters.

    \b
    Example:
      gandetect info cnn-small
    """
    from gandetect import information

    if recipe is None:
        facts = information.information(data_dir)
        lines = information.information_lines(facts)
    else:
        facts = information.recipe_information(recipe)
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
