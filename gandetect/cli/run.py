"""`gandetect run`: a whole study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gandetect.cli.options import experiment_options, json_option
from gandetect.cli.output import print_json, suggest
from gandetect.errors import UsageError

if TYPE_CHECKING:
    from gandetect.config import Experiment
    from gandetect.study import Options

LEFT_OUT = "left-out.json"  # of a run folder: the detectors that its report is without


@click.command("run")
@experiment_options
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME",
    help="Of the file's variants, run this one and the baseline only; repeat for several.",
)
@json_option
@click.pass_context
def run_command(context: click.Context, /, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Run a whole study, from the data to the report.

    Interrupted at any point, the same command goes on from the last complete epoch. Where the
    file has [[variants]], each is a study beside the baseline without them, and one more report
    joins them. Where an external detector fails, the report is without it, and the exit code is 1.

    \b
    Examples:
      gandetect run experiments/quick.toml
      gandetect run experiments/quick.toml --seed 0 --seed 1 --jobs 2
      gandetect run experiments/quick.toml --set gans.0.epochs=1 --dry-run
      gandetect run experiments/sweep.toml
      gandetect run experiments/reference.toml --engine ray --address head:6379
      gandetect run experiments/better-detectors.toml --variant replay-after
    """
    folder = run_experiment(context, dry_run=dry_run, stop_after="report", **given)
    if folder is None:
        return
    report = folder / "report.html"
    if as_json:
        print_json({"run": str(folder), "report": str(report)})
        _end_with_gaps(context, folder)
        return
    click.echo(report)
    _end_with_gaps(context, folder)
    grids = f"; `gandetect grid {folder}` lists the image grids"
    is_run = (folder / "scores.parquet").exists()
    suggest(context, f"open {report} in a browser{grids if is_run else ''}")


def _end_with_gaps(context: click.Context, folder: Path) -> None:
    """Exit 1 where a report is without a detector that was asked for."""
    from gandetect.runs import read_json

    left_out = [folder / LEFT_OUT, *folder.glob(f"variants/*/{LEFT_OUT}")]
    gaps = [gap for file in left_out if file.exists() for gap in read_json(file)["detectors"]]
    if gaps:
        click.echo(
            f"error: the report is without {len(gaps)} detector(s): {'; '.join(gaps)}; all else is "
            "kept, and the same command tries again what was left out",
            err=True,
        )
        context.exit(1)


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
    log: Literal["tensorboard"] | None,
    dry_run: bool,
    stop_after: str,
    variants: tuple[str, ...] = (),
) -> Path | None:
    """Run an experiment up to a stage; returns the run folder, or None after a dry run."""
    from gandetect.config import load_experiment
    from gandetect.progress import terminal_listener
    from gandetect.study import Options, run_study
    from gandetect.study.engines import EngineOptions
    from gandetect.study.variants import run_variants

    if seeds:
        overrides = (*overrides, f"seeds={list(seeds)}")
    loaded = load_experiment(experiment, overrides)
    if variants and not loaded.variants:
        raise UsageError(
            f"--variant {variants[0]!r} was given, and {str(experiment)!r} has no [[variants]]; "
            "remove it, or give a file that has some"
        )
    where = EngineOptions(engine, address, cpus_per_task, gpus_per_task, not no_shared_path)
    home = experiment.parent
    options = Options(out, data_dir, device, jobs, stop_after, reuse, variants, where, home, log)
    if dry_run:
        click.echo("\n".join(_lines(loaded, options)))
        return None
    run = run_variants if loaded.variants else run_study
    with terminal_listener(context.obj["quiet"]) as listener:
        return run(loaded, options, listener)


def _lines(experiment: Experiment, options: Options) -> list[str]:
    from gandetect.study import plan_lines, plan_study
    from gandetect.study.estimate import duration_line
    from gandetect.study.variants import plan_variants, variants_lines

    if experiment.variants:
        return variants_lines(plan_variants(experiment, options))
    study = plan_study(experiment, options)
    first, *rest = plan_lines(study)
    duration = duration_line([study], [study.plan(options.stop_after)])
    return [first, *([f"# {duration}"] if duration else []), *rest]
