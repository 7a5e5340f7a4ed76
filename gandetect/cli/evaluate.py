"""`gandetect evaluate`: the whole report from a table of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gandetect.cli.options import PATH, json_option
from gandetect.cli.output import suggest
from gandetect.errors import UsageError, listed, shown


def _listed(_: click.Context, __: click.Parameter, value: str | None) -> list[str]:
    return [one.strip() for one in (value or "").split(",") if one.strip()]


@click.command("evaluate")
@click.argument("scores", nargs=-1, required=True, type=PATH)
@click.option("--key", type=PATH, help="A table of the images that says what "
              "SCORES lack, such as their labels.")  # fmt: skip
@click.option("--out", type=PATH, help="The run folder to write; default: "
              "runs/<name>-<digest>.")  # fmt: skip
@click.option("--name", default="", help="What the evaluation is called; default: the first file.")
@click.option("--columns", metavar="OURS=THEIRS,…", callback=_listed, help="Columns of another "
              "name, as in score=prob,label=target.")  # fmt: skip
@click.option("--detectors", metavar="A,B,…", callback=_listed, help="Columns that each hold the "
              "scores of a detector; default: a column score, else all numbers that are nothing "
              "else.")  # fmt: skip
@click.option("--path-pattern", default="", metavar="REGEX", help="Find label, source and others "
              "in the images' paths, as in '(?P<source>[^/]+)/(?P<label>real|fake)/'.")  # fmt: skip
@click.option("--positive", type=click.Choice(["generated", "real"]), default="generated",
              show_default=True, help="What high scores stand for.")  # fmt: skip
@click.option("--probabilities", is_flag=True, help="Scores are probabilities, which become "
              "log-odds.")  # fmt: skip
@click.option("--generated-label", "generated_labels", multiple=True, metavar="VALUE",
              help="A label that means generated; repeat for several.")  # fmt: skip
@click.option("--real-label", "real_labels", multiple=True, metavar="VALUE",
              help="A label that means real; repeat for several.")  # fmt: skip
@click.option("--reference", multiple=True, metavar="NAME", help="The source of reals that is "
              "in-distribution; repeat to pool several. Default: the only one, or the one with a "
              "calibration split.")  # fmt: skip
@click.option("--held-out", multiple=True, metavar="NAME", help="A source of reals that is held "
              "out; repeat to pool several.")  # fmt: skip
@click.option("--same-fakes/--own-fakes", default=None, help="Whether all seeds answered the same "
              "fakes; default: as the table looks.")  # fmt: skip
@click.option(
    "--calibrated-fpr",
    type=click.FloatRange(0, 1, True, True),
    default=0.05,
    show_default=True,
    metavar="SHARE",
    help="Share of new reals that may be flagged.",
)
@click.option("--calibrated-confidence", type=click.FloatRange(0.5, 1, max_open=True),
              metavar="SHARE", help="How sure it has to be that no more are flagged, such as 0.95; "
              "default: so many on average.")  # fmt: skip
@click.option("--calibrated-by", type=click.Choice(["class"]), help="Promise it to the reals of "
              "every class.")  # fmt: skip
@json_option
@click.option("--open", "show", is_flag=True, help="Show the page in your browser.")
@click.pass_context
def evaluate_command(
    context: click.Context,
    /,
    scores: tuple[Path, ...],
    key: Path | None,
    out: Path | None,
    name: str,
    columns: list[str],
    as_json: bool,
    show: bool,
    **options: Any,
) -> None:
    """Make the whole report from tables of SCORES that any detector has written.

    A table is CSV, TSV, Parquet, JSON lines or JSON, with a row for each image: label and score,
    and where there: detector, source (the generator, or where reals come from), image, seed, split,
    group, class, known. Or with a column of scores for each detector. See docs/evaluate.md.

    \b
    Examples:
      gandetect evaluate scores.csv --open
      gandetect evaluate results.csv --columns score=prob,label=target --probabilities
      gandetect evaluate submission.csv --key answers.csv --columns score=label
    """
    from gandetect.evaluation import evaluate

    if wrong := [one for one in columns if "=" not in one]:
        raise UsageError(f"--columns {shown(wrong[0])} is not of the form ours=theirs, such as "
                         "score=prob")  # fmt: skip
    named = {
        ours.strip(): theirs.strip() for ours, _, theirs in (c.partition("=") for c in columns)
    }
    evaluation = evaluate(scores, key=key, out=out, name=name, columns=named, **options)
    cells = evaluation.metrics["cells"]
    detectors, sources = (sorted({cell[key] for cell in cells}) for key in ("detector", "source"))
    click.echo(f"detectors: {listed(detectors)}; sources: {listed(sources)}", err=True)
    for warning in evaluation.warnings:
        click.echo(f"warning: {warning}", err=True)
    page = evaluation.report.html
    if as_json:
        click.echo(evaluation.report.metrics_json.read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(page)
    suggest(context, f"gandetect compare {evaluation.run} OTHER-RUN")
    if show:
        click.launch(str(page))
