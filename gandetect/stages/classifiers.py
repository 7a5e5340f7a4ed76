"""Train one supervised classifier: on the fakes of GANs, on labelled images, or without a fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import ClassifierConfig, GanConfig
from gandetect.config.epochs import chosen_epochs
from gandetect.data.stored import Images
from gandetect.detectors import WEIGHTS, Preprocessing
from gandetect.evaluation import youden
from gandetect.evaluation.decisions import binary_figures, confusion
from gandetect.evaluation.ranking import auroc
from gandetect.models.classifiers import ImageClassifier
from gandetect.randomness import stream
from gandetect.stages.common import LabelledSplit, Notify, Source, begin
from gandetect.stages.gans import load_generator
from gandetect.stages.scores import SCORES, make_detector, score_source, tidy_scores
from gandetect.training.examples import Examples
from gandetect.training.history import even_shares, fakes_of_epochs
from gandetect.training.images import generate
from gandetect.training.supervised import train_classifier

FILES = (WEIGHTS, "history.csv", "batch.npz", "training.json", SCORES)

# Examples to train on, examples to choose by, and the sources to score while they are at hand.
Loaded = tuple[Examples, Examples, Mapping[str, Source]]


def labelled_classifier_stage(
    folder: Path,
    digest: str,
    *,
    config: ClassifierConfig,
    train: LabelledSplit,
    validation: LabelledSplit,
    scored_training: int,
    seed: int,
    preprocessing: Preprocessing,
    device: str,
    notify: Notify,
) -> None:
    """Train on labelled images, the epoch chosen on the validation images alone."""
    choosing = {
        "real:training": train.only(0, scored_training),
        "generated:training": train.only(1, scored_training),
        "real:validation": validation.only(0),
        "generated:validation": validation.only(1),
    }
    _train_stage(
        folder,
        digest,
        config=config,
        load=lambda: (_examples(train), _examples(validation), choosing),
        seed=seed,
        preprocessing=preprocessing,
        device=device,
        notify=notify,
    )


def gan_classifier_stage(
    folder: Path,
    digest: str,
    *,
    config: ClassifierConfig,
    gans: Sequence[tuple[GanConfig, Path]],
    reals: Images,
    scored_training: int,
    seed: int,
    preprocessing: Preprocessing,
    device: str,
    notify: Notify,
) -> None:
    """Train on real training images against fresh fakes of GANs, as many of each kind.

    They come from the generators of the epochs that ``history`` names, as many of each.
    A share of the reals, and as many further fakes, are split off to choose the epoch by.
    """

    def load() -> Loaded:
        order = stream(seed, f"validation of {config.name}").permutation(len(reals))
        held_back = max(2, round(config.validation_fraction * len(reals)))
        validation, training = order[:held_back], order[held_back:][: config.images]
        parts: dict[str, tuple[Images, Images]] = {}
        for split, rows in (("training", np.sort(training)), ("validation", np.sort(validation))):
            fakes = [
                _fakes(config, *gan, part, reals, seed, f"classifier {split}", device)
                for gan, part in zip(gans, even_shares(len(rows), len(gans)), strict=True)
            ]
            parts[split] = reals[rows], np.concatenate(fakes)
        sources = {
            f"{label}:{split}": Source(images[: scored_training if split == "training" else None])
            for split, both in parts.items()
            for label, images in zip(("real", "generated"), both, strict=True)
        }
        return _joined(*parts["training"]), _joined(*parts["validation"]), sources

    _train_stage(
        folder,
        digest,
        config=config,
        load=load,
        seed=seed,
        preprocessing=preprocessing,
        device=device,
        notify=notify,
    )


def fold_stage(
    folder: Path,
    digest: str,
    *,
    config: ClassifierConfig,
    train: LabelledSplit,
    validation: LabelledSplit,
    held_back: LabelledSplit,
    fold: int,
    seed: int,
    preprocessing: Preprocessing,
    device: str,
    notify: Notify,
) -> None:
    """Train without one fold and judge the network on it, at the validation's youden cut."""
    if not begin(folder, digest, notify):
        return
    started = perf_counter()
    where = torch.device(device)
    network = train_classifier(
        config,
        _examples(train),
        _examples(validation),
        folder,
        seed=seed,
        device=where,
        notify=notify,
    )

    def scored(split: LabelledSplit, label: int) -> NDArray[np.float64]:
        detector = make_detector(config, network, preprocessing, {}, where)
        return score_source(detector, split.only(label), config)

    cut = youden(scored(validation, 1), scored(validation, 0))
    fakes, reals = scored(held_back, 1), scored(held_back, 0)
    facts = {
        "detector": config.name,
        "detector_seed": seed,
        "fold": fold,
        "n": len(fakes) + len(reals),
        "threshold": cut,
        "auroc": auroc(fakes, reals)[0],
        **binary_figures(confusion(fakes, reals, cut)),
    }
    files = [name for name in FILES if name != SCORES]
    runs.write_record(folder, digest, files, seconds=perf_counter() - started, figures=facts)


def _train_stage(
    folder: Path,
    digest: str,
    *,
    config: ClassifierConfig,
    load: Callable[[], Loaded],
    seed: int,
    preprocessing: Preprocessing,
    device: str,
    notify: Notify,
) -> None:
    """Train, then score the images of training and choosing, while they are at hand."""
    if not begin(folder, digest, notify):
        return
    started = perf_counter()
    where = torch.device(device)
    train, validation, choosing = load()
    network: ImageClassifier = train_classifier(
        config, train, validation, folder, seed=seed, device=where, notify=notify
    )
    detector = make_detector(config, network, preprocessing, {}, where)
    tables = []
    for name, source in choosing.items():
        scores = score_source(detector, source, config)
        index = np.arange(len(scores)) if source.index is None else source.index
        tables.append(tidy_scores(config.name, seed, name, index, scores))
    with runs.atomic_file(folder / SCORES) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    seconds = perf_counter() - started
    runs.write_record(folder, digest, FILES, seconds=seconds, n=len(train))


def _fakes(
    config: ClassifierConfig,
    gan: GanConfig,
    folder: Path,
    count: int,
    reals: Images,
    seed: int,
    purpose: str,
    device: str,
) -> NDArray[np.uint8]:
    """Fresh fakes ``(count, C, H, W)`` of one GAN's last generator, or of several epochs'."""
    where = torch.device(device)
    if config.history == "last":
        generator = load_generator(gan, folder, reals, seed, where)
        return generate(generator, count, seed=seed, purpose=purpose, device=where)
    return fakes_of_epochs(
        gan,
        folder,
        chosen_epochs(config.history, gan.epochs),
        count,
        image_size=reals.shape[2],
        channels=reals.shape[1],
        seed=seed,
        purpose=purpose,
        device=where,
    )


def _examples(split: LabelledSplit) -> Examples:
    images = np.load(split.images, mmap_mode="r", allow_pickle=False)
    return Examples(images, split.rows, split.labels, split.copies)


def _joined(reals: Images, fakes: Images) -> Examples:
    labels = np.repeat(np.array([0, 1], np.int64), [len(reals), len(fakes)])
    rows = np.arange(len(labels))
    return Examples(np.concatenate([reals, fakes]), rows, labels, np.zeros_like(rows))
