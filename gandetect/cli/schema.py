"""`gandetect schema`: what an editor completes and checks experiment files with."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import FILE
from gandetect.cli.output import print_json


@click.command("schema")
@click.option("--out", type=FILE, help="File to write.")
def schema_command(out: Path | None) -> None:
    """Print a JSON Schema of experiment files, for editors such as VS Code (Taplo).

    \b
    Example:
      gandetect schema --out experiments/schema.json
    """
    from gandetect import runs
    from gandetect.config.schema import experiment_schema

    schema = experiment_schema()
    if out is None:
        print_json(schema)
        return
    runs.write_json(out, schema)
    click.echo(out)
