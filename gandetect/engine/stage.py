"""A stage: one piece of a study in one folder, with what it needs and what changes its result."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import ClassVar, Literal

from pydantic import BaseModel

from gandetect import runs
from gandetect.config import digest_of
from gandetect.errors import ExternalError
from gandetect.events import Notify, silent, warn

Facts = Mapping[str, object]
BEGUN = "begun.json"


@dataclass(frozen=True)
class Context:
    """Where a stage runs and what it may use; nothing here changes a result but ``threads``.

    ``run`` is the run folder, ``folder`` where the stage writes, ``cache`` where decoded pixels are
    kept, and ``workers`` how many processes may read image files. A path that is relative in a
    stage's settings is below ``data_dir``, and that of somebody's code or model file below
    ``home``, the folder of the experiment file.
    """

    run: Path
    folder: Path
    data_dir: Path
    cache: Path
    device: str
    jobs: int
    threads: int
    workers: int
    notify: Notify = silent
    home: Path = Path()

    def of(self, stage: Stage) -> Path:
        """The folder of a stage that this one needs."""
        return self.run / stage.place

    def warn(self, message: str) -> None:
        """Tell of something the user should know, though the study goes on."""
        warn(self.notify, message)


@dataclass(frozen=True)
class Stage:
    """One piece of a study. A kind of stage is a frozen dataclass of settings and needed stages.

    ``PLACE`` and ``TITLE`` are formats of its fields, as in ``"gans/{self.config.name}"``.
    Raise ``VERSION`` when the code of a kind changes its results: older folders are then made
    afresh. A stage that writes "afresh" fills a new folder, which replaces the old one when it is
    complete; one that "resumes" writes into its folder as it goes, and goes on there after an
    interruption; one "in-place" adds files to a folder of others. Without ``COMPUTES`` a stage
    needs no GPU. A stage that runs ``HERE`` reads what may be nowhere else, and is not handed to an
    engine.

    A stage that raises `ExternalError` is left out with its sentence, and so is what needs it, but
    for a stage that ``SPANS_GAPS``.
    """

    PLACE: ClassVar[str]
    TITLE: ClassVar[str]
    WEIGHT: ClassVar[float] = 5.0
    VERSION: ClassVar[int] = 1
    WRITES: ClassVar[Literal["afresh", "resumes", "in-place"]] = "afresh"
    COMPUTES: ClassVar[bool] = True
    HERE: ClassVar[bool] = False
    SPANS_GAPS: ClassVar[bool] = False

    @property
    def place(self) -> str:
        """Its folder below the run folder, with slashes; no two stages of a run share one."""
        return self.PLACE.format(self=self)

    @property
    def title(self) -> str:
        """Its title on screen while it runs, such as ``Training dcgan-bn seed 0``."""
        return self.TITLE.format(self=self)

    @property
    def subject(self) -> str:
        """The subject of its progress messages, such as ``dcgan-bn seed 0``."""
        return self.title

    @property
    def weight(self) -> float:
        """Roughly how many seconds it takes on one core; of those that are ready the longest
        chains start first."""
        return self.WEIGHT

    def weight_left(self, folder: Path) -> float:
        """The same of what is still to be done when ``folder`` is gone on with."""
        return self.weight

    def check(self, context: Context) -> None:
        """Raise `GandetectError` for settings that could only fail later; nothing is written."""

    def run(self, context: Context) -> Facts:
        """Do the work in ``context.folder``; returns facts for the record."""
        raise NotImplementedError

    def settings(self) -> Mapping[str, object]:
        """What changes the result beside the needed stages: every field, as JSON can hold it."""
        return {
            part.name: as_json(value)
            for part in fields(self)
            if not _is_of_stages(value := getattr(self, part.name))
        }

    def outside(self, context: Context) -> object:
        """The digest of what it reads from outside the run, such as image files; None of nothing.

        Called where the study is started, before anything of the stage runs.
        """
        return None

    def reads(self, context: Context) -> list[Path]:
        """Files and folders outside the run that it reads, for workers that see no shared path."""
        return [path for stage in self.needs() for path in stage.shares(context)]

    def shares(self, context: Context) -> list[Path]:
        """Files and folders outside the run that whatever needs this stage reads."""
        return []

    def files(self, folder: Path) -> list[str]:
        """The files that its record vouches for: all that it has written."""
        written = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        return sorted(
            str(path)
            for path in written
            if str(path) not in (runs.RECORD, BEGUN) and not path.name.endswith(".tmp")
        )

    def needs(self) -> list[Stage]:
        """The stages whose folders it reads, in the order of its fields."""
        return [stage for part in fields(self) for stage in _stages_in(getattr(self, part.name))]

    def digest(self, outside: object, needed: Sequence[str]) -> str:
        """The digest of its result, from those of the stages that it needs."""
        kind = [type(self).__name__, self.VERSION]
        return digest_of([*kind, self.settings(), outside, list(needed)])


def with_needs(targets: Iterable[Stage]) -> list[Stage]:
    """These stages and all that they need, each once and after those that it needs."""
    stages: dict[str, Stage] = {}

    def visit(stage: Stage) -> None:
        if stage.place in stages:
            return
        for needed in stage.needs():
            visit(needed)
        stages[stage.place] = stage

    for target in targets:
        visit(target)
    return list(stages.values())


def as_json(value: object) -> object:
    """A setting as JSON can hold it.

    >>> as_json((1, "a"))
    [1, 'a']
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: getattr(value, one.name) for one in fields(value)}
        settings = {name: as_json(part) for name, part in parts.items() if not _is_of_stages(part)}
        return {"kind": type(value).__name__, **settings}
    return value


def perform(stage: Stage, digest: str, context: Context, notify: Notify) -> None:
    """Run a stage in this process and write its record, which declares it complete."""
    context = replace(context, notify=notify)
    folder = context.folder
    started, clock = datetime.now(UTC), perf_counter()
    if stage.WRITES == "afresh":
        with runs.atomic_folder(folder) as fresh:
            facts = _run_or_leave_out(stage, replace(context, folder=fresh))
            _record(stage, fresh, digest, started, perf_counter() - clock, facts)
        return
    if stage.WRITES == "resumes":
        _begin(folder, digest)
    facts = stage.run(context)
    _record(stage, folder, digest, started, perf_counter() - clock, facts)


def gap_in(folder: Path) -> str | None:
    """Why the stage of this folder was left out; None when it was not."""
    gap: str | None = runs.read_json(folder / runs.RECORD).get("gap")
    return gap


def _run_or_leave_out(stage: Stage, context: Context) -> Facts:
    """Its facts, or the sentence that stands for it and for whatever needs it."""
    if not stage.SPANS_GAPS:
        for needed in stage.needs():
            if gap := gap_in(context.of(needed)):
                return {"gap": gap}
    try:
        return stage.run(context)
    except ExternalError as error:
        context.warn(str(error))
        for path in context.folder.iterdir():  # what it has begun
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return {"gap": str(error)}


def begun_with(folder: Path, digest: str) -> bool:
    """Whether a folder holds the beginning of a stage with this digest, which can go on."""
    begun = folder / BEGUN
    return begun.is_file() and runs.read_json(begun).get("digest") == digest


def _begin(folder: Path, digest: str) -> None:
    """Keep what was begun with this digest, so that it goes on; remove anything else."""
    if begun_with(folder, digest):
        return
    if folder.exists():
        shutil.rmtree(folder)
    runs.write_json(folder / BEGUN, {"digest": digest})


def _record(
    stage: Stage, folder: Path, digest: str, started: datetime, seconds: float, facts: Facts
) -> None:
    when = {"started": started.isoformat(timespec="milliseconds"), "seconds": seconds}
    runs.write_record(folder, digest, stage.files(folder), **when, **facts)


def _is_of_stages(value: object) -> bool:
    return isinstance(value, Stage) or (
        isinstance(value, tuple) and bool(value) and all(map(_is_of_stages, value))
    )


def _stages_in(value: object) -> Iterator[Stage]:
    """Stages among a field's values, within tuples and other dataclasses too."""
    if isinstance(value, Stage):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _stages_in(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from _stages_in(getattr(value, part.name))
