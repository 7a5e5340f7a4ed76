"""`gandetect report` and `gandetect grid`: what people look at, from a run's stored scores."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import json_option
from gandetect.cli.output import print_json


@click.command("report")
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


@click.command("grid")
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
        print_json([str(path) for path in written])
    else:
        click.echo("\n".join(str(path) for path in written))
