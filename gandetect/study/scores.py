"""Which detector is scored on which images; the scores are the durable product of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import __version__, runs
from gandetect.config import (
    ClassifierConfig,
    ClassImagesConfig,
    DetectorConfig,
    Experiment,
    GanConfig,
    LabelledDataConfig,
    digest_of,
)
from gandetect.data.fashion_mnist import resolve_data_dir
from gandetect.data.folders import PassedOver
from gandetect.data.images import find_images
from gandetect.data.stored import Images
from gandetect.detectors import Preprocessing
from gandetect.engine import Engine, Task
from gandetect.evaluation.scores import GENERATED_CALIBRATION
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages
from gandetect.progress import Listener
from gandetect.stages.common import DRAWN, GENERATED, Indices, ScoredSource, Source
from gandetect.study.classifiers import labelled_preprocessing, preprocessing_of
from gandetect.study.gans import evaluation_counts
from gandetect.study.plan import Pieces, Study, stage_digest

Trained = GanConfig | ClassifierConfig | DetectorConfig
# What of the evaluation's settings changes these scores; the rest is of other stages.
SCORED = {"own_generated", "other_generated", "training_reals", "calibrated_fpr", "kept_mistakes"}


def score_gan_study(
    study: Study,
    images: SplitImages,
    networks: Pieces,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Score every detector on every generator's images and on all reals.

    ``networks`` are the digests of all that was trained or made, GANs that are only sources too.
    """
    experiment, digests, tasks = study.experiment, {}, []
    for seed in experiment.seeds:
        for trained in trained_networks(experiment):
            drawn = [
                [gan.name, one, networks[gan.name, one]]
                for one in (seed, next_seed(experiment, seed))
                for gan in scored_gans(experiment, trained.name)
            ]
            network = networks[trained.name, seed]
            digest = _digest(study, trained.name, seed, network, drawn, images.digest)
            digests[trained.name, seed] = digest
            tasks += _task(
                study,
                trained,
                seed,
                digest,
                folder_of(study, trained, seed),
                gan_sources(study, images, trained, seed),
                preprocessing_of(images),
                training=images.training if isinstance(trained, GanConfig) else None,
            )
    _run(tasks, engine, listener)
    return digests


def trained_networks(experiment: Experiment) -> list[Trained]:
    """Everything that becomes a detector: discriminators, classifiers, and what is made of them."""
    return [*experiment.discriminators, *experiment.classifiers, *experiment.detectors]


def folder_of(study: Study, trained: Trained, seed: int) -> Path:
    """Where that stands which becomes a detector."""
    if isinstance(trained, GanConfig):
        return study.gan_folder(trained.name, seed)
    if isinstance(trained, ClassifierConfig):
        return study.classifier_folder(trained.name, seed)
    return study.derived_folder(trained.name, seed)


def scored_gans(experiment: Experiment, detector: str) -> list[GanConfig]:
    """The GANs whose images a detector is scored on: all that are sources, and those it knows."""
    known = experiment.known_to(detector)
    return [gan for gan in experiment.gans if gan.role != "detector" or gan.name in known]


def next_seed(experiment: Experiment, seed: int) -> int:
    """The seed after this one, in a circle: whose generator stands for another training run.

    Each generator meets one discriminator of another run, so no run counts more than others.
    """
    seeds = experiment.seeds
    return seeds[(seeds.index(seed) + 1) % len(seeds)]


def gan_sources(
    study: Study, images: SplitImages, trained: Trained, seed: int
) -> list[ScoredSource]:
    """All images that one detector of a GAN study is scored on.

    Fakes of every generator of its own seed, fakes of its own generators of the next seed, fresh
    fakes of its own generators for calibration, and every group of reals.
    """
    experiment = study.experiment
    own, other = evaluation_counts(experiment, len(images.in_distribution), len(images.held_out))
    known = experiment.known_to(trained.name)
    sources = []
    for gan in scored_gans(experiment, trained.name):
        count = own if gan.name in known else other
        sources.append(_drawn(study, gan.name, seed, "evaluation", np.arange(count)))
    another = next_seed(experiment, seed)
    calibration = np.array_split(np.arange(len(images.calibration)), max(1, len(known)))
    for name, share in zip(known, calibration, strict=bool(known)):
        if another != seed:
            sources.append(_drawn(study, name, another, "evaluation", np.arange(other)))
        sources.append(_drawn(study, name, seed, "calibration", share))
    reals = {
        "real:in-distribution": images.in_distribution,
        "real:held-out": images.held_out,
        "real:calibration": images.calibration,
    }
    if not isinstance(trained, ClassifierConfig):  # which has scored what it was trained on
        training = experiment.evaluation.training_reals or len(images.in_distribution)
        reals["real:training"] = images.training[:training]
    return sources + [ScoredSource(name, 0, Source(array)) for name, array in reals.items()]


def _drawn(study: Study, gan: str, seed: int, purpose: str, rows: Indices) -> ScoredSource:
    name = GENERATED_CALIBRATION if purpose == "calibration" else f"generated:{gan}"
    file = study.gan_folder(gan, seed) / DRAWN[purpose] / GENERATED
    return ScoredSource(name, seed, Source(file, rows, index=rows))


def score_labelled_study(
    study: Study,
    images: LabelledImages,
    classifiers: Pieces,
    data_dir: Path | None,
    engine: Engine,
    listener: Listener,
) -> Pieces:
    """Score every classifier on the test images by class, and on the classes that were held out."""
    data = study.experiment.data
    assert isinstance(data, LabelledDataConfig)
    unlabelled = None
    if data.unlabelled is not None:
        unlabelled = resolve_data_dir(data_dir) / data.path / data.unlabelled
    answered = _listing(unlabelled, listener)
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
                labelled_sources(images, classifier, seed),
                labelled_preprocessing(study, classifier),
                unlabelled=unlabelled,
            )
    _run(tasks, engine, listener)
    return digests


def labelled_sources(
    images: LabelledImages, classifier: ClassifierConfig, seed: int
) -> list[ScoredSource]:
    """All images that a classifier of a labelled study is scored on, by class."""
    table = images.table[images.table["split"].isin(["test", "held-out"])]
    real = table["label"] == "real"
    reals = table["split"].map({"test": "real:in-distribution", "held-out": "real:held-out"})
    names = reals.where(real, "generated:" + table["class_name"])
    pixels = images.pixels[classifier.stored_size]
    return [
        # The same fakes with every seed: no other run has made them.
        ScoredSource(str(name), seed if str(name).startswith("generated:") else 0, found)
        for name, rows in table.groupby(names)
        if (found := _source(pixels, rows))
    ]


def _source(pixels: Path, rows: pd.DataFrame) -> Source:
    return Source(
        pixels,
        rows["image"].to_numpy(np.int64),
        rows["copy"].to_numpy(np.int64),
        rows.index.to_numpy(np.int64),
    )


def _listing(folder: Path | None, listener: Listener) -> str:
    """The digest of an unlabelled folder: its files' names and sizes; what is none is told."""
    if folder is None:
        return ""
    passed = PassedOver()
    found = [[path.name, path.lstat().st_size] for path in find_images([folder], passed.add)]
    for sentence in passed.sentences():
        listener.warn(f"{str(folder)!r}: {sentence}")
    return digest_of(found)


def _digest(study: Study, name: str, seed: int, *ingredients: object) -> str:
    evaluation = study.experiment.evaluation.model_dump(mode="json", include=SCORED)
    return stage_digest("scores", name, seed, evaluation, *ingredients)


def _task(
    study: Study,
    trained: Trained,
    seed: int,
    digest: str,
    trained_folder: Path,
    sources: list[ScoredSource],
    preprocessing: Preprocessing,
    training: Images | None = None,
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
        "held_out": [str(name) for name in _held_out(experiment)],
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
        "training": training,
        "unlabelled": unlabelled,
        "device": study.device,
    }
    return [Task(f"{trained.name} seed {seed}", score_stage, arguments)]


def _held_out(experiment: Experiment) -> Sequence[object]:
    """The classes that stand for unseen kinds: held out, or in their place in a selection."""
    data = experiment.data
    return (isinstance(data, ClassImagesConfig) and data.selection) or data.held_out


def _run(tasks: list[Task], engine: Engine, listener: Listener) -> None:
    if tasks:
        listener.say(f"Scoring every source with {len(tasks)} detector(s)")
        engine.run(tasks)
