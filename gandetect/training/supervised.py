"""Supervised training of a real/fake classifier, through lightning, in a folder it can go on from.

Every epoch draws its order, augmentation and dropout from streams of its own, so a training that
was interrupted and goes on equals one that was not, bit for bit, on the CPU.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping

from gandetect import runs
from gandetect.config.classifier import ClassifierConfig
from gandetect.errors import TrainingError
from gandetect.events import Notify
from gandetect.models.classifiers import ImageClassifier, build_classifier, set_trainable
from gandetect.models.pretrained import load_pretrained
from gandetect.randomness import integer_seed
from gandetect.training.augmentation import cut, to_stored_size
from gandetect.training.batches import augmented_afresh, training_batches
from gandetect.training.classifier_folder import BATCH, ClassifierFolder
from gandetect.training.contrastive import check_batch
from gandetect.training.data_parallel import check_shareable, present_share
from gandetect.training.examples import Examples
from gandetect.training.supervised_task import SupervisedTask, phases
from gandetect.training.trainer import EpochCheckpoint, isolated_rng, make_trainer

IMAGES_SHOWN = 64


def new_classifier(
    config: ClassifierConfig, channels: int, *, weights: bool, seed: int = 0
) -> ImageClassifier:
    """Build the configured network for images of ``channels``, its new layers drawn by ``seed``.

    ``weights`` loads the configured pretrained backbone; leave it out where trained weights
    follow. The global random stream is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(integer_seed(seed, "classifier weights"))
        options = network_options(config)
        classifier = build_classifier(config.network, channels=channels, **options)
        if weights:
            load_pretrained(classifier, config.weights)
    return classifier


def network_options(config: ClassifierConfig) -> dict[str, Any]:
    """What `build_classifier` needs to know, beside the network's name and the channels."""
    return {
        "image_size": config.image_size,
        "stored_size": config.stored_size,
        "outputs": 1 if config.loss == "bce" else 2,
        "normalise": config.normalise,
        **config.head.model_dump(mode="json"),
        **({"embedding": config.contrastive.embedding} if config.contrastive else {}),
    }


def check_classifier(config: ClassifierConfig, channels: int) -> None:
    """Raise `UsageError` when a network cannot be built as configured; nothing is computed."""
    planned = phases(config)
    with torch.device("meta"):
        classifier = new_classifier(config, channels, weights=False)
        for parts in (config.trainable, *(phase.trainable for phase in planned)):
            set_trainable(classifier, parts)


def train_classifier(
    config: ClassifierConfig,
    train: Examples,
    validation: Examples,
    folder: Path,
    *,
    seed: int,
    device: torch.device,
    notify: Notify,
) -> ImageClassifier:
    """Train until the last epoch or the early stop, from the last complete epoch in ``folder``.

    Returns the network of the best epoch by validation (the first one, of equals), in eval mode.
    ``folder`` then holds it (`weights.safetensors`), `history.csv`, `training.json` and
    `batch.npz`: training images as the network saw them. The training figures in the history are
    those of the epoch's batches as they were trained on: augmented, with dropout, by a network
    that still changed. With `contrastive` an epoch by pairs is never the best, for the last layer
    has not trained then. Of processes that train together one writes, and the others return the
    last epoch's network. Raises `TrainingError` when a loss is not finite or a label is missing.
    """
    train = _training_examples(config, train, seed)
    _check_labels(train, validation)
    phases(config)  # refuses what cannot be combined, before anything is computed
    _check_pairs(config, train, seed)
    share = present_share()
    check_shareable(share, config, device)
    if share.rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
        _write_batch(config, train, folder, seed)

    # Begin, or go on from the last complete epoch.
    untried = config.contrastive.epochs if config.contrastive else 0
    store = ClassifierFolder(folder, _digest(config, seed), config.monitor, notify, untried)
    history = store.history()
    # Other processes are sent the leader's weights before the first step.
    weights = not history and share.rank == 0
    classifier = new_classifier(config, train.images.shape[1], weights=weights, seed=seed)
    classifier.to(memory_format=torch.channels_last)  # faster on a CPU, by a half for small CNNs
    state = store.restore(classifier, len(history)) if history else None
    stopper = _early_stopping(config, state)

    # Train phase after phase; the history grows.
    for phase in phases(config):
        if phase.last <= len(history) or _stopped(stopper):
            continue
        set_trainable(classifier, phase.trainable)
        within = state if len(history) >= phase.first else None
        patient = [stopper] if stopper and not phase.pretraining else []
        callbacks = [*patient, EpochCheckpoint(store, stopper, notify)]
        with isolated_rng(device):
            task = SupervisedTask(
                config, classifier, phase, train, validation, seed, history, within, notify, share
            )
            epochs = phase.last - len(history)
            make_trainer(config, device, epochs, callbacks, share).fit(task)

    if share.rank == 0:
        store.finish(
            classifier,
            history,
            stopped_early=_stopped(stopper),
            training_images=len(train),
            validation_images=len(validation),
            **({"processes": share.size} if share.size > 1 else {}),
        )
    return classifier.to(device).eval()


def _digest(config: ClassifierConfig, seed: int) -> str:
    """What an unfinished training belongs to; data and code are the stage's to compare."""
    text = f"{config.model_dump_json(exclude={'published'})} {seed}"
    return hashlib.sha256(text.encode()).hexdigest()


def _training_examples(config: ClassifierConfig, train: Examples, seed: int) -> Examples:
    if config.max_images is not None:
        train = train.capped(config.max_images, seed)
    if config.copies and not train.copy.any():  # a leaky split has made its copies before
        train = train.with_copies(config.copies)
    return train


def _check_labels(train: Examples, validation: Examples) -> None:
    for label, name in enumerate(("real", "generated")):
        if not (train.label == label).any():
            raise TrainingError(
                f"no {name} images to train on; a classifier needs real and generated ones"
            )
    if not len(validation):
        raise TrainingError("no validation images; raise validation_fraction, or add images")


def _check_pairs(config: ClassifierConfig, train: Examples, seed: int) -> None:
    """Look at every batch that pairs will be made of, before anything is computed."""
    if config.contrastive is None or not config.contrastive.weight:
        return
    for epoch in range(1, config.contrastive.epochs + 1):
        batches = training_batches(config, train, seed=seed, epoch=epoch)
        for step, labels in enumerate(batches.labels(), start=1):
            check_batch(labels, epoch, step, config.batch_size)


def _early_stopping(config: ClassifierConfig, state: Any) -> EarlyStopping | None:
    if config.early_stopping is None:
        return None
    monitor = config.early_stopping.monitor
    stopper = EarlyStopping(
        f"validation_{monitor}",
        patience=config.early_stopping.patience,
        mode="min" if monitor == "loss" else "max",
        check_finite=False,
        check_on_train_epoch_end=True,
    )
    if state is not None:
        stopper.load_state_dict(state["stopping"])
    return stopper


def _stopped(stopper: EarlyStopping | None) -> bool:
    return stopper is not None and stopper.wait_count >= stopper.patience


def _write_batch(config: ClassifierConfig, train: Examples, folder: Path, seed: int) -> None:
    """Keep some training images as the network sees them, for people to look at."""
    images, labels = next(iter(training_batches(config, train, seed=seed, epoch=1)))
    if not augmented_afresh(config, train):
        images = cut(to_stored_size(images.numpy(), config.stored_size), config.image_size)
    with runs.atomic_file(folder / BATCH) as temporary, temporary.open("wb") as file:
        np.savez(file, images=images[:IMAGES_SHOWN].numpy(), labels=labels[:IMAGES_SHOWN].numpy())
