"""Runs studies from where they stand to their reports."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from gandetect import runs
from gandetect.config import Experiment
from gandetect.engine import Plan, run_graph
from gandetect.errors import RunError
from gandetect.events import Listener
from gandetect.progress import Silent
from gandetect.study.engines import open_engine
from gandetect.study.estimate import duration_line
from gandetect.study.plan import Options, Study, plan_study
from gandetect.study.tensorboard import logged


def run_study(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run a study from where it stands to its report; returns the run folder.

    Interrupted at any point, the same call goes on from the last complete epoch, and on the CPU
    the result is the uninterrupted one, bit for bit. Raises `GandetectError` with what to do.
    """
    options = options or Options()
    study = plan_study(experiment, options)
    run_studies({"": study}, study.folder, options, listener or Silent())
    return study.folder


def run_studies(
    studies: Mapping[str, Study],
    folder: Path,
    options: Options,
    listener: Listener,
    first: Study | None = None,
) -> None:
    """Run studies below ``folder``, by what each is called, as one graph: none waits for another.

    What others have in common with the ``first`` is made there, and taken over. Raises
    `GandetectError` with what to do.
    """
    plans = plans_of(studies, options.stop_after, first)
    context = plans[0].context
    try:
        with ExitStack() as stack:
            for study in studies.values():
                study.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(runs.locked(study.folder))
                runs.open_run(study.folder, study.experiment)
            if options.log is not None:
                of = {study.folder: study.experiment for study in studies.values()}
                listener = stack.enter_context(logged(of, listener))
            engine = stack.enter_context(
                open_engine(
                    options.engine,
                    jobs=max(plan.context.jobs for plan in plans),
                    threads=context.threads,
                    device=context.device,
                    folder=folder,
                    listen=listener.event,
                )
            )
            if duration := duration_line([*studies.values()], plans):
                listener.say(duration)
            run_graph(plans, engine, listener)
    except OSError as error:
        raise as_run_error(error, folder) from None


def plans_of(
    studies: Mapping[str, Study], stop_after: str, first: Study | None = None
) -> list[Plan]:
    """What is to be done for each; what others have in common with the ``first`` is done there."""
    before = first.plan(stop_after) if first is not None else None
    plans: list[Plan] = []
    for label, study in studies.items():
        is_first = first is not None and study.folder == first.folder
        plans.append(study.plan(stop_after, None if is_first else before, label))
    return plans


def as_run_error(error: OSError, folder: Path) -> RunError:
    """What to say of a file that could not be used, or of a run folder without room."""
    name = str(error.filename or "")
    if name and not Path(name).absolute().is_relative_to(folder.absolute()):
        return RunError(
            f"{name!r} cannot be used ({error.strerror}); see that it is there and may be "
            "read, on a Ray cluster by every node; the same command goes on from there"
        )
    return RunError(
        f"run folder {str(folder)!r} cannot be written ({error.strerror or error}); free some "
        "space or choose another --out; what is complete is kept, and the same command goes on "
        "from there"
    )
