"""A sweep over held-out classes: every choice is an ordinary study, and one report joins them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gandetect import runs
from gandetect.config import ClassImagesConfig, Experiment
from gandetect.config.sweep import expand, is_sweep
from gandetect.data import class_names
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.errors import UsageError
from gandetect.events import Listener
from gandetect.progress import Silent
from gandetect.stages.class_data import resolve_classes
from gandetect.study.joined import Joined, lines_of, resolved, run_joined, write_joined
from gandetect.study.plan import Options, plan_study

VERSION = 1  # raise it when the code of the sweep's report changes what it writes
CHOICES = "choices"


def plan_sweep(experiment: Experiment, options: Options) -> Joined:
    """Resolve every choice's study without writing anything.

    Raises `UsageError` for an experiment that is no sweep or a stage that a sweep does not stop
    at, for a class that is unknown or twice in one choice, and for one choice given twice.
    """
    if not is_sweep(experiment):
        raise UsageError(
            f"experiment {experiment.name!r} holds out one choice of classes; a sweep needs "
            'several, as in held_out = "sweep:3"'
        )
    if options.stop_after != "report":
        raise UsageError(
            f"experiment {experiment.name!r} is a sweep over held-out classes, and training alone "
            "needs a plain experiment; use `gandetect run`, or choose with "
            "--set 'data.held_out=[\"Bag\"]'"
        )
    assert isinstance(experiment.data, ClassImagesConfig)
    classes = class_names(experiment.data, resolve_data_dir(options.data_dir))
    plain = expand(experiment, classes)
    found = [_numbers(one, classes) for one in plain]

    def names(choice: tuple[int, ...]) -> str:
        return ", ".join(classes[number] for number in choice)

    for number, choice in enumerate(found, start=1):
        if choice in found[: number - 1]:
            raise UsageError(
                f"held_out holds the choice {names(choice)} twice (number "
                f"{found.index(choice) + 1} and {number}); give each choice once"
            )
    whole = resolved(experiment, options)
    folder = runs.run_folder(options.out, whole)
    inner = replace(options, out=folder / CHOICES)
    studies = {
        f"choice {number} of {len(plain)} (held out: {names(choice)})": plan_study(one, inner)
        for number, (one, choice) in enumerate(zip(plain, found, strict=True), start=1)
    }
    return Joined("sweep", whole, folder, inner, studies)


def run_sweep(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run the study of every choice, then write the sweep's report; returns the sweep's folder.

    Each study has an ordinary run folder below ``choices/`` and goes on from where it stands.
    Raises `GandetectError` with what to do.
    """
    return run_joined(plan_sweep(experiment, options or Options()), _report, listener or Silent())


def sweep_lines(sweep: Joined) -> list[str]:
    """What a sweep would do, choice by choice, for ``--dry-run``."""
    return lines_of(sweep, f"{len(sweep.studies)} choices")


def _report(sweep: Joined, listener: Listener) -> None:
    from gandetect.report.sweep import FILES, build_sweep_report

    folders = [study.folder for study in sweep.studies.values()]

    def build() -> object:
        return build_sweep_report(sweep.folder, folders)

    read = [folder / "metrics.json" for folder in folders]
    write_joined(sweep, build, VERSION, FILES, read, listener)


def _numbers(experiment: Experiment, classes: tuple[str, ...]) -> tuple[int, ...]:
    """Numbers of the classes that a plain experiment holds out."""
    assert isinstance(experiment.data, ClassImagesConfig)
    held_out, _ = resolve_classes(experiment.data, classes)
    return held_out
