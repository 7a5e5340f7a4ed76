"""`gandetect train`: the pieces of a study, without evaluating them."""

from __future__ import annotations

from typing import Any

import click

from gandetect.cli.options import experiment_options
from gandetect.cli.output import suggest
from gandetect.cli.run import run_experiment


@click.group("train")
def train_group() -> None:
    """Train the pieces of a study without evaluating them."""


@train_group.command("gan")
@experiment_options
@click.pass_context
def train_gan_command(context: click.Context, /, dry_run: bool, **given: Any) -> None:
    """Train the GANs of an experiment; `gandetect run` goes on from there.

    \b
    Example:
      gandetect train gan experiments/quick.toml --seed 3
    """
    folder = run_experiment(context, dry_run=dry_run, stop_after="gans", **given)
    if folder is not None:
        click.echo(folder / "gans")
        suggest(context, f"gandetect run {given['experiment']} evaluates them")


@train_group.command("classifier")
@experiment_options
@click.pass_context
def train_classifier_command(context: click.Context, /, dry_run: bool, **given: Any) -> None:
    """Train the classifiers of an experiment; `gandetect run` goes on from there.

    Classifiers that learn from the fakes of a GAN need it trained: that is done first.

    \b
    Example:
      gandetect train classifier experiments/faces-cnn.toml --data-dir ~/datasets
    """
    folder = run_experiment(context, dry_run=dry_run, stop_after="classifiers", **given)
    if folder is not None:
        click.echo(folder / "classifiers")
        suggest(context, f"gandetect run {given['experiment']} evaluates them")
