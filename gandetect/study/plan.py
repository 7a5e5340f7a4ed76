"""Where a study is put and how it runs on this machine, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from gandetect import machine, runs
from gandetect.config import Experiment
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.engine import Context, Plan, planned, with_needs
from gandetect.errors import UsageError
from gandetect.sources.pixel_cache import cache_folder
from gandetect.stages.trained import Trained
from gandetect.study.compose import compose
from gandetect.study.engines import EngineOptions
from gandetect.study.estimate import require_feasible


@dataclass(frozen=True)
class Options:
    """How a study runs; nothing here changes a result (but threads may, in the last bit)."""

    out: Path = Path("runs")
    data_dir: Path | None = None
    device: str = "auto"
    jobs: int | None = None
    stop_after: str = "report"
    reuse: tuple[Path, ...] = ()  # run folders whose complete GANs are taken over
    variants: tuple[str, ...] = ()  # those to run now, beside the baseline; none: all
    engine: EngineOptions = field(default_factory=EngineOptions)
    home: Path = Path()  # the experiment file's folder, which paths of [[detectors]] are below
    log: Literal["tensorboard"] | None = None  # beside the run's own files


@dataclass(frozen=True)
class Study:
    """An experiment on this machine: where it is put, with which device, jobs and threads."""

    experiment: Experiment
    context: Context
    reuse: tuple[Path, ...] = ()
    cluster: str | None = None  # the address of the Ray that computes it; none: this machine

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.context.run

    @property
    def share(self) -> str:
        """How its tasks share what computes them, in words."""
        here = self.context
        at_a_time = f"as many as {self.cluster} has room for" if self.cluster else here.jobs
        return f"{at_a_time} at a time with {here.threads} thread(s) each, on {here.device}"

    def plan(self, stop_after: str, after: Plan | None = None, label: str = "") -> Plan:
        """Its stages on this machine, up to the report or to one of its trainings.

        Equal stages are taken over from ``after``, where they are made first.
        """
        targets = compose(self.experiment).targets(stop_after)
        return Plan(self.context, targets, self.reuse, after, label)


def plan_study(experiment: Experiment, options: Options) -> Study:
    """Resolve device, precision, folder and the share of the cores, without writing anything."""
    if experiment.variants:
        raise UsageError(
            f"experiment {experiment.name!r} has [[variants]], each of which is a study, and "
            "this needs a plain experiment; use `gandetect run`, or --set 'variants=[]'"
        )
    _check_something_to_do(experiment, options.stop_after)
    _check_engine(options)
    for place in options.reuse:
        runs.load_study(place)  # a folder that is no run is said at once
        if not (place / "gans").is_dir():
            raise UsageError(
                f"--reuse {str(place)!r} has no GANs to take over; give the run folder of a study "
                "that trained some (of one with variants, one of those below it)"
            )
    device = machine.resolve_device(options.device)
    resolved = experiment.with_precision(machine.native_precision(device))
    jobs, threads = _shares(resolved, options, device)
    if options.engine.name == "ray" and options.engine.gpus_per_task:
        device = "cuda"  # of the nodes, whatever this one has
    data_dir = resolve_data_dir(options.data_dir)
    folder = runs.run_folder(options.out, resolved)
    # Nodes of a cluster see the run folder, and maybe not the data.
    cache = cache_folder(options.out if options.engine.address else data_dir)
    context = Context(
        folder,
        folder,
        data_dir,
        cache,
        device,
        jobs,
        threads,
        machine.cores(),
        home=options.home.absolute(),
    )
    study = Study(resolved, context, options.reuse, options.engine.address)
    for stage in with_needs(study.plan(options.stop_after).targets):
        stage.check(context)
    require_feasible(study)
    return study


def _shares(experiment: Experiment, options: Options, device: str) -> tuple[int, int]:
    """How many tasks run at a time, and the threads of each.

    Where there is more than one thing to train each has one thread, whatever ``jobs`` is: so
    results do not depend on it, and a busy machine is no harm.
    """
    cores, cpus = machine.cores(), options.engine.cpus_per_task
    if device != "cpu":
        jobs = options.jobs or 1
        return jobs, cpus or max(1, cores // jobs)
    trainings = (len(experiment.gans) or len(experiment.classifiers)) * len(experiment.seeds)
    threads = cpus or max(1, cores // max(min(cores, trainings), options.jobs or 1))
    return options.jobs or max(1, cores // threads), threads


def _check_engine(options: Options) -> None:
    """Refuse an engine that cannot be had, and flags that contradict each other."""
    options.engine.check()
    if options.log is not None and find_spec(options.log) is None:
        raise UsageError(
            "--log tensorboard was given, and TensorBoard is not installed; "
            "pip install 'gandetect[tensorboard]', or leave --log out"
        )
    if options.engine.address is not None and options.jobs is not None:
        raise UsageError(
            f"--jobs {options.jobs} was given, and a cluster runs as many tasks as it has room "
            "for; remove it, or choose their size with --cpus-per-task"
        )
    if options.engine.gpus_per_task is not None and options.device not in ("auto", "cuda"):
        raise UsageError(
            f"--gpus-per-task {options.engine.gpus_per_task:g} was given with --device "
            f"{options.device}; remove one of them"
        )


def _check_something_to_do(experiment: Experiment, stop_after: str) -> None:
    """Refuse an experiment without anything to train, or without a detector."""
    if not getattr(experiment, stop_after, True):
        raise UsageError(
            f"experiment {experiment.name!r} has no [[{stop_after}]] to train; "
            "`gandetect run` does what it holds"
        )
    detectors = (*experiment.discriminators, *experiment.classifiers, *experiment.detectors)
    if not detectors and stop_after != "gans":
        raise UsageError(
            f'experiment {experiment.name!r} has no detector: every GAN has role = "source"; give '
            'one of them role = "both", add [[detectors]] or [[classifiers]], or use '
            "`gandetect train gan`"
        )


def plan_lines(study: Study) -> list[str]:
    """What a study would do, resolved, for ``--dry-run``."""
    lines = [f"# would be put in {study.folder}; {study.share}"]
    others = 0
    for stage, stands in planned(study.plan("report")):
        if isinstance(stage, Trained):
            state = "stands already, would be verified" if stands else "to do"
            lines.append(f"# {stage.title}: {state}")
        else:
            others += 1
    lines.append(f"# and {others} shorter stages, from the data to the report")
    return [*lines, "", runs.to_toml(study.experiment).rstrip()]
