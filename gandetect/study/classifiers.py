"""The pieces that train classifiers: on the fakes of GANs, on labelled images, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gandetect import runs
from gandetect.config import ClassifierConfig, LabelledDataConfig
from gandetect.data.groups import folds_by_group, split_by_group
from gandetect.detectors import Preprocessing
from gandetect.engine import Engine, Task
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages
from gandetect.progress import Listener
from gandetect.stages.common import LabelledSplit
from gandetect.study.plan import Pieces, Study, stage_digest

SCORED_TRAINING = 5000  # at most so many training images of each label are scored for comparison


def train_gan_classifiers(
    study: Study, images: SplitImages, gans: Pieces, engine: Engine, listener: Listener
) -> Pieces:
    """Train every classifier on real training images and fresh fakes of the GANs it names."""
    from gandetect.stages.classifiers import gan_classifier_stage

    experiment, digests, tasks = study.experiment, {}, []
    configs = {gan.name: gan for gan in experiment.gans}
    for seed in experiment.seeds:
        for classifier in experiment.classifiers:
            fakes = {name: gans[name, seed] for name in classifier.fakes_from}
            digest = stage_digest("classifier", _identity(classifier), seed, fakes, images.digest)
            digests[classifier.name, seed] = digest
            arguments = {
                "gans": [(configs[name], study.gan_folder(name, seed)) for name in fakes],
                "reals": images.training,
                "scored_training": len(images.in_distribution),
                "preprocessing": preprocessing_of(images),
            }
            tasks += _task(study, classifier, seed, digest, gan_classifier_stage, arguments)
    _run(tasks, study, engine, listener)
    return digests


def train_labelled(
    study: Study, images: LabelledImages, engine: Engine, listener: Listener
) -> Pieces:
    """Train every classifier with every seed on the training images of a labelled study."""
    from gandetect.stages.classifiers import labelled_classifier_stage

    experiment, digests, tasks = study.experiment, {}, []
    for seed in experiment.seeds:
        for classifier in experiment.classifiers:
            digest = stage_digest("classifier", _identity(classifier), seed, images.digest)
            digests[classifier.name, seed] = digest
            arguments = {
                "train": _split(images, classifier, "train"),
                "validation": _split(images, classifier, "validation"),
                "scored_training": SCORED_TRAINING,
                "preprocessing": labelled_preprocessing(study, classifier),
            }
            tasks += _task(study, classifier, seed, digest, labelled_classifier_stage, arguments)
    _run(tasks, study, engine, listener)
    return digests


def cross_validate(
    study: Study, images: LabelledImages, engine: Engine, listener: Listener
) -> dict[str, str]:
    """Cross-validate every classifier (with the first seed) over all images but the test groups.

    Writes ``folds.json``; returns the digests. Nothing is done without ``data.folds``.
    """
    from gandetect.stages.classifiers import fold_stage

    data = study.experiment.data
    assert isinstance(data, LabelledDataConfig)
    if data.folds is None:
        return {}
    seed = study.experiment.seeds[0]
    rows = images.table[images.table["split"].isin(["train", "validation"])]
    folds = folds_by_group(rows["class_name"], rows["group"], data.folds, data.split_seed)
    digests: dict[str, str] = {}
    tasks: list[Task] = []
    folders = []
    for classifier in study.experiment.classifiers:
        for fold in range(data.folds):
            digest = stage_digest(
                "fold", _identity(classifier), seed, images.digest, fold, data.folds
            )
            folder = study.classifier_folder(classifier.name, seed) / "folds" / f"{fold + 1:02d}"
            folders.append(folder)
            digests[f"fold {fold + 1} of {classifier.name}"] = digest
            rest = rows[folds != fold]
            inner = split_by_group(
                rest["class_name"],
                rest["group"],
                validation_fraction=data.validation_fraction,
                test_fraction=0.0,
                seed=data.split_seed,
            )
            arguments = {
                "train": _rows(images, classifier, rest[inner == "train"]),
                "validation": _rows(images, classifier, rest[inner == "validation"]),
                "held_back": _rows(images, classifier, rows[folds == fold]),
                "fold": fold + 1,
                "preprocessing": labelled_preprocessing(study, classifier),
            }
            tasks += _task(
                study, classifier, seed, digest, fold_stage, arguments, f"fold {fold + 1}", folder
            )
    _run(tasks, study, engine, listener)
    figures = [runs.read_json(folder / runs.RECORD)["figures"] for folder in folders]
    runs.write_json(study.folder / "folds.json", {"folds": data.folds, "rows": figures})
    return digests


def preprocessing_of(images: SplitImages) -> Preprocessing:
    """How an image file becomes what the GANs' images are."""
    _, channels, _, size = images.training.shape
    return Preprocessing(image_size=size, channels=1 if channels == 1 else 3, fit=images.fit)


def labelled_preprocessing(study: Study, classifier: ClassifierConfig) -> Preprocessing:
    """How an image file becomes what a classifier of a labelled study was trained on."""
    data = study.experiment.data
    assert isinstance(data, LabelledDataConfig)
    return Preprocessing(image_size=classifier.stored_size, channels=3, fit=data.fit)


def _split(images: LabelledImages, classifier: ClassifierConfig, split: str) -> LabelledSplit:
    return _rows(images, classifier, images.table[images.table["split"] == split])


def _rows(
    images: LabelledImages, classifier: ClassifierConfig, rows: pd.DataFrame
) -> LabelledSplit:
    return LabelledSplit(
        images=images.pixels[classifier.stored_size],
        rows=rows["image"].to_numpy(np.int64),
        labels=(rows["label"] == "generated").to_numpy().astype(np.int64),
        copies=rows["copy"].to_numpy(np.int64),
        index=rows.index.to_numpy(np.int64),
    )


def _identity(classifier: ClassifierConfig) -> dict[str, Any]:
    """Everything of a classifier that changes its training, a weights file's content included."""
    identity = classifier.identity()
    del identity["published"]
    weights = Path(classifier.weights)
    if classifier.weights not in ("none", "imagenet") and weights.is_file():
        identity["weights"] = runs.file_digest(weights)
    return identity


def _task(
    study: Study,
    classifier: ClassifierConfig,
    seed: int,
    digest: str,
    stage: Any,
    arguments: dict[str, Any],
    part: str = "",
    folder: Any = None,
) -> list[Task]:
    """The task of one training, or nothing when it is complete."""
    folder = folder or study.classifier_folder(classifier.name, seed)
    if runs.problem_with(folder, digest) is None:
        return []
    common = {
        "folder": folder,
        "digest": digest,
        "config": classifier,
        "seed": seed,
        "device": study.device,
    }
    name = " ".join(filter(None, [classifier.name, f"seed {seed}", part]))
    return [Task(name, stage, {**common, **arguments})]


def _run(tasks: Sequence[Task], study: Study, engine: Engine, listener: Listener) -> None:
    if tasks:
        names = ", ".join(task.name for task in tasks)
        listener.say(f"Training {names}; {study.share}")
        engine.run(tasks)
