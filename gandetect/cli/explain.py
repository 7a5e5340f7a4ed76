"""`gandetect explain`: what moves a detector's score of single images."""

from __future__ import annotations

from pathlib import Path

import click

from gandetect.cli.options import FOLDER, PATH, code_from_option, json_option
from gandetect.cli.output import print_json, say, say_any_name


@click.command("explain")
@click.argument("detector", type=PATH)
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("explained"),
    show_default=True,
    help="Folder for a PNG and a JSON file of each image.",
)
@json_option
@code_from_option
@click.pass_context
def explain_command(
    context: click.Context,
    /,
    detector: Path,
    paths: tuple[Path, ...],
    out: Path,
    as_json: bool,
    code_from: Path | None,
) -> None:
    """Show which parts of images move the score of a saved DETECTOR, and their spectra.

    Parts are covered one after the other, and the change of the score is drawn over the image. The
    spectrum stands beside that of the in-distribution reals of the detector's run. A detector
    outside its run has no reals: parts are then covered with the image's own mean colour, and the
    spectrum stands alone. Exit code 1 when an image cannot be read.

    \b
    Example:
      gandetect explain runs/quick-…/detectors/dcgan-plain/seed-0 photo.png --out explained/
    """
    from gandetect.data.folders import PassedOver
    from gandetect.detectors.folder import load_detector
    from gandetect.explanation import explain_images, reals_of_run

    loaded = load_detector(detector, code_from=code_from)
    reals, passed = reals_of_run(detector), PassedOver()
    say_any_name()
    if reals is None:
        say(context)("the detector lies in no run with image statistics: spectra stand alone")
    explained, failed = [], 0
    for one in explain_images(loaded, reals, paths, out, passed.add):
        explained.append(one.facts)
        if one.picture is None:
            failed += 1
            click.echo(f"error: {one.facts['error']}", err=True)
        elif not as_json:
            click.echo(one.picture)
    if as_json:
        print_json(explained)
    for sentence in passed.sentences():
        click.echo(f"note: {sentence}", err=True)
    if failed:
        context.exit(1)
