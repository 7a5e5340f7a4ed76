"""A sweep over held-out classes: every choice is an ordinary study, and one report joins them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gandetect import machine, runs
from gandetect.config import Experiment, FashionMnistConfig, digest_of
from gandetect.config.sweep import expand, is_sweep, one_choice
from gandetect.data.fashion_mnist import CLASSES
from gandetect.data.splits import resolve_held_out
from gandetect.errors import RunError, UsageError
from gandetect.progress import Listener, Silent
from gandetect.study.plan import Options, Study, plan_lines, plan_study
from gandetect.study.run import run_study

VERSION = 1  # raise it when the code of the sweep's report changes what it writes
CHOICES = "choices"


@dataclass(frozen=True)
class Sweep:
    """A sweep on this machine: its folder, and the study of every choice within it."""

    experiment: Experiment
    folder: Path
    options: Options  # of the studies
    studies: tuple[Study, ...]

    def words(self, number: int) -> str:
        """What choice ``number``, counted from 1, is: ``choice 1 of 4 (held out: Bag, Shirt)``."""
        held_out = ", ".join(CLASSES[one] for one in _numbers(self.studies[number - 1].experiment))
        return f"choice {number} of {len(self.studies)} (held out: {held_out})"


def plan_sweep(experiment: Experiment, options: Options) -> Sweep:
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
    plain = expand(experiment, CLASSES)
    found = [_numbers(one) for one in plain]
    for number, choice in enumerate(found, start=1):
        if choice in found[: number - 1]:
            names = ", ".join(CLASSES[one] for one in choice)
            raise UsageError(
                f"held_out holds the choice {names} twice (number {found.index(choice) + 1} and "
                f"{number}); give each choice once"
            )
    device = machine.resolve_device(options.device)
    resolved = experiment.with_precision(machine.native_precision(device))
    folder = runs.run_folder(options.out, resolved)
    inner = replace(options, out=folder / CHOICES)
    return Sweep(resolved, folder, inner, tuple(plan_study(one, inner) for one in plain))


def run_sweep(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run the study of every choice, then write the sweep's report; returns the sweep's folder.

    Each study has an ordinary run folder below ``choices/`` and goes on from where it stands.
    Raises `GandetectError` with what to do.
    """
    options, listener = options or Options(), listener or Silent()
    sweep = plan_sweep(experiment, options)
    try:
        sweep.folder.mkdir(parents=True, exist_ok=True)
        with runs.locked(sweep.folder):
            runs.open_run(sweep.folder, sweep.experiment)
            for number, study in enumerate(sweep.studies, start=1):
                if not (study.folder / runs.RECORD).exists():
                    listener.say(f"Study of {sweep.words(number)}")
                run_study(study.experiment, sweep.options, listener)
            _report(sweep, listener)
    except OSError as error:
        raise RunError(
            f"sweep folder {str(sweep.folder)!r} cannot be written "
            f"({error.strerror or error}); free some space or choose another --out; what is "
            "complete is kept, and the same command goes on from there"
        ) from None
    return sweep.folder


def sweep_lines(sweep: Sweep) -> list[str]:
    """What a sweep would do, choice by choice, for ``--dry-run``."""
    lines = [f"# sweep of {len(sweep.studies)} choices, would be put in {sweep.folder}"]
    for number, study in enumerate(sweep.studies, start=1):
        lines += ["", f"# {sweep.words(number)}", *plan_lines(study)]
    return lines


def _report(sweep: Sweep, listener: Listener) -> None:
    from gandetect.report.sweep import FILES, build_sweep_report

    folders = [study.folder for study in sweep.studies]
    made_of = [runs.file_digest(folder / "metrics.json") for folder in folders]
    digest = digest_of(["sweep", VERSION, sweep.experiment.model_dump(mode="json"), made_of])
    if runs.problem_with(sweep.folder, digest) is None:
        return
    listener.say("Writing the sweep's figures and report")
    build_sweep_report(sweep.folder, folders)
    runs.write_record(sweep.folder, digest, FILES)


def _numbers(experiment: Experiment) -> tuple[int, ...]:
    """Numbers of the classes that a plain experiment holds out."""
    assert isinstance(experiment.data, FashionMnistConfig)
    return resolve_held_out(one_choice(experiment.data), CLASSES)
