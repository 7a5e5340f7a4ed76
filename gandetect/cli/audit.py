"""`gandetect data audit`: can something trivial tell two sets of images apart?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gandetect.cli.options import PATH, json_option
from gandetect.cli.output import print_json, say
from gandetect.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gandetect.analyses.audit.judging import ProbeResult
    from gandetect.analyses.audit.sides import Audited, Side
    from gandetect.data.file_facts import FileFacts
    from gandetect.statistics.rows import Row

SEED = 0  # of the sample; a second audit looks at the same images
MEANING = (
    "An AUROC of 0.5 is a coin toss, 1 tells every pair of images apart. A warning means that "
    "the probe alone tells the two sets apart (AUROC above 0.6, and above 0.55 beyond chance), "
    "so a detector may learn that instead of the pictures. It may be a true trace of the "
    "generator or an accident of how the files were made: send both sets through one pipeline "
    "(same size, format and rounding) and audit again. What then is gone was an accident, or "
    "too fragile to rely on."
)


@click.command("audit")
@click.argument("real", type=PATH)
@click.argument("generated", type=PATH)
@click.option(
    "--max-images",
    type=click.IntRange(min=1),
    default=2000,
    show_default=True,
    metavar="N",
    help="Look at a random sample of at most N images of each.",
)
@json_option
@click.pass_context
def audit_command(
    context: click.Context, /, real: Path, generated: Path, max_images: int, as_json: bool
) -> None:
    """Try trivial probes on REAL and GENERATED images, and warn where one tells them apart.

    REAL and GENERATED are two folders of image files, or two .npy arrays (N, C, H, W) of uint8
    or floats. Copies are counted first, within each set and across the two. Each probe is a
    small model on a few numbers of each image (brightness, grey levels, lowest bits, border,
    frequencies, JPEG's grid, blocks and pixels by their places; of files also format, bytes,
    size, tables, metadata), judged on images that it was not fitted to.

    Exit code 0 also with warnings.

    \b
    Examples:
      gandetect data audit photos/real photos/generated
      gandetect data audit real.npy generated.npy --max-images 500 --json
    """
    from gandetect.analyses.audit.numbers import rows

    audited, name = _audit(context, real, generated, max_images), generated.name
    if as_json:
        print_json({"checks": rows(audited.checks, name), "probes": rows(audited.probes, name)})
    else:
        _print_checks(rows(audited.checks, name))
    if audited.refused:
        raise DataError(audited.refused)
    if not as_json:
        _print(audited.probes)


def _audit(context: click.Context, real: Path, generated: Path, max_images: int) -> Audited:
    from gandetect.analyses.audit.sides import audit_arrays, audit_sides

    for path in (real, generated):
        if not path.is_dir() and path.suffix != ".npy":
            raise UsageError(f"{str(path)!r} is neither a folder nor a .npy file; give two alike")
    if real.is_dir() != generated.is_dir():
        raise UsageError("one of REAL and GENERATED is a folder and one a file; give two alike")
    say(context)(f"looking at up to {max_images:,} images of each")
    if real.is_dir():
        return audit_sides(*_sides_of_folders([real, generated], max_images))
    return audit_arrays(_array(real, max_images), _array(generated, max_images))


def _sides_of_folders(folders: Sequence[Path], max_images: int) -> list[Side]:
    """Look at the files and, one by one, their pictures, all in colour where one of them is."""
    from gandetect.analyses.audit.positions import window_side
    from gandetect.data.file_facts import file_facts
    from gandetect.data.folders import PassedOver
    from gandetect.data.images import find_images

    sides = []
    for folder in folders:
        passed = PassedOver()
        paths = sorted(find_images([folder], passed.add), key=_as_counted)
        for sentence in passed.sentences():
            click.echo(f"note: {str(folder)!r}: {sentence}", err=True)
        sides.append([file_facts(paths[place]) for place in _sample(len(paths), max_images)])
    colour = any(facts.mode not in ("1", "L", "LA", "I;16") for side in sides for facts in side)
    window = window_side(sum(map(len, sides)), 3 if colour else 1)
    return [_side_of_files(side, colour, window) for side in sides]


def _as_counted(path: Path) -> list[str | int]:
    """A sort key by which 2.png comes before 10.png."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _side_of_files(files: Sequence[FileFacts], colour: bool, window: int) -> Side:
    from gandetect.analyses.audit.sides import joined, side_of
    from gandetect.data.file_facts import file_features
    from gandetect.data.images import image_faults, plain_picture, read_picture
    from gandetect.data.picture import pixels_of

    sides = []
    for facts in files:
        with image_faults(facts.path):
            plain = plain_picture(read_picture(facts.path), "RGB" if colour else "L")
        try:
            sides.append(side_of(pixels_of(plain)[None], window, file_features([facts])))
        except DataError as error:
            raise DataError(f"{str(facts.path)!r}: {error}") from None
    return joined(sides)


def _array(path: Path, max_images: int) -> NDArray[Any]:
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{str(path)!r} does not exist; give a .npy file") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} is no array that can be read ({error})") from None
    if array.ndim != 4:
        raise DataError(
            f"{str(path)!r} has the shape {array.shape}; expected (N, C, H, W), an array of images"
        )
    return np.ascontiguousarray(array[_sample(len(array), max_images)])


def _sample(count: int, max_images: int) -> NDArray[np.int64]:
    """Places of at most so many images, in order, the same ones each time."""
    import numpy as np

    chosen = np.random.default_rng(SEED).permutation(count)[:max_images]
    return np.sort(chosen)


def _print_checks(checks: Sequence[Row]) -> None:
    from gandetect.analyses.audit.numbers import check_sentence

    for row in checks:
        flag = "WARNING: " if row["warning"] else ""
        click.echo(click.wrap_text(flag + check_sentence([row]), width=88))
    click.echo()


def _print(results: Sequence[ProbeResult]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("probe", "AUROC", "95 % interval", ""):
        table.add_column(heading, justify="right" if heading == "AUROC" else "left")
    for result in results:
        low, high = result.ci95
        interval = f"{low:.3f} to {high:.3f}"
        flag = "WARNING" if result.warning else ""
        table.add_row(result.probe, f"{result.auroc:.3f}", interval, flag)
    Console(highlight=False).print(table)
    first = results[0]
    click.echo(f"\n{first.n_real:,} real and {first.n_generated:,} generated images that differ")
    hits = [result.probe for result in results if result.warning]
    click.echo(f"warnings: {', '.join(hits) or 'none'}")
    for result in results:
        if result.where:
            click.echo(f"{result.probe}: {result.where}")
    click.echo()
    click.echo(click.wrap_text(MEANING, width=88))
