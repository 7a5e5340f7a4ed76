"""`gandetect export`: a saved detector as one file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gandetect.cli.options import FILE, PATH
from gandetect.cli.output import say

if TYPE_CHECKING:
    from gandetect.detectors.export import Format


@click.command("export")
@click.argument("detector", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["onnx", "torchscript"]),
    required=True,
    help="ONNX needs `pip install 'gandetect[onnx]'`.",
)
@click.option(
    "--out",
    type=FILE,
    help="File to write; default: the detector's name with .onnx or .pt, in this folder.",
)
@click.pass_context
def export_command(
    context: click.Context, /, detector: Path, form: Format, out: Path | None
) -> None:
    """Write a saved DETECTOR as one graph: uint8 images in, log-odds of generated out.

    Scaling and sign are in the graph; image size, colours, thresholds and provenance are in its
    metadata, under `gandetect`. The batch size is free. The file is kept only if it gives the
    detector's own scores.

    \b
    Examples:
      gandetect export runs/quick-…/detectors/dcgan-plain/seed-0 --format onnx
      gandetect export DETECTOR --format torchscript --out detector.pt
    """
    from gandetect.detectors.export import SUFFIXES, export_detector
    from gandetect.detectors.folder import load_network

    loaded = load_network(detector)
    path = out or Path(f"{loaded.name}{SUFFIXES[form]}")
    given = export_detector(loaded, path, form)["input"]
    click.echo(path)
    say(context)(
        f"it takes {given['type']} images of shape {tuple(given['shape'])}, {given['colours']}"
    )
