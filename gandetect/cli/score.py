"""`gandetect score`: images through a saved detector."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import click

from gandetect.cli.output import say_any_name

MOST_WORKERS = 8  # each holds decoded batches in memory


@click.command("score")
@click.argument("detector", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--at",
    "operating_point",
    default="native",
    show_default=True,
    metavar="POINT",
    help="Operating point of the verdict: native, calibrated, or for classifiers youden.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "kaggle"]),
    default="csv",
    show_default=True,
    help="CSV, JSON lines, or a submission: image,label with 1 for real, 0 for generated.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format jsonl.")
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Processes that decode files while others are scored; default: one a core, at most "
    f"{MOST_WORKERS}. 0 or 1: none, as for few files.",
)
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
    workers: int | None,
    device: str,
) -> None:
    """Score images, or whole folders of them, with a saved DETECTOR.

    One line an image: path, score (log-odds of being generated), probability, verdict, error.
    A kaggle submission has no line for an image that could not be scored: it is named on stderr.
    Exit code 1 when at least one image could not be scored. Names with a leading dash go behind
    `--`.

    \b
    Examples:
      gandetect score runs/quick-…/detectors/dcgan-plain/seed-0 photos/
      gandetect score DETECTOR --at calibrated --format jsonl -- -odd-name.png
      gandetect score DETECTOR --format kaggle test/ > submission.csv
    """
    from gandetect.machine import cores, resolve_device

    if workers is None:
        workers = min(cores(), MOST_WORKERS)
    if workers > 1:
        # Read when torch is imported: the network's threads then sleep while they wait, and leave
        # their cores to the decoders, instead of spinning on them.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from gandetect.detectors import load_detector
    from gandetect.scoring import score_paths, write_scores

    loaded = load_detector(detector, resolve_device(device))
    say_any_name()
    form = "jsonl" if as_json else form
    with closing(score_paths(loaded, paths, operating_point, workers)) as scored:
        right, wrong = write_scores(
            scored,
            sys.stdout,
            form,  # type: ignore[arg-type]
            lambda sentence: click.echo(f"error: {sentence}", err=True),
        )
    sys.stdout.flush()
    if wrong:
        where = " and have no line" if form == "kaggle" else "; see column error"
        click.echo(f"{wrong} of {right + wrong} images could not be scored{where}", err=True)
        context.exit(1)
