"""Where a study is put and how it runs on this machine, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gandetect import machine, runs
from gandetect.config import ClassImagesConfig, Experiment, LabelledDataConfig, digest_of
from gandetect.data import class_names
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.data.perturbations import PERTURBATIONS
from gandetect.engine import EngineOptions
from gandetect.errors import UsageError, unknown_name
from gandetect.preparation.class_images import resolve_classes
from gandetect.study.estimate import require_feasible

# Raise a number when the code of a stage changes its results; older folders are then redone.
STAGE_VERSIONS = {
    "data": 1,
    "labelled data": 1,
    "feature classifier": 1,
    "gan": 2,
    "classifier": 1,
    "fold": 1,
    "detector": 1,
    "scores": 5,
    "overlap": 1,
    "audit": 1,
    "trajectory": 2,
    "robustness": 3,
    "report": 3,
}

# The digests of one stage's pieces, by the name of what was trained and its seed.
Pieces = dict[tuple[str, int], str]


@dataclass(frozen=True)
class Options:
    """How a study runs; nothing here changes a result (but threads may, in the last bit)."""

    out: Path = Path("runs")
    data_dir: Path | None = None
    device: str = "auto"
    jobs: int | None = None
    stop_after: str = "report"
    reuse: tuple[Path, ...] = ()  # run folders whose complete GANs are taken over
    ingredients: tuple[str, ...] = ()  # of an ablation, those to run now; none: all
    engine: EngineOptions = field(default_factory=EngineOptions)


@dataclass(frozen=True)
class Study:
    """An experiment on this machine: where it is put, with which device, jobs and threads."""

    experiment: Experiment
    folder: Path
    device: str
    jobs: int
    threads: int
    reuse: tuple[Path, ...] = ()
    cluster: str | None = None  # the address of the Ray that computes it; none: this machine

    @property
    def share(self) -> str:
        """How its tasks share what computes them, in words."""
        at_a_time = f"as many as {self.cluster} has room for" if self.cluster else self.jobs
        return f"{at_a_time} at a time with {self.threads} thread(s) each, on {self.device}"

    @property
    def labelled(self) -> bool:
        """Whether the images bring their own fakes, so that there are no GANs."""
        return isinstance(self.experiment.data, LabelledDataConfig)

    @property
    def pieces(self) -> list[tuple[str, int]]:
        """Every detector with every seed: discriminators first."""
        experiment = self.experiment
        names = [gan.name for gan in experiment.discriminators]
        names += [one.name for one in (*experiment.classifiers, *experiment.detectors)]
        return [(name, seed) for seed in experiment.seeds for name in names]

    def gan_folder(self, gan: str, seed: int) -> Path:
        """Where a GAN's training stands."""
        return self.folder / "gans" / gan / f"seed-{seed}"

    def classifier_folder(self, classifier: str, seed: int) -> Path:
        """Where a classifier's training stands."""
        return self.folder / "classifiers" / classifier / f"seed-{seed}"

    def derived_folder(self, detector: str, seed: int) -> Path:
        """Where what one of the `[[detectors]]` is made of stands."""
        return self.folder / "derived" / detector / f"seed-{seed}"

    def audit_folder(self, name: str, seed: int) -> Path:
        """Where the audit of a generator's fakes, or of a class of fakes, stands."""
        return self.folder / "audits" / name / f"seed-{seed}"

    def trajectory_folder(self, gan: str, seed: int) -> Path:
        """Where the scores of a GAN's epochs stand."""
        return self.folder / "trajectories" / gan / f"seed-{seed}"

    def robustness_folder(self, detector: str, seed: int) -> Path:
        """Where a detector's scores of processed images stand."""
        return self.folder / "robustness" / detector / f"seed-{seed}"

    def detector_folder(self, detector: str, seed: int) -> Path:
        """Where a detector stands."""
        return self.folder / "detectors" / detector / f"seed-{seed}"


def plan_study(experiment: Experiment, options: Options) -> Study:
    """Resolve device, precision, folder and the share of the cores, without writing anything."""
    if experiment.ingredients:
        raise UsageError(
            f"experiment {experiment.name!r} has [[ingredients]], each of which is a study, and "
            "this needs a plain experiment; use `gandetect run`, or --set 'ingredients=[]'"
        )
    if isinstance(experiment.data, ClassImagesConfig):
        classes = class_names(experiment.data, resolve_data_dir(options.data_dir))
        resolve_classes(experiment.data, classes)  # what is wrong with them is said at once
    _check_what_is_asked(experiment, options.stop_after)
    _check_engine(options)
    for place in options.reuse:
        runs.load_study(place)  # a folder that is no run is said at once
        if not (place / "gans").is_dir():
            raise UsageError(
                f"--reuse {str(place)!r} has no GANs to take over; give the run folder of a study "
                "that trained some (of an ablation or a sweep, one of those below it)"
            )
    device = machine.resolve_device(options.device)
    resolved = experiment.with_precision(machine.native_precision(device))
    trainings = (len(resolved.gans) or len(resolved.classifiers)) * len(resolved.seeds)
    cpus = options.engine.cpus_per_task
    most = machine.cores() // (cpus or 1) if device == "cpu" else 1
    jobs = max(1, options.jobs or min(most, trainings))
    threads = cpus or max(1, machine.cores() // jobs)
    folder = runs.run_folder(options.out, resolved)
    cluster = options.engine.address
    study = Study(resolved, folder, device, jobs, threads, options.reuse, cluster)
    require_feasible(study)
    return study


def _check_engine(options: Options) -> None:
    """Refuse an engine that cannot be had, and flags that contradict each other."""
    options.engine.check()
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


def _check_what_is_asked(experiment: Experiment, stop_after: str) -> None:
    """Refuse what could only fail later: nothing to train, or a network that cannot be built."""
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
    for name in experiment.evaluation.perturbations:
        if name not in PERTURBATIONS:
            raise unknown_name("perturbation", name, PERTURBATIONS)
    channels = 3
    if isinstance(experiment.data, ClassImagesConfig):
        channels, side = experiment.data.shape
        _check_side(side)
    if experiment.classifiers:
        from gandetect.training.supervised import check_classifier

        for classifier in experiment.classifiers:
            check_classifier(classifier, channels)


def _check_side(side: int) -> None:
    from gandetect.models.common import Growth

    try:
        Growth.of(side)
    except ValueError as error:
        raise UsageError(f"data: {error}") from None


def plan_lines(study: Study) -> list[str]:
    """What a study would do, resolved, for ``--dry-run``."""
    experiment = study.experiment
    lines = [f"# would be put in {study.folder}; {study.share}"]
    for seed in experiment.seeds:
        trainings = [(g.name, g.epochs, study.gan_folder(g.name, seed)) for g in experiment.gans]
        trainings += [
            (c.name, c.epochs, study.classifier_folder(c.name, seed))
            for c in experiment.classifiers
        ]
        for name, epochs, folder in trainings:
            stands = (folder / runs.RECORD).exists()
            state = "stands already, would be verified" if stands else f"{epochs} epoch(s)"
            lines.append(f"# would train {name} with seed {seed}: {state}")
        for made in experiment.detectors:
            folder = study.derived_folder(made.name, seed)
            stands = (folder / runs.RECORD).exists()
            state = "stands already, would be verified" if stands else made.kind
            lines.append(f"# would make {made.name} with seed {seed}: {state}")
    return [*lines, "", runs.to_toml(experiment).rstrip()]


def stage_digest(stage: str, *ingredients: object) -> str:
    """The digest of one piece: its stage, the version of that stage's code, and all it is of."""
    return digest_of([stage, STAGE_VERSIONS[stage], *ingredients])
