"""The command line: parse, call, print. Heavy imports happen inside the commands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gandetect import __version__
from gandetect.errors import GandetectError

Command = TypeVar("Command", bound=Callable[..., Any])
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


def experiment_options(command: Command) -> Command:
    """Add the options that every command on an experiment file takes."""
    options = [
        click.argument("experiment", type=click.Path(path_type=Path), metavar="EXPERIMENT.toml"),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a key of the file, as in data.images=2000 or gans.0.epochs=1.",
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
            type=click.IntRange(min=1),
            metavar="N",
            help="Trainings side by side; default: one a core.",
        ),
        click.option(
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path("runs"),
            show_default=True,
            help="Folder that run folders are put in.",
        ),
        data_dir_option,
        click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="GANDETECT_DATA_DIR",
    help="Where data sets are kept; default: ./data.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


@main.command("run")
@experiment_options
@json_option
@click.pass_context
def run_command(context: click.Context, /, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Run a whole study, from the data to the report.

    Interrupted at any point, the same command goes on from the last complete epoch.

    \b
    Examples:
      gandetect run experiments/quick.toml
      gandetect run experiments/quick.toml --seed 0 --seed 1 --jobs 2
      gandetect run experiments/quick.toml --set gans.0.epochs=1 --dry-run
    """
    folder = _run(context, dry_run=dry_run, stop_after="report", **given)
    if folder is None:
        return
    report = folder / "report.html"
    if as_json:
        _print_json({"run": str(folder), "report": str(report)})
        return
    click.echo(report)
    _next(context, f"open {report} in a browser; `gandetect grid {folder}` lists the image grids")


@main.group("train")
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
    folder = _run(context, dry_run=dry_run, stop_after="gans", **given)
    if folder is not None:
        click.echo(folder / "gans")
        _next(context, f"gandetect run {given['experiment']} evaluates them")


@main.group("data")
def data_group() -> None:
    """Fetch and check data sets."""


@data_group.command("fetch")
@data_dir_option
@click.option("--force", is_flag=True, help="Fetch again, replacing what is there.")
@click.pass_context
def data_fetch_command(context: click.Context, /, data_dir: Path | None, force: bool) -> None:
    """Get Fashion-MNIST, verify it, and keep it in the data folder.

    \b
    Example:
      gandetect data fetch --data-dir ~/datasets
    """
    from gandetect.data.fashion_mnist import fetch, resolve_data_dir

    folder = resolve_data_dir(data_dir)
    result = fetch(folder, notify=_say(context), force=force)
    click.echo(result)


@data_group.command("check")
@data_dir_option
@json_option
@click.pass_context
def data_check_command(context: click.Context, /, data_dir: Path | None, as_json: bool) -> None:
    """Verify the data folder's files against their published digests."""
    from gandetect.data.fashion_mnist import check, resolve_data_dir

    findings = check(resolve_data_dir(data_dir))
    if as_json:
        _print_json(findings)
    else:
        for finding in findings:
            click.echo(finding)
    if not all(finding.startswith("ok") for finding in findings):
        context.exit(1)


@main.command("score")
@click.argument("detector", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--at",
    "operating_point",
    default="native",
    show_default=True,
    metavar="POINT",
    help="Operating point of the verdict: native or calibrated.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="CSV, or JSON lines.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format jsonl.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="cpu")
@click.pass_context
def score_command(
    context: click.Context,
    /,
    detector: Path,
    paths: tuple[Path, ...],
    operating_point: str,
    form: str,
    as_json: bool,
    device: str,
) -> None:
    """Score images, or whole folders of them, with a saved DETECTOR.

    One line an image: path, score (log-odds of being generated), probability, verdict, error.
    Exit code 1 when at least one image could not be read. Names with a leading dash go behind
    `--`.

    \b
    Examples:
      gandetect score runs/quick-…/detectors/dcgan-plain/seed-0 photos/
      gandetect score DETECTOR --at calibrated --format jsonl -- -odd-name.png
    """
    from gandetect.detectors import load_detector
    from gandetect.machine import resolve_device
    from gandetect.scoring import score_paths, write_scores

    loaded = load_detector(detector, resolve_device(device))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what it cannot say
    scored = score_paths(loaded, paths, operating_point)
    right, wrong = write_scores(scored, sys.stdout, "jsonl" if as_json else form)  # type: ignore[arg-type]
    sys.stdout.flush()
    if wrong:
        total = right + wrong
        click.echo(f"{wrong} of {total} images could not be scored; see column error", err=True)
        context.exit(1)


@main.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def report_command(context: click.Context, /, run: Path, as_json: bool) -> None:
    """Rebuild metrics, figures and report of a RUN from its stored scores, without torch.

    \b
    Example:
      gandetect report runs/quick-…
    """
    from gandetect.report import build_report

    paths = build_report(run)
    if as_json:
        click.echo((run / "metrics.json").read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(paths.html)


@main.command("grid")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where to put them.")
@json_option
@click.pass_context
def grid_command(context: click.Context, /, run: Path, out: Path | None, as_json: bool) -> None:
    """Write the sample grids of a RUN, and grids of each detector's most confident mistakes.

    \b
    Example:
      gandetect grid runs/quick-… --out grids/
    """
    from gandetect.report.grid_files import write_grids

    written = write_grids(run, out)
    if as_json:
        _print_json([str(path) for path in written])
    else:
        click.echo("\n".join(str(path) for path in written))


@main.command("info")
@json_option
@data_dir_option
def info_command(as_json: bool, data_dir: Path | None) -> None:
    """Tell versions, devices, precisions, data found, and architectures with their sizes."""
    from gandetect.information import information, information_lines

    facts = information(data_dir)
    if as_json:
        _print_json(facts)
    else:
        click.echo("\n".join(information_lines(facts)))


@main.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the shell completion script.

    \b
    Example:
      eval "$(gandetect completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "gandetect", "_GANDETECT_COMPLETE").source())


def _run(
    context: click.Context,
    *,
    experiment: Path,
    overrides: tuple[str, ...],
    seeds: tuple[int, ...],
    device: str,
    jobs: int | None,
    out: Path,
    data_dir: Path | None,
    dry_run: bool,
    stop_after: str,
) -> Path | None:
    from gandetect.config import load_experiment
    from gandetect.progress import terminal_listener
    from gandetect.study import Options, plan_lines, plan_study, run_study

    if seeds:
        overrides = (*overrides, f"seeds={list(seeds)}")
    loaded = load_experiment(experiment, overrides)
    options = Options(out, data_dir, device, jobs, stop_after)
    if dry_run:
        click.echo("\n".join(plan_lines(plan_study(loaded, options))))
        return None
    with terminal_listener(context.obj["quiet"]) as listener:
        return run_study(loaded, options, listener)


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def _say(context: click.Context) -> Callable[[str], None]:
    def say(message: str) -> None:
        if not context.obj["quiet"]:
            click.echo(message, err=True)

    return say


def _next(context: click.Context, hint: str) -> None:
    if not context.obj["quiet"]:
        click.echo(f"next: {hint}", err=True)


if __name__ == "__main__":
    main()
