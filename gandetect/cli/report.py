"""`gandetect report` and `gandetect grid`: what people look at, from a run's stored scores."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import FOLDER, PATH, json_option
from gandetect.cli.output import print_json
from gandetect.errors import RunError, UsageError


@click.command("report")
@click.argument("run", type=PATH)
@click.option(
    "--prevalence",
    type=float,
    metavar="SHARE",
    help="Share of fakes among uploads, above 0 and below 1.",
)
@click.option("--cost-miss", type=float, metavar="COST", help="What a missed fake costs.")
@click.option(
    "--cost-flag",
    type=float,
    metavar="COST",
    help="What flagging a real upload costs, in the same unit.",
)
@click.option("--open", "show", is_flag=True, help="Show the page in your browser.")
@json_option
@click.pass_context
def report_command(
    context: click.Context,
    /,
    run: Path,
    show: bool,
    as_json: bool,
    **options: float | None,
) -> None:
    """Rebuild metrics, figures and report of a RUN from its stored scores, without torch.

    The cost view reckons with 2 fakes in 100 uploads, 20 for a missed fake and 1 for a flagged
    real one, unless you say what your place is like.

    \b
    Examples:
      gandetect report runs/quick-… --open
      gandetect report runs/quick-… --prevalence 0.02 --cost-miss 20 --cost-flag 1
    """
    from gandetect.analyses.build import build_report
    from gandetect.analyses.variants.build import build_variants_report
    from gandetect.statistics.cost_model import EXAMPLE_COSTS, CostModel

    costs = {name: value for name, value in options.items() if value is not None}
    market = CostModel(**{**EXAMPLE_COSTS.as_dict(), **costs})
    if (run / "variants.json").is_file():
        if costs:
            raise UsageError(
                f"{str(run)!r} joins variants, and has no cost view; give the run folder of one of "
                f"them, below {str(run / 'variants')!r}"
            )
        numbers = run / "variants.json"
        page = build_variants_report(run, _studies(numbers))
    else:
        page = build_report(run, market).html
        numbers = run / "metrics.json"
    if as_json:
        click.echo(numbers.read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(page)
    if show:
        click.launch(str(page))


def _studies(numbers: Path) -> dict[str, Path]:
    from gandetect.runs import read_json

    try:
        listed = read_json(numbers)["variants"]
        return {str(study["variant"]): numbers.parent / study["run"] for study in listed}
    except (KeyError, TypeError):
        raise RunError(f"{str(numbers)!r} is damaged; run the study again to make it") from None


@click.command("grid")
@click.argument("run", type=PATH)
@click.option("--out", type=FOLDER, help="Where to put them.")
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
