"""`gandetect generate`: images of a trained generator, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gandetect.cli.options import FILE, FOLDER, PATH
from gandetect.cli.output import say
from gandetect.errors import UsageError


@click.command("generate")
@click.argument("generator", type=PATH, metavar="RUN/gans/NAME/seed-S")
@click.option("--count", type=click.IntRange(1), required=True, metavar="N", help="How many.")
@click.option(
    "--out", type=FOLDER, required=True, metavar="DIR", help="Folder that they are written into."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, metavar="N",
    help="The same seed gives the same images.",
)  # fmt: skip
@click.option("--epoch", type=click.IntRange(1), metavar="E", help="Default: the last epoch.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["png", "parquet"]),
    default="png",
    show_default=True,
    help="PNG files, or one Parquet file of their bytes.",
)
@click.option(
    "--score",
    "detector",
    type=PATH,
    metavar="DETECTOR",
    help="Folder of a detector whose scores stand beside them, in scores.csv.",
)
@click.option(
    "--interpolate",
    "animation",
    type=FILE,
    metavar="FILE.gif",
    help="Also write a walk through latent space as an animation.",
)
@click.option("--force", is_flag=True, help="Replace what was written there before.")
@click.pass_context
def generate_command(
    context: click.Context,
    /,
    generator: Path,
    count: int,
    out: Path,
    seed: int,
    epoch: int | None,
    form: Literal["png", "parquet"],
    detector: Path | None,
    animation: Path | None,
    force: bool,
) -> None:
    """Draw images from a generator that a run has trained.

    They are drawn afresh: nothing in the run was trained or tested on them. A folder of them can
    be the `path` of a [[sources]] table in another experiment.

    \b
    Examples:
      gandetect generate runs/quick-…/gans/dcgan-bn/seed-0 --count 1000 --out fakes/
      gandetect generate runs/quick-…/gans/dcgan-bn/seed-0 --count 64 --out few/ --epoch 3 \\
        --score runs/quick-…/detectors/dcgan-bn/seed-0 --interpolate walk.gif
    """
    from gandetect.detectors.folder import load_detector
    from gandetect.runs import atomic_file
    from gandetect.scoring.generated import require_free, write_generated
    from gandetect.training.drawn import generate_images, interpolation, open_generator
    from gandetect.training.images import write_gif

    if animation is not None and animation.suffix.lower() != ".gif":
        raise UsageError(f"--interpolate {str(animation)!r} is no .gif file; name it so")
    for target in (out, animation):
        if target is not None:
            require_free(target, force)
    scorer = load_detector(detector, "cpu") if detector is not None else None
    written = write_generated(
        generate_images(generator, count, seed=seed, epoch=epoch), out, form, scorer
    )
    if animation is not None:
        frames = interpolation(open_generator(generator, epoch), seed)
        with atomic_file(animation) as temporary:
            write_gif(frames, temporary, [80] * len(frames))
        click.echo(animation)
    say(context)(f"{count:,} images of seed {seed} in {len(written):,} file(s)")
    click.echo(out)
