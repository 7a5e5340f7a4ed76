"""`gandetect data`: fetch data sets, check them, set bad files aside and bring them back."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gandetect.cli.audit import audit_command
from gandetect.cli.options import MOST_PROCESSES, PATH, data_dir_option, json_option
from gandetect.cli.output import bar, print_json, say, say_any_name, suggest
from gandetect.errors import UsageError

if TYPE_CHECKING:
    from gandetect.data.integrity import Integrity
    from gandetect.data.quarantine import Outcome


@click.group("data")
def data_group() -> None:
    """Fetch, check and audit data sets.

    \b
    Examples:
      gandetect data fetch
      gandetect data check data/mine
    """


@data_group.command("fetch")
@data_dir_option
@click.option("--force", is_flag=True, help="Fetch again, replacing what is there.")
@click.pass_context
def data_fetch_command(context: click.Context, /, data_dir: Path | None, force: bool) -> None:
    """Get Fashion-MNIST, verify it, and keep it in the data folder.

    \b
    Example:
      gandetect data fetch --data-dir ~/datasets
    """
    from gandetect.data.fashion_mnist import fetch, resolve_data_dir

    folder = resolve_data_dir(data_dir)
    result = fetch(folder, notify=say(context), force=force)
    click.echo(result)


@data_group.command("check")
@click.argument("folder", required=False, metavar="[FOLDER|EXPERIMENT.toml]", type=PATH)
@click.option(
    "--quarantine",
    "target",
    type=PATH,
    metavar="DIR",
    help="Move bad files there; `gandetect data restore DIR` brings them back.",
)
@click.option(
    "--delete", is_flag=True, help="Delete bad files for good, after asking; unsupported ones stay."
)
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option(
    "--near-duplicates",
    "near",
    type=click.IntRange(0, 16),
    metavar="N",
    help="Also warn of pictures whose perceptual hashes differ in at most N of 64 bits.",
)
@click.option(
    "--group-pattern",
    "pattern",
    metavar="REGEX",
    help="Also tell how many file names of each class this fits, as data.group_pattern would.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_PROCESSES),
    metavar="N",
    help="Processes that read files; default: one a core.",
)
@json_option
@data_dir_option
@click.pass_context
def data_check_command(
    context: click.Context,
    /,
    folder: Path | None,
    target: Path | None,
    delete: bool,
    yes: bool,
    near: int | None,
    pattern: str | None,
    workers: int | None,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Read every image file in FOLDER fully, and tell what is wrong with it.

    FOLDER holds one sub-folder a class, or train, val and test folders that do, each the same
    ones; what was taken for what is said. With an EXPERIMENT.toml the files are those that its
    [data] names, with its labels, splits and groups: then a picture under both labels is found
    in a table too. Bad files are
    those that are damaged or truncated, empty, no image, of an unsupported kind, missing (a broken
    link) or unreadable, wrongly named, the same picture (to the pixel) under two classes, or in
    two of the split folders: then the copy in test stays, or else the one in validation. Other
    duplicates are warnings, and so are metadata that are damaged or large, names that do not say
    what a file holds, and shortcuts: formats, modes and sizes that differ between classes, which a
    detector could learn instead of the pictures. Files are known by content, whatever their name;
    links to folders are followed, but nothing behind them is moved or deleted.

    Exit code 0 when FOLDER has no bad files or all were moved or deleted as asked, 1 when it is
    left with some, or when a study would refuse them. Nothing is moved or deleted unasked.

    Without FOLDER: verify Fashion-MNIST's files in the data folder against their published
    digests.

    \b
    Examples:
      gandetect data check ~/datasets/faces
      gandetect data check ~/datasets/faces --quarantine ~/datasets/faces-bad
      gandetect data check ~/datasets/faces --near-duplicates 4 --json
      gandetect data check faces.toml --data-dir ~/datasets
    """
    if target is not None and delete:
        raise UsageError("--quarantine and --delete exclude each other; give one of them")
    if folder is None:
        if target is not None or delete or near is not None or pattern is not None:
            raise UsageError(
                "--quarantine, --delete, --near-duplicates and --group-pattern need a FOLDER"
            )
        _check_fashion_mnist(context, data_dir, as_json)
        return
    say_any_name()
    folder, integrity = _check(context, folder, data_dir, target, workers, near, pattern)
    if as_json:
        print_json(integrity.facts())
    else:
        _print_findings(integrity)
    from gandetect.data.study_check import REFUSED

    left = len(integrity.bad)
    if target is not None and integrity.bad:
        left -= len(_quarantine(context, folder, integrity, target).done)
    elif delete and integrity.bad:
        left -= len(_delete(context, folder, integrity, yes).done)
    elif integrity.bad:
        suggest(context, "the same command with --quarantine DIR sets the bad files aside")
    if left or any(note.startswith(REFUSED) for note in integrity.notes):
        context.exit(1)


@data_group.command("restore")
@click.argument("quarantine", metavar="DIR", type=PATH)
@click.pass_context
def data_restore_command(context: click.Context, /, quarantine: Path) -> None:
    """Bring the files of quarantine DIR back to where they came from.

    Only unchanged files are brought back, and only to places where nothing stands. The others
    are named and stay, and the exit code is 1.

    \b
    Example:
      gandetect data restore ~/datasets/faces-bad
    """
    from gandetect.data.quarantine import restore

    say_any_name()
    outcome = restore(quarantine)
    for path in outcome.done:
        click.echo(path)
    say(context)(f"{len(outcome.done):,} files brought back")
    _complain(outcome)
    if outcome.problems:
        context.exit(1)


def _check_fashion_mnist(context: click.Context, data_dir: Path | None, as_json: bool) -> None:
    from gandetect.data.fashion_mnist import check, resolve_data_dir

    findings = check(resolve_data_dir(data_dir))
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            click.echo(finding)
    if not all(finding.startswith("ok") for finding in findings):
        context.exit(1)


def _check(
    context: click.Context,
    place: Path,
    data_dir: Path | None,
    target: Path | None,
    workers: int | None,
    near: int | None,
    pattern: str | None,
) -> tuple[Path, Integrity]:
    """Check a folder, or the files of an experiment; where they lie, and what was found."""
    from gandetect import machine
    from gandetect.config import load_experiment
    from gandetect.config.class_images import checked_pattern
    from gandetect.data.fashion_mnist import resolve_data_dir
    from gandetect.data.integrity import check_folder
    from gandetect.data.quarantine import check_quarantine
    from gandetect.data.study_check import check_study, data_folder

    if place.suffix == ".toml" and place.is_file():
        overrides = () if pattern is None else (f"data.group_pattern={json.dumps(pattern)}",)
        config: Any = load_experiment(place, overrides).data
        folder = data_folder(config, resolve_data_dir(data_dir))
        check = partial(check_study, config, resolve_data_dir(data_dir))
    else:
        try:
            checked_pattern(pattern or "")
        except ValueError as error:
            raise UsageError(f"--group-pattern {error}") from None
        folder, check = place, partial(check_folder, place, pattern=pattern)
    if target is not None:
        check_quarantine(folder, target)  # said before an hour of reading
    with bar(context, "reading images") as progress:
        workers = workers or machine.cores()
        return folder, check(workers=workers, near=near, progress=progress)


def _print_findings(integrity: Integrity) -> None:
    from rich.console import Console

    from gandetect.cli.findings import class_table, finding_lines

    for line in finding_lines(integrity):
        click.echo(line)
    click.echo()
    Console(highlight=False).print(class_table(integrity.summary))
    if integrity.shortcuts:
        click.echo("\nshortcuts that a detector could learn instead of the pictures (warning):")
    for sentence in integrity.shortcuts:
        click.echo(f"  {sentence}")


def _quarantine(
    context: click.Context, folder: Path, integrity: Integrity, target: Path
) -> Outcome:
    from gandetect.data.quarantine import quarantine

    with bar(context, "moving files") as progress:
        outcome = quarantine(folder, integrity.bad, target, progress)
    _complain(outcome)
    say(context)(f"{len(outcome.done):,} files moved to {target}")
    suggest(context, f"gandetect data restore {target} brings them back")
    return outcome


def _delete(context: click.Context, folder: Path, integrity: Integrity, yes: bool) -> Outcome:
    from gandetect.data.quarantine import Outcome, delete

    if spared := len(integrity.bad) - len(integrity.deletable):
        note = "note: unsupported files are not deleted, as they may be whole: "
        click.echo(f"{note}{spared:,}", err=True)
    if not integrity.deletable:
        return Outcome()
    click.echo("to be deleted for good:", err=True)
    for path, reason in integrity.deletable.items():
        click.echo(f"  {folder / path}  ({reason})", err=True)
    if not yes and not click.confirm(f"Delete these {len(integrity.deletable):,} files?", err=True):
        click.echo("nothing was deleted", err=True)
        return Outcome()
    outcome = delete(folder, integrity.deletable)
    _complain(outcome)
    click.echo(f"{len(outcome.done):,} files deleted", err=True)
    return outcome


def _complain(outcome: Outcome) -> None:
    for problem in outcome.problems:
        click.echo(f"error: {problem}", err=True)


data_group.add_command(audit_command)
