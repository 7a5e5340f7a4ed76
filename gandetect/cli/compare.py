"""`gandetect compare`: several runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import FOLDER, PATH, json_option
from gandetect.cli.output import print_json


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN RUN...")
@click.option(
    "--out", type=FOLDER, help="Where to put the page; default: ./comparison-<run>-vs-<run>."
)
@json_option
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
def compare_command(
    runs: tuple[Path, ...], out: Path | None, as_json: bool, open_page: bool
) -> None:
    """Compare runs with the first one: what was changed, and which figures moved beyond chance.

    Writes comparison.html, comparison.md and comparison.csv, and prints where the page is.

    \b
    Examples:
      gandetect compare runs/quick-… runs/longer-… --open
      gandetect compare runs/quick-… runs/longer-… --json
    """
    from gandetect.analyses.compare.build import build_comparison

    written = build_comparison(runs, out)
    if as_json:
        print_json(written.numbers)
    else:
        click.echo(written.html)
    if open_page:
        click.launch(str(written.html))
