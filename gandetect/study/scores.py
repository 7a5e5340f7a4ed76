"""Which detector is scored on which images; the scores are the durable product of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import __version__, runs
from gandetect.config import ClassifierConfig, GanConfig, LabelledDataConfig, digest_of
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.data.images import find_images
from gandetect.detectors import Preprocessing
from gandetect.engine import LocalEngine, Task
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages
from gandetect.progress import Listener
from gandetect.stages.common import GENERATED, Source
from gandetect.study.classifiers import labelled_preprocessing, preprocessing_of
from gandetect.study.gans import evaluation_counts
from gandetect.study.plan import Pieces, Study, stage_digest

Trained = GanConfig | ClassifierConfig


def score_gan_study(
    study: Study,
    images: SplitImages,
    gans: Pieces,
    classifiers: Pieces,
    engine: LocalEngine,
    listener: Listener,
) -> Pieces:
    """Score every discriminator and classifier on every generator's images and on all reals."""
    experiment, digests, tasks = study.experiment, {}, []
    own, other = evaluation_counts(experiment, len(images.in_distribution), len(images.held_out))
    training = experiment.evaluation.training_reals or len(images.in_distribution)
    everything: list[Trained] = [*experiment.gans, *experiment.classifiers]
    for seed in experiment.seeds:
        drawn = {gan.name: gans[gan.name, seed] for gan in experiment.gans}
        for trained in everything:
            is_gan = isinstance(trained, GanConfig)
            known = (trained.name,) if isinstance(trained, GanConfig) else trained.fakes_from
            sources = {
                f"generated:{gan.name}": Source(
                    study.gan_folder(gan.name, seed) / "generated" / GENERATED,
                    np.arange(own if gan.name in known else other),
                )
                for gan in experiment.gans
            }
            sources |= {
                "real:in-distribution": Source(images.in_distribution),
                "real:held-out": Source(images.held_out),
                "real:calibration": Source(images.calibration),
            }
            if is_gan:  # a classifier has scored what it was trained on
                sources["real:training"] = Source(images.training[:training])
            network = gans[trained.name, seed] if is_gan else classifiers[trained.name, seed]
            digest = _digest(study, trained.name, seed, network, drawn, images.digest)
            digests[trained.name, seed] = digest
            folder = study.gan_folder if is_gan else study.classifier_folder
            tasks += _task(
                study,
                trained,
                seed,
                digest,
                folder(trained.name, seed),
                sources,
                preprocessing_of(images),
            )
    _run(tasks, engine, listener)
    return digests


def score_labelled_study(
    study: Study,
    images: LabelledImages,
    classifiers: Pieces,
    data_dir: Path | None,
    engine: LocalEngine,
    listener: Listener,
) -> Pieces:
    """Score every classifier on the test images by class, and on the classes that were held out."""
    data = study.experiment.data
    assert isinstance(data, LabelledDataConfig)
    unlabelled = None
    if data.unlabelled is not None:
        unlabelled = resolve_data_dir(data_dir) / data.path / data.unlabelled
    answered = _listing(unlabelled)
    digests, tasks = {}, []
    for seed in study.experiment.seeds:
        for classifier in study.experiment.classifiers:
            network = classifiers[classifier.name, seed]
            digest = _digest(study, classifier.name, seed, network, answered, images.digest)
            digests[classifier.name, seed] = digest
            tasks += _task(
                study,
                classifier,
                seed,
                digest,
                study.classifier_folder(classifier.name, seed),
                _labelled_sources(images, classifier),
                labelled_preprocessing(study, classifier),
                unlabelled,
            )
    _run(tasks, engine, listener)
    return digests


def _labelled_sources(images: LabelledImages, classifier: ClassifierConfig) -> dict[str, Source]:
    table = images.table[images.table["split"].isin(["test", "held-out"])]
    real = table["label"] == "real"
    reals = table["split"].map({"test": "real:in-distribution", "held-out": "real:held-out"})
    names = reals.where(real, "generated:" + table["class_name"])
    pixels = images.pixels[classifier.stored_size]
    return {str(name): _source(pixels, rows) for name, rows in table.groupby(names)}


def _source(pixels: Path, rows: pd.DataFrame) -> Source:
    return Source(
        pixels,
        rows["image"].to_numpy(np.int64),
        rows["copy"].to_numpy(np.int64),
        rows.index.to_numpy(np.int64),
    )


def _listing(folder: Path | None) -> str:
    """The digest of an unlabelled folder: its files' names and sizes."""
    if folder is None:
        return ""
    return digest_of([[path.name, path.stat().st_size] for path in find_images([folder])])


def _digest(study: Study, name: str, seed: int, *ingredients: object) -> str:
    evaluation = study.experiment.evaluation.model_dump(mode="json")
    return stage_digest("scores", name, seed, evaluation, *ingredients)


def _task(
    study: Study,
    trained: Trained,
    seed: int,
    digest: str,
    trained_folder: Path,
    sources: dict[str, Source],
    preprocessing: Preprocessing,
    unlabelled: Path | None = None,
) -> list[Task]:
    """The task of scoring with one detector, or nothing when it is complete."""
    from gandetect.stages.scores import score_stage

    folder = study.detector_folder(trained.name, seed)
    if runs.problem_with(folder, digest) is None:
        return []
    experiment = study.experiment
    provenance: dict[str, Any] = {
        "experiment": experiment.name,
        "digest": digest,
        "held_out": [str(name) for name in experiment.data.held_out],
        "calibrated_fpr": experiment.evaluation.calibrated_fpr,
        "gandetect": __version__,
    }
    arguments = {
        "folder": folder,
        "digest": digest,
        "config": trained,
        "evaluation": experiment.evaluation,
        "seed": seed,
        "trained": trained_folder,
        "sources": sources,
        "preprocessing": preprocessing,
        "provenance": provenance,
        "unlabelled": unlabelled,
        "device": study.device,
    }
    return [Task(f"{trained.name} seed {seed}", score_stage, arguments)]


def _run(tasks: list[Task], engine: LocalEngine, listener: Listener) -> None:
    if tasks:
        listener.say(f"Scoring every source with {len(tasks)} detector(s)")
        engine.run(tasks)
