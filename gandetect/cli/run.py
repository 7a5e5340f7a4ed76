"""`gandetect run`: a whole study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gandetect.cli.options import experiment_options, json_option
from gandetect.cli.output import print_json, suggest
from gandetect.errors import UsageError

if TYPE_CHECKING:
    from gandetect.config import Experiment


@click.command("run")
@experiment_options
@click.option(
    "--ingredient",
    "ingredients",
    multiple=True,
    metavar="NAME",
    help="Of an ablation, run this ingredient and the baseline only; repeat for several.",
)
@json_option
@click.pass_context
def run_command(context: click.Context, /, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Run a whole study, from the data to the report.

    Interrupted at any point, the same command goes on from the last complete epoch. Where the
    file's held_out is a sweep ("sweep:3"), every choice of classes is a study, and one more
    report joins them; so is every one of [[ingredients]], beside the study without them.

    \b
    Examples:
      gandetect run experiments/quick.toml
      gandetect run experiments/quick.toml --seed 0 --seed 1 --jobs 2
      gandetect run experiments/quick.toml --set gans.0.epochs=1 --dry-run
      gandetect run experiments/sweep.toml
      gandetect run experiments/reference.toml --engine ray --address head:6379
      gandetect run experiments/better-detectors.toml --ingredient replay-after
    """
    folder = run_experiment(context, dry_run=dry_run, stop_after="report", **given)
    if folder is None:
        return
    report = folder / "report.html"
    if as_json:
        print_json({"run": str(folder), "report": str(report)})
        return
    click.echo(report)
    grids = f"; `gandetect grid {folder}` lists the image grids"
    is_run = (folder / "scores.parquet").exists()
    suggest(context, f"open {report} in a browser{grids if is_run else ''}")


def run_experiment(
    context: click.Context,
    *,
    experiment: Path,
    overrides: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    jobs: int | None,
    out: Path,
    data_dir: Path | None,
    reuse: tuple[Path, ...],
    engine: str,
    address: str | None,
    cpus_per_task: int | None,
    gpus_per_task: float | None,
    no_shared_path: bool,
    dry_run: bool,
    stop_after: str,
    ingredients: tuple[str, ...] = (),
) -> Path | None:
    """Run an experiment up to a stage; returns the run folder, or None after a dry run."""
    from gandetect.config import load_experiment
    from gandetect.progress import terminal_listener
    from gandetect.study import Options
    from gandetect.study.engines import EngineOptions

    if seeds:
        overrides = (*overrides, f"seeds={list(seeds)}")
    loaded = load_experiment(experiment, overrides)
    if ingredients and not loaded.ingredients:
        raise UsageError(
            f"--ingredient {ingredients[0]!r} was given, and {str(experiment)!r} has no "
            "[[ingredients]]; remove it, or give an ablation"
        )
    where = EngineOptions(engine, address, cpus_per_task, gpus_per_task, not no_shared_path)
    options = Options(out, data_dir, device, jobs, stop_after, reuse, ingredients, where)
    run, lines = _ways(loaded)
    if dry_run:
        click.echo("\n".join(lines(loaded, options)))
        return None
    with terminal_listener(context.obj["quiet"]) as listener:
        return run(loaded, options, listener)


def _ways(experiment: Experiment) -> tuple[Callable[..., Path], Callable[..., list[str]]]:
    """How an experiment is run, and how its plan is told: an ablation, a sweep or one study."""
    from gandetect.config.ablation import is_ablation
    from gandetect.config.sweep import is_sweep
    from gandetect.study import ablation, plan_lines, plan_study, run_study, sweep

    if is_ablation(experiment):
        return ablation.run_ablation, lambda *given: ablation.ablation_lines(
            ablation.plan_ablation(*given)
        )
    if is_sweep(experiment):
        return sweep.run_sweep, lambda *given: sweep.sweep_lines(sweep.plan_sweep(*given))
    return run_study, lambda *given: plan_lines(plan_study(*given))
