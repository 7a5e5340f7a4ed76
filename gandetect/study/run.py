"""Runs a study from where it stands to its report: the stages in order, readable in one sitting."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from gandetect import machine, runs
from gandetect.config import ClassImagesConfig, CsvDataConfig, Experiment, FolderDataConfig
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.engine import Engine, open_engine
from gandetect.errors import RunError
from gandetect.preparation import SplitImages, prepare_images
from gandetect.preparation.labelled import LabelledImages, prepare_labelled
from gandetect.preparation.overlap import guard_overlap
from gandetect.progress import Listener, Silent
from gandetect.study.audit import audit_generators, audit_labelled
from gandetect.study.beyond import score_perturbed, score_trajectories
from gandetect.study.classifiers import cross_validate, train_gan_classifiers, train_labelled
from gandetect.study.derived import derive_detectors
from gandetect.study.finish import write_report
from gandetect.study.gans import feature_classifier, train_gans
from gandetect.study.plan import STAGE_VERSIONS, Options, Pieces, Study, plan_study, stage_digest
from gandetect.study.scores import score_gan_study, score_labelled_study

Digests = dict[str, str]


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
            if study.labelled:
                _run_labelled(study, options, listener)
            else:
                _run_gans(study, options, listener)
    except OSError as error:
        name = str(error.filename or "")
        if name and not Path(name).absolute().is_relative_to(study.folder.absolute()):
            raise RunError(
                f"{name!r} cannot be used ({error.strerror}); see that it is there and may be "
                "read, on a Ray cluster by every node; the same command goes on from there"
            ) from None
        raise RunError(
            f"run folder {str(study.folder)!r} cannot be written "
            f"({error.strerror or error}); free some space or choose another --out; what is "
            "complete is kept, and the same command goes on from there"
        ) from None
    return study.folder


def _run_gans(study: Study, options: Options, listener: Listener) -> None:
    data = study.experiment.data
    assert isinstance(data, ClassImagesConfig)
    images = prepare_images(
        data,
        study.folder / "data",
        version=STAGE_VERSIONS["data"],
        data_dir=resolve_data_dir(options.data_dir),
        workers=machine.cores(),
        listener=listener,
    )
    guard_overlap(
        images,
        study.folder / "overlap",
        version=STAGE_VERSIONS["overlap"],
        policy=study.experiment.evaluation.overlap,
    )
    with _engine(study, options, listener) as engine:
        judge = feature_classifier(study, images, engine, listener)
        gans = train_gans(study, images, judge, engine, listener)
        if options.stop_after == "gans":
            return
        audits = audit_generators(study, images, gans, engine, listener)
        classifiers = train_gan_classifiers(study, images, gans, engine, listener)
        if options.stop_after == "classifiers":
            return
        derived = derive_detectors(study, images, gans, classifiers, engine, listener)
        networks = {**gans, **classifiers, **derived}
        scores = score_gan_study(study, images, networks, engine, listener)
        epochs = score_trajectories(study, images, gans, engine, listener)
        processed = score_perturbed(study, images, networks, engine, listener)
    digests = {"data": images.digest, "feature classifier": judge}
    digests |= _named("gan", gans) | _named("classifier", classifiers)
    digests |= _named("detector", derived) | _named("scores", scores)
    digests |= _named("audit", audits)
    digests |= _named("trajectory", epochs) | _named("robustness", processed)
    _report(study, images, digests, audits, listener)


def _run_labelled(study: Study, options: Options, listener: Listener) -> None:
    experiment = study.experiment
    assert isinstance(experiment.data, FolderDataConfig | CsvDataConfig)
    images = prepare_labelled(
        experiment.data,
        study.folder,
        version=STAGE_VERSIONS["labelled data"],
        data_dir=resolve_data_dir(options.data_dir),
        sizes=[one.stored_size for one in experiment.classifiers],
        copies=experiment.classifiers[0].copies,
        workers=machine.cores(),
        notify=listener.say,
        warn=listener.warn,
        progress=listener.event,
    )
    with _engine(study, options, listener) as engine:
        audits = audit_labelled(study, images, options.data_dir, engine, listener)
        classifiers = train_labelled(study, images, engine, listener)
        folds = cross_validate(study, images, engine, listener)
        if options.stop_after != "report":
            return
        scores = score_labelled_study(
            study, images, classifiers, options.data_dir, engine, listener
        )
        processed = score_perturbed(study, images, classifiers, engine, listener)
    digests = {"data": images.digest}
    digests |= _named("classifier", classifiers) | folds | _named("scores", scores)
    digests |= _named("audit", audits) | _named("robustness", processed)
    _report(study, images, digests, audits, listener)


def _engine(study: Study, options: Options, listener: Listener) -> AbstractContextManager[Engine]:
    return open_engine(
        options.engine,
        jobs=study.jobs,
        threads=study.threads,
        device=study.device,
        folder=study.folder,
        listen=listener.event,
    )


def _report(
    study: Study,
    images: SplitImages | LabelledImages,
    digests: Digests,
    audits: Pieces,
    listener: Listener,
) -> None:
    digest = stage_digest("report", study.experiment.identity(), digests)
    if runs.problem_with(study.folder, digest) is not None:
        write_report(study, images, digest, digests, audits, listener)


def _named(stage: str, pieces: Pieces) -> Digests:
    return {f"{stage} {name} seed {seed}": digest for (name, seed), digest in pieces.items()}
