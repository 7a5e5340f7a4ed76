"""Several ordinary studies below one folder, and one report that joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gandetect import machine, runs
from gandetect.config import Experiment, digest_of
from gandetect.errors import RunError
from gandetect.events import Listener
from gandetect.study.plan import Options, Study, plan_lines
from gandetect.study.run import run_studies


@dataclass(frozen=True)
class Joined:
    """Studies on this machine that one report joins, each by what it is in words."""

    kind: str  # "sweep" or "ablation"
    experiment: Experiment
    folder: Path
    options: Options  # of the studies
    studies: Mapping[str, Study]


def resolved(experiment: Experiment, options: Options) -> Experiment:
    """The experiment with the precision of the device that it will run on."""
    device = machine.resolve_device(options.device)
    return experiment.with_precision(machine.native_precision(device))


def run_joined(
    joined: Joined,
    report: Callable[[Joined, Listener], None],
    listener: Listener,
    first: Study | None = None,
) -> Path:
    """Run all studies, then ``report``, which joins them; returns the folder of all.

    Each study has an ordinary run folder and goes on from where it stands; what the others have in
    common with the ``first`` is made there. Raises `GandetectError` with what to do.
    """
    try:
        joined.folder.mkdir(parents=True, exist_ok=True)
        with runs.locked(joined.folder):
            runs.open_run(joined.folder, joined.experiment)
            run_studies(joined.studies, joined.folder, joined.options, listener, first)
            report(joined, listener)
    except OSError as error:
        raise RunError(
            f"{joined.kind} folder {str(joined.folder)!r} cannot be written "
            f"({error.strerror or error}); free some space or choose another --out; what is "
            "complete is kept, and the same command goes on from there"
        ) from None
    return joined.folder


def lines_of(joined: Joined, counted: str) -> list[str]:
    """What would be done, study by study, for ``--dry-run``; ``counted`` says of how many."""
    lines = [f"# {joined.kind} of {counted}, would be put in {joined.folder}"]
    for words, study in joined.studies.items():
        lines += ["", f"# {words}", *plan_lines(study)]
    return lines


def write_joined(
    joined: Joined,
    build: Callable[[], object],
    version: int,
    files: Sequence[str],
    made_of: Sequence[Path],
    listener: Listener,
) -> None:
    """Build the report that joins the studies, unless it stands already.

    ``files`` are what it leaves in the folder of all, and ``made_of`` the files that it reads.
    """
    read = [runs.file_digest(path) for path in made_of]
    digest = digest_of([joined.kind, version, joined.experiment.model_dump(mode="json"), read])
    if runs.problem_with(joined.folder, digest) is None:
        return
    listener.say(f"Writing the {joined.kind}'s figures and report")
    build()
    runs.write_record(joined.folder, digest, files)
