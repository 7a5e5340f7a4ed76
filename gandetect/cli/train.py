"""`gandetect train`: the pieces of a study, without evaluating them."""

from __future__ import annotations

from typing import Any

import click

from gandetect.cli.options import MOST_PROCESSES, experiment_options
from gandetect.cli.output import suggest
from gandetect.cli.run import run_experiment
from gandetect.errors import UsageError


@click.group("train")
def train_group() -> None:
    """Train the pieces of a study without evaluating them.

    \b
    Example:
      gandetect train gan experiments/quick.toml
    """


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
@click.option(
    "--devices",
    type=click.IntRange(1, MOST_PROCESSES),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that train one classifier together on each node, each on a GPU of its own or "
    "with a share of the cores.",
)
@click.option(
    "--num-nodes",
    type=click.IntRange(1, MOST_PROCESSES),
    default=1,
    show_default=True,
    metavar="M",
    help="Nodes that train one classifier together: the same command on each, with NODE_RANK, "
    "MASTER_ADDR and MASTER_PORT set, or started by torchrun or SLURM.",
)
@click.pass_context
def train_classifier_command(
    context: click.Context, /, dry_run: bool, devices: int, num_nodes: int, **given: Any
) -> None:
    """Train the classifiers of an experiment; `gandetect run` goes on from there.

    Classifiers that learn from the fakes of a GAN need it trained: that is done first. With
    --devices or --num-nodes several processes share every batch of one training, which then is
    the same but for rounding, dropout and, on a CPU, BatchNorm; one training follows the other,
    and every node sees the run folder.

    \b
    Examples:
      gandetect train classifier experiments/faces-cnn.toml --data-dir ~/datasets
      gandetect train classifier experiments/faces-resnet50.toml --device cuda --devices 4
    """
    if devices * num_nodes == 1 or dry_run:
        folder = run_experiment(context, dry_run=dry_run, stop_after="classifiers", **given)
    else:
        from gandetect.training.data_parallel import processes

        if given["engine"] == "ray":
            raise UsageError(
                "--engine ray was given with --devices or --num-nodes, and Ray starts each "
                "training as one process; leave one of them out"
            )
        with processes(devices, num_nodes) as leads:
            if not leads:
                return
            given |= {"jobs": devices, "engine": "inline"}
            folder = run_experiment(context, dry_run=False, stop_after="classifiers", **given)
    if folder is not None:
        click.echo(folder / "classifiers")
        suggest(context, f"gandetect run {given['experiment']} evaluates them")
