"""`gandetect init`: an experiment file for a folder of pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gandetect.cli.options import FILE, PATH, data_dir_option
from gandetect.cli.output import bar, say, suggest
from gandetect.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandetect.study.new_experiment import Answers, Look


@click.command("init")
@click.argument("name")
@click.option(
    "--data", "folder", required=True, type=PATH, metavar="FOLDER",
    help="Pictures, one sub-folder a class, or train, val and test folders of such.",
)  # fmt: skip
@click.option("--real", multiple=True, metavar="CLASS", help="A class of real images; repeat.")
@click.option("--generated", multiple=True, metavar="CLASS", help="One of generated images.")
@click.option("--ignored", multiple=True, metavar="CLASS", help="One to leave out.")
@click.option("--held-out", multiple=True, metavar="CLASS", help="One that nobody trains on.")
@click.option("--image-size", type=click.IntRange(28, 128), help="Side in pixels.")
@click.option("--channels", type=click.Choice(["1", "3"]), help="1 for grey, 3 for colour.")
@click.option("--group-pattern", metavar="REGEX", help="What file names of one group share.")
@click.option("--out", type=FILE, help="Default: NAME.toml.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@data_dir_option
@click.pass_context
def init_command(
    context: click.Context,
    /,
    name: str,
    folder: Path,
    real: tuple[str, ...],
    generated: tuple[str, ...],
    ignored: tuple[str, ...],
    held_out: tuple[str, ...],
    image_size: int | None,
    channels: str | None,
    group_pattern: str | None,
    out: Path | None,
    force: bool,
    data_dir: Path | None,
) -> None:
    """Look at a FOLDER of pictures, and write a commented experiment file that runs.

    With a class of generated images classifiers are trained on the labels; where all are real, GANs
    make the fakes, and one class is held out. What no look can tell is asked on a terminal; else it
    is guessed from the names of classes, and the file says so.

    \b
    Examples:
      gandetect init garden --data data/garden --held-out thistles
      gandetect init mine --data data/mine --real photos --generated fakes
    """
    from gandetect import runs
    from gandetect.data.fashion_mnist import resolve_data_dir
    from gandetect.machine import cores
    from gandetect.study.new_experiment import Answers, look_at, write_experiment

    path = out or Path(f"{name}.toml")
    if path.exists() and not force:
        raise UsageError(f"{str(path)!r} is there already; give another --out, or --force")
    with bar(context, "reading images") as progress:
        look = look_at(folder, cores(), progress)
    say(context)(
        f"{look.integrity.files:,} image files, {len(look.integrity.bad):,} bad; classes: "
        f"{', '.join(look.classes)}"
    )
    given = {
        **dict.fromkeys(real, "real"),
        **dict.fromkeys(generated, "generated"),
        **dict.fromkeys(ignored, "ignored"),
    }
    labels, answered = _labels(look, given)
    answers = Answers(
        labels,
        held_out,
        image_size,
        int(channels) if channels else None,
        group_pattern,
        guessed=not answered,
    )
    runs.write_text(
        path,
        write_experiment(name, look, _with_held_out(look, answers), resolve_data_dir(data_dir)),
    )
    click.echo(path)
    suggest(context, f"gandetect run {path} --dry-run shows the study")


def _labels(look: Look, given: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """What each class is, in the flags' words, or asked, or guessed; and whether all is known."""
    from gandetect.study.new_experiment import LABELS

    labels = {**look.guessed_labels(), **given}
    missing = [name for name in look.classes if name not in given]
    if not on_terminal():
        return labels, not missing
    for name in missing:
        choice = click.Choice(LABELS)
        labels[name] = click.prompt(f"class {name!r} is", labels[name], type=choice, err=True)
    return labels, True


def _with_held_out(look: Look, answers: Answers) -> Answers:
    """The answers with a class that nobody trains on, where GANs need one and none was given."""
    from dataclasses import replace

    if not answers.for_gans:
        return answers
    if answers.held_out:
        return replace(answers, guessed=False)
    reals = [name for name in look.classes if answers.labels.get(name) == "real"]
    if not reals:
        return answers
    if not on_terminal():
        return replace(answers, held_out=reals[-1:], guessed=True)
    chosen = click.prompt("held-out class", reals[-1], type=click.Choice(reals), err=True)
    return replace(answers, held_out=[chosen])


def on_terminal() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()
