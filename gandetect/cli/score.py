"""`gandetect score`: images through a saved detector."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from gandetect.cli.options import FOLDER, MOST_PROCESSES, PATH, address_option, code_from_option
from gandetect.cli.output import say, say_any_name
from gandetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandetect.data.folders import PassedOver
    from gandetect.scoring import ConversionTally
    from gandetect.scoring.collection import Counts, Work
    from gandetect.scoring.paths import Point
    from gandetect.scoring.shards import ScoringRequest, Shard

MOST_WORKERS = 8  # each holds decoded batches in memory


@click.command("score")
@click.argument("detector", type=PATH)
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option(
    "--at",
    "operating_point",
    metavar="POINT",
    help="Operating point of the verdict: native (the default), calibrated, for classifiers "
    "youden, or a score of your own such as 10.0, as the report of `gandetect evaluate` names it.",
)
@click.option(
    "--unsure-between",
    nargs=2,
    metavar="POINT POINT",
    help="Two operating points, or false positive rates such as 0.05 0.5: an image whose score "
    "lies between their thresholds is unsure.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "kaggle"]),
    help="CSV (the default), JSON lines, or a submission: image,label with 1 for real, 0 for "
    "generated.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format jsonl.")
@click.option(
    "--workers",
    type=click.IntRange(0, MOST_PROCESSES),
    metavar="N",
    help=f"Processes that decode files while others are scored; default: one a core, at most "
    f"{MOST_WORKERS}. 0 or 1: none, as for few files. With Ray: shards that are scored "
    "at a time; default: one a CPU.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse images that would have to be converted: of another size, in colour for a grey "
    "detector or grey for a colour one, transparent, of 16 bits, turned by EXIF, animated.",
)
@click.option(
    "--out",
    type=FOLDER,
    help="Folder for the answers to a large collection: a Parquet file for every 10,000 images, or "
    "for every Parquet file of image bytes. The same command goes on where it was interrupted.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="What fills --out: this process, or Ray.",
)
@address_option
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="cpu")
@code_from_option
@click.pass_context
def score_command(
    context: click.Context,
    /,
    detector: Path,
    paths: tuple[Path, ...],
    operating_point: str | None,
    unsure_between: tuple[str, str] | None,
    form: str | None,
    as_json: bool,
    workers: int | None,
    strict: bool,
    out: Path | None,
    engine: str,
    address: str | None,
    device: str,
    code_from: Path | None,
) -> None:
    """Score images, or whole folders of them, with a saved DETECTOR.

    One line an image: path, score (log-odds of being generated), probability, verdict, error,
    conversion. An image that is not as the detector takes it is converted, and conversion says
    how, as in "RGB 640x480 to grey 28x28, pad"; with --strict it gets an error and no score.
    A kaggle submission has no line for an image that could not be scored: it is named on stderr.
    Exit code 1 when at least one image could not be scored. Names with a leading dash go behind
    `--`.

    With --out the answers are a folder of Parquet files, made shard by shard; PATHs may then be
    Parquet files too, or folders of them, with image bytes in a column `bytes` and, if there is
    one, their names in a column `path`.

    \b
    Examples:
      gandetect score runs/quick-…/detectors/dcgan-plain/seed-0 photos/
      gandetect score DETECTOR --at calibrated --format jsonl -- -odd-name.png
      gandetect score DETECTOR --at 10.0 photos/
      gandetect score DETECTOR --unsure-between 0.05 0.5 photos/
      gandetect score DETECTOR --format kaggle test/ > submission.csv
      gandetect score DETECTOR images/ --out scores/ --engine ray --address head:6379
    """
    from gandetect.machine import cores, resolve_device

    if engine == "ray" and code_from:
        raise UsageError(
            "--code-from was given with --engine ray, whose workers do not have that code; leave "
            "one of them out"
        )
    _check(paths, out, engine, address, form or ("jsonl" if as_json else None))
    point = _point(operating_point, unsure_between, form)
    if workers is None and out is None:
        workers = min(cores(), MOST_WORKERS)
    from gandetect.data.folders import PassedOver
    from gandetect.detectors.folder import load_detector
    from gandetect.scoring import ConversionTally, cuts_at, score_paths, write_scores

    device = resolve_device(device)
    loaded = load_detector(detector, device, code_from)
    if isinstance(point, str) and (promise := loaded.promise(point)):
        click.echo(f"note: {promise}", err=True)
    if isinstance(point, str) and point not in loaded.operating_points:
        cut = loaded.threshold(point)
        rate = f"; for a false positive rate give --unsure-between, as {point} 0.5"
        click.echo(
            f"note: the threshold {point} is a score (log-odds), and promises nothing by itself"
            f"{rate if f'{cut:g}' in loaded.description.cuts else ''}",
            err=True,
        )
    tally, passed = ConversionTally(), PassedOver()
    if out is not None:
        from gandetect import runs
        from gandetect.scoring.shards import open_folder, scoring_request

        cuts_at(loaded, point)
        request = scoring_request(out, detector, point, strict)
        open_folder(request, paths)
        with runs.locked(out), _work(engine, address, workers, loaded, detector, request) as work:
            failed = _fill(context, request, paths, work, tally, passed)
        _conclude(context, tally, passed, failed, "; see column error")
        return
    say_any_name()
    form = "jsonl" if as_json else form or "csv"
    assert workers is not None
    scoring = score_paths(loaded, paths, point, workers, strict=strict, tell=passed.add)
    with closing(scoring) as scored:
        _, wrong = write_scores(
            tally.watch(scored),
            sys.stdout,
            form,  # type: ignore[arg-type]
            lambda sentence: click.echo(f"error: {sentence}", err=True),
            conversions=True,
        )
    sys.stdout.flush()
    where = " and have no line" if form == "kaggle" else "; see column error"
    _conclude(context, tally, passed, wrong, where)


def _check(
    paths: Iterable[Path], out: Path | None, engine: str, address: str | None, form: str | None
) -> None:
    """Refuse what does not go together, and a Ray that is not there."""
    from gandetect.study.engines import EngineOptions

    EngineOptions(engine, address).check()
    if out is None and engine == "ray":
        raise UsageError("--engine ray was given without --out; give a folder for the answers")
    if out is None and (
        table := next((one for one in paths if one.suffix.lower() == ".parquet"), None)
    ):
        raise UsageError(
            f"{str(table)!r} is a Parquet file, whose images are scored into a folder; add --out"
        )
    if out is not None and form is not None:
        raise UsageError(f"--out was given with the format {form}; it is always Parquet: give one")


def _point(at: str | None, unsure: tuple[str, str] | None, form: str | None) -> Point:
    if unsure is None:
        return at or "native"
    if at is not None:
        raise UsageError(
            f"--at {at} was given with --unsure-between {' '.join(unsure)}; give one of them"
        )
    if form == "kaggle":
        raise UsageError("--unsure-between was given with --format kaggle, which has no such label")
    return unsure


@contextmanager
def _work(
    engine: str,
    address: str | None,
    workers: int | None,
    loaded: Any,
    detector: Path,
    request: ScoringRequest,
) -> Iterator[Work]:
    from gandetect.engine import Task, as_finished
    from gandetect.events import silent
    from gandetect.machine import cores
    from gandetect.scoring.collection import copied_detector, score_on_worker, score_shard
    from gandetect.study.engines import EngineOptions, open_engine

    if engine == "local":
        yield lambda shards: (score_shard(loaded, shard, request) for shard in shards)
        return
    kind, copy = loaded.device.type, copied_detector(detector, request)
    options, jobs, folder = EngineOptions(engine, address), workers or cores(), copy.parent
    with open_engine(
        options, jobs=jobs, threads=1, device=kind, folder=folder, listen=silent
    ) as ray:

        def work(shards: Sequence[Shard]) -> Iterator[Counts]:
            for done in as_finished(ray, map(task, shards), workers):
                yield cast("Counts", done.result)

        def task(shard: Shard) -> Task:
            return Task(f"shard {shard.name}", partial(score_on_worker, copy, kind, shard, request))

        yield work


def _fill(
    context: click.Context,
    request: ScoringRequest,
    paths: tuple[Path, ...],
    work: Work,
    tally: ConversionTally,
    passed: PassedOver,
) -> int:
    """Score a collection into its folder, and say how it goes; returns how many images failed."""
    from gandetect.scoring.collection import score_collection
    from gandetect.scoring.shards import remove_others, shards_of

    shards, failed = shards_of(request, paths, passed.add), 0
    for number, counts in enumerate(score_collection(shards, request, work), start=1):
        failed += counts.failed
        tally.add(counts.images, counts.conversions)
        say(context)(f"shard {number:,} of {len(shards):,}: {tally.images:,} images")
    if stale := remove_others(request, shards):
        click.echo(f"note: {stale} shard(s) of files that have changed were removed", err=True)
    click.echo(request.folder)
    return failed


def _conclude(
    context: click.Context, tally: ConversionTally, passed: PassedOver, failed: int, where: str
) -> None:
    """Say what was passed over, what was converted and what failed: then the exit code is 1."""
    for sentence in [*passed.sentences(), *tally.sentences()]:
        click.echo(f"note: {sentence}", err=True)
    if failed:
        click.echo(f"{failed} of {tally.images} images could not be scored{where}", err=True)
        context.exit(1)
