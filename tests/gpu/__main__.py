"""The check's command: what is missing is installed from the wheels, then steps run in turn."""

from __future__ import annotations

import os
import sys
from math import inf
from pathlib import Path

import click

from .ready import DATA
from .runner import FACTS, run_steps
from .settings import Settings
from .wheels import ROOT, make_importable

# Modules, and the seconds that each may take on a GPU.
STEPS = {
    FACTS: ("gpu.facts", 120.0),  # the first import of torch from a cold disk is part of it
    "smoke": ("gpu.smoke", 100.0),
    "equal": ("gpu.equal", 140.0),
    "speed": ("gpu.speed", 120.0),
    "study": ("gpu.study", inf),
}
ASKED = tuple(name for name in STEPS if name != FACTS)


def _chosen(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        if name not in ASKED:
            raise click.BadParameter(f"{name!r} is none of {', '.join(ASKED)}")
    return names


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="For what comes back.")
@click.option("--device", type=click.Choice(["cuda", "cpu"]), default="cuda", show_default=True)
@click.option("--tiny", is_flag=True, help="Whether it runs, in seconds: figures mean nothing.")
@click.option(
    "--only", callback=_chosen, default=",".join(ASKED), show_default=True, metavar="STEP,STEP"
)
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), default=9.0, show_default=True,
    help="For all steps together; the last takes what the others leave.",
)  # fmt: skip
@click.option(
    "--work", type=click.Path(path_type=Path), default=Path("runs/gpu-check"), show_default=True,
    help="For run folders: a study that was ended goes on from there.",
)  # fmt: skip
@click.option(
    "--study", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=Settings.study, show_default=True, help="The experiment that the last step runs.",
)  # fmt: skip
def main(
    out: Path,
    device: str,
    tiny: bool,
    only: tuple[str, ...],
    minutes: float,
    work: Path,
    study: Path,
) -> None:
    """Check gandetect on a GPU: at most 8 files of 16 MB in --out, a summary at the end.

    Exits with 1 when something failed or was ended at its limit.
    """
    out, work = out.absolute(), work.absolute()
    os.chdir(ROOT)
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    os.environ.setdefault("GANDETECT_CACHE_DIR", str(work / "cache"))  # or it travels next time
    if (ROOT / DATA).is_dir():
        os.environ.setdefault("GANDETECT_DATA_DIR", str(ROOT / DATA))
    make_importable(work / "site")
    from benchmarks.children import FRESH, SPAWN

    # A fork of a process that has as much as asked for a GPU can use none: there each step begins
    # with its imports, here they are made once.
    context = SPAWN if device == "cuda" else FRESH
    # Tiny steps have all the time there is: how slow a machine is says nothing of the code.
    steps = {name: (STEPS[name][0], inf if tiny else STEPS[name][1]) for name in (FACTS, *only)}
    sys.exit(
        not run_steps(
            steps,
            Settings(device, tiny, out, work, study=study.absolute()),
            context,
            minutes=minutes,
        )
    )


if __name__ == "__main__":
    main()
