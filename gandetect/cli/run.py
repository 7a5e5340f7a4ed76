"""`gandetect run`: a whole study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gandetect.cli.options import experiment_options, json_option
from gandetect.cli.output import print_json, suggest


@click.command("run")
@experiment_options
@json_option
@click.pass_context
def run_command(context: click.Context, /, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Run a whole study, from the data to the report.

    Interrupted at any point, the same command goes on from the last complete epoch. Where the
    file's held_out is a sweep ("sweep:3"), every choice of classes is a study, and one more
    report joins them.

    \b
    Examples:
      gandetect run experiments/quick.toml
      gandetect run experiments/quick.toml --seed 0 --seed 1 --jobs 2
      gandetect run experiments/quick.toml --set gans.0.epochs=1 --dry-run
      gandetect run experiments/sweep.toml
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
    dry_run: bool,
    stop_after: str,
) -> Path | None:
    """Run an experiment up to a stage; returns the run folder, or None after a dry run."""
    from gandetect.config import load_experiment
    from gandetect.config.sweep import is_sweep
    from gandetect.progress import terminal_listener
    from gandetect.study import Options, plan_lines, plan_study, run_study
    from gandetect.study.sweep import plan_sweep, run_sweep, sweep_lines

    if seeds:
        overrides = (*overrides, f"seeds={list(seeds)}")
    loaded = load_experiment(experiment, overrides)
    options = Options(out, data_dir, device, jobs, stop_after, reuse)
    sweep = is_sweep(loaded)
    if dry_run and sweep:
        click.echo("\n".join(sweep_lines(plan_sweep(loaded, options))))
        return None
    if dry_run:
        click.echo("\n".join(plan_lines(plan_study(loaded, options))))
        return None
    with terminal_listener(context.obj["quiet"]) as listener:
        return (run_sweep if sweep else run_study)(loaded, options, listener)
