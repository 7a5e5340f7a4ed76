"""The whole study, stage by stage; what is complete is skipped, what is damaged is made afresh.

data -> feature classifier -> GANs -> scores -> metrics, figures and report
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pandas as pd

from gandetect import __version__, machine, runs
from gandetect.config import Experiment, GanConfig, digest_of
from gandetect.data.fashion_mnist import CLASSES
from gandetect.data.splits import resolve_held_out
from gandetect.engine import LocalEngine, Task, local_engine
from gandetect.errors import RunError
from gandetect.preparation import SplitImages, prepare_images
from gandetect.progress import Listener, Silent

# Raise a number when the code of a stage changes its results; older folders are then redone.
STAGE_VERSIONS = {"data": 1, "classifier": 1, "gan": 1, "scores": 1, "report": 1}


@dataclass(frozen=True)
class Options:
    """How a study runs; nothing here changes a result (but threads may, in the last bit)."""

    out: Path = Path("runs")
    data_dir: Path | None = None
    device: str = "auto"
    jobs: int | None = None
    stop_after: str = "report"


@dataclass(frozen=True)
class Study:
    """An experiment on this machine: where it is put, with which device, jobs and threads."""

    experiment: Experiment
    folder: Path
    device: str
    jobs: int
    threads: int

    def gan_folder(self, gan: str, seed: int) -> Path:
        """Where a GAN's training stands."""
        return self.folder / "gans" / gan / f"seed-{seed}"

    def detector_folder(self, detector: str, seed: int) -> Path:
        """Where a detector stands."""
        return self.folder / "detectors" / detector / f"seed-{seed}"


def plan_study(experiment: Experiment, options: Options) -> Study:
    """Resolve device, precision, folder and the share of the cores, without writing anything."""
    resolve_held_out(experiment.data.held_out, CLASSES)  # a wrong name is said at once
    device = machine.resolve_device(options.device)
    resolved = experiment.with_precision(machine.native_precision(device))
    trainings = len(resolved.gans) * len(resolved.seeds)
    most = machine.cores() if device == "cpu" else 1
    jobs = max(1, options.jobs or min(most, trainings))
    threads = max(1, machine.cores() // jobs)
    folder = runs.run_folder(options.out, resolved)
    return Study(resolved, folder, device, jobs, threads)


def plan_lines(study: Study) -> list[str]:
    """What a study would do, resolved, for ``--dry-run``."""
    experiment = study.experiment
    lines = [
        f"# would be put in {study.folder}; on {study.device}, "
        f"{study.jobs} job(s) with {study.threads} thread(s) each"
    ]
    for seed in experiment.seeds:
        for gan in experiment.gans:
            stands = (study.gan_folder(gan.name, seed) / runs.RECORD).exists()
            state = "stands already, would be verified" if stands else f"{gan.epochs} epoch(s)"
            lines.append(f"# would train {gan.name} with seed {seed}: {state}")
    return [*lines, "", runs.to_toml(experiment).rstrip()]


def run_study(
    experiment: Experiment, options: Options | None = None, listener: Listener | None = None
) -> Path:
    """Run a study from where it stands to its report; returns the run folder.

    Interrupted at any point, the same call goes on from the last complete epoch, and on the CPU
    the result is the uninterrupted one, bit for bit. Raises `GandetectError` with what to do.
    """
    options, listener = options or Options(), listener or Silent()
    study = plan_study(experiment, options)
    try:
        study.folder.mkdir(parents=True, exist_ok=True)
        with runs.locked(study.folder):
            runs.open_run(study.folder, study.experiment)
            _run_stages(study, options, listener)
    except OSError as error:
        raise RunError(
            f"run folder {str(study.folder)!r} cannot be written "
            f"({error.strerror or error}); free some space or choose another --out; what is "
            "complete is kept, and the same command goes on from there"
        ) from None
    return study.folder


def _run_stages(study: Study, options: Options, listener: Listener) -> None:
    experiment = study.experiment
    images = prepare_images(
        experiment.data,
        study.folder / "data",
        version=STAGE_VERSIONS["data"],
        data_dir=options.data_dir,
        notify=listener.say,
    )
    with local_engine(study.jobs, study.threads, listener.event) as engine:
        classifier_digest = _classifier_stage(study, images, engine, listener)
        gan_digests = _gan_stages(study, images, classifier_digest, engine, listener)
        if options.stop_after == "gans":
            return
        score_digests = _score_stages(study, images, gan_digests, engine, listener)
    digests = {"data": images.digest, "feature classifier": classifier_digest}
    digests |= {f"gan {gan} seed {seed}": d for (gan, seed), d in gan_digests.items()}
    digests |= {f"scores {gan} seed {seed}": d for (gan, seed), d in score_digests.items()}
    report_digest = _stage_digest("report", experiment.model_dump(mode="json"), digests)
    if runs.problem_with(study.folder, report_digest) is not None:
        _report_stage(study, report_digest, digests, listener)


# Feature classifier: the yardstick for the fakes, in all epochs of all GANs.


def _classifier_stage(
    study: Study, images: SplitImages, engine: LocalEngine, listener: Listener
) -> str:
    from gandetect.stages import feature_classifier_stage

    config = study.experiment.quality
    digest = _stage_digest("classifier", config.classifier_epochs, images.digest)
    folder = study.folder / "quality-classifier"
    if runs.problem_with(folder, digest) is None:
        return digest
    listener.say("Training the ten-class classifier that FID and KID are measured with")
    arguments = {
        "folder": folder,
        "digest": digest,
        "config": config,
        "images": images.labelled,
        "labels": images.labelled_labels,
        "test_images": images.in_distribution,
        "test_labels": images.in_distribution_labels,
        "classes": len(images.classes),
        "device": study.device,
    }
    engine.run([Task("feature classifier", feature_classifier_stage, arguments)])
    return digest


# GANs: every architecture with every seed, side by side.

Pieces = dict[tuple[str, int], str]


def _gan_stages(
    study: Study,
    images: SplitImages,
    classifier_digest: str,
    engine: LocalEngine,
    listener: Listener,
) -> Pieces:
    from gandetect.stages import gan_stage

    experiment, digests, tasks = study.experiment, {}, []
    own, other = evaluation_counts(experiment, len(images.in_distribution), len(images.held_out))
    for seed in experiment.seeds:
        for gan in experiment.gans:
            quality = experiment.quality.model_dump(mode="json")
            digest = _stage_digest(
                "gan", gan.model_dump(mode="json"), seed, quality, classifier_digest
            )
            digests[gan.name, seed] = digest
            arguments = {
                "folder": study.gan_folder(gan.name, seed),
                "digest": digest,
                "config": gan,
                "quality": experiment.quality,
                "seed": seed,
                "images": images.training,
                "reference_images": images.in_distribution,
                "classifier_folder": study.folder / "quality-classifier",
                "generated": max(own, other),
                "device": study.device,
            }
            if not _gan_is_complete(study, gan, seed, digest, max(own, other)):
                tasks.append(Task(f"{gan.name} seed {seed}", gan_stage, arguments))
    if tasks:
        names = ", ".join(task.name for task in tasks)
        share = f"{study.jobs} at a time with {study.threads} thread(s) each, on {study.device}"
        listener.say(f"Training {names}; {share}")
        engine.run(tasks)
    return digests


def _gan_is_complete(study: Study, gan: GanConfig, seed: int, digest: str, drawn: int) -> bool:
    folder = study.gan_folder(gan.name, seed)
    trained = runs.problem_with(folder, digest) is None
    return trained and runs.problem_with(folder / "generated", f"{digest}:{drawn}") is None


def evaluation_counts(
    experiment: Experiment, in_distribution: int, held_out: int
) -> tuple[int, int]:
    """How many images of its own and of another generator a detector is scored on.

    Own: as many as there are test reals, unless the experiment says otherwise.
    """
    evaluation = experiment.evaluation
    own = evaluation.own_generated or in_distribution + held_out
    return own, evaluation.other_generated


# Scores: every detector on every source; the durable product of a study.


def _score_stages(
    study: Study, images: SplitImages, gan_digests: Pieces, engine: LocalEngine, listener: Listener
) -> Pieces:
    from gandetect.stages import score_stage

    experiment, digests, tasks = study.experiment, {}, []
    own, other = evaluation_counts(experiment, len(images.in_distribution), len(images.held_out))
    reals = {
        "real:in-distribution": images.in_distribution,
        "real:held-out": images.held_out,
        "real:training": images.training[: _training_reals(experiment, images)],
        "real:calibration": images.calibration,
    }
    for seed in experiment.seeds:
        ingredients = {gan.name: gan_digests[gan.name, seed] for gan in experiment.gans}
        for gan in experiment.gans:
            evaluation = experiment.evaluation.model_dump(mode="json")
            digest = _stage_digest("scores", gan.name, seed, evaluation, ingredients)
            digests[gan.name, seed] = digest
            generated = {
                f"generated:{source.name}": (
                    study.gan_folder(source.name, seed) / "generated" / "images.npy",
                    own if source.name == gan.name else other,
                )
                for source in experiment.gans
            }
            arguments = {
                "folder": study.detector_folder(gan.name, seed),
                "digest": digest,
                "name": gan.name,
                "config": gan,
                "evaluation": experiment.evaluation,
                "seed": seed,
                "gan_folder": study.gan_folder(gan.name, seed),
                "generated": generated,
                "reals": reals,
                "provenance": {
                    "experiment": experiment.name,
                    "gan_digest": gan_digests[gan.name, seed],
                    "held_out": [str(name) for name in experiment.data.held_out],
                    "calibrated_fpr": experiment.evaluation.calibrated_fpr,
                    "gandetect": __version__,
                },
                "device": study.device,
            }
            if runs.problem_with(study.detector_folder(gan.name, seed), digest) is not None:
                tasks.append(Task(f"{gan.name} seed {seed}", score_stage, arguments))
    if tasks:
        listener.say(f"Scoring every source with {len(tasks)} detector(s)")
        engine.run(tasks)
    return digests


def _training_reals(experiment: Experiment, images: SplitImages) -> int:
    return experiment.evaluation.training_reals or len(images.in_distribution)


# Report: from stored scores to answers.


def _report_stage(
    study: Study, digest: str, digests: Mapping[str, str], listener: Listener
) -> None:
    from gandetect.report import build_report

    listener.say("Writing metrics, figures and the report")
    started = perf_counter()
    pieces = [(gan.name, seed) for seed in study.experiment.seeds for gan in study.experiment.gans]
    parts = [
        pd.read_parquet(study.detector_folder(name, seed) / "scores.parquet")
        for name, seed in pieces
    ]
    with runs.atomic_file(study.folder / "scores.parquet") as temporary:
        pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False)
    _collect(study, pieces)
    manifest = {
        **machine.describe(study.device),
        "device": study.device,
        "jobs": study.jobs,
        "threads": study.threads,
        "timings": _timings(study, pieces),
        "digests": {
            "experiment": study.experiment.digest(),
            "scores.parquet": runs.file_digest(study.folder / "scores.parquet"),
            **digests,
        },
    }
    runs.write_json(study.folder / "manifest.json", manifest)
    build_report(study.folder)
    files = ["scores.parquet", "metrics.json", "metrics.csv", "report.md", "report.html"]
    runs.write_record(study.folder, digest, files, seconds=perf_counter() - started)


def _collect(study: Study, pieces: list[tuple[str, int]]) -> None:
    """Put beside the scores what the report shows of the data and the generators."""
    for name, target in (("data.json", "data.json"), ("samples.npz", "data-samples.npz")):
        with runs.atomic_file(study.folder / target) as temporary:
            shutil.copyfile(study.folder / "data" / name, temporary)
    judge = runs.read_json(study.folder / "quality-classifier" / runs.RECORD)
    shown = {key: judge[key] for key in ("accuracy_in_distribution", "n")}
    runs.write_json(study.folder / "quality-classifier.json", shown)
    keys = ("epoch", "n", "fid", "kid", "kid_std", "confidence", "class_shares")
    rows = []
    for gan, seed in pieces:
        epochs = runs.read_json(study.gan_folder(gan, seed) / runs.RECORD)["epochs"]
        last = study.gan_folder(gan, seed) / "epochs" / f"{epochs:04d}" / runs.RECORD
        history = runs.read_json(last)["history"]
        rows.append({"gan": gan, "seed": seed, **{key: history[key] for key in keys}})
    runs.write_json(study.folder / "quality.json", rows)


def _timings(study: Study, pieces: list[tuple[str, int]]) -> dict[str, float]:
    folders = {"feature classifier": study.folder / "quality-classifier"}
    folders |= {f"gan {name} seed {s}": study.gan_folder(name, s) for name, s in pieces}
    folders |= {f"scores {name} seed {s}": study.detector_folder(name, s) for name, s in pieces}
    return {
        name: round(float(runs.read_json(folder / runs.RECORD)["seconds"]), 1)
        for name, folder in folders.items()
    }


def _stage_digest(stage: str, *ingredients: object) -> str:
    return digest_of([stage, STAGE_VERSIONS[stage], *ingredients])
