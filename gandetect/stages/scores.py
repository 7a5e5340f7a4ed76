"""Score every source with one detector, and choose its operating points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import ClassifierConfig, DetectorConfig, EvaluationConfig, GanConfig
from gandetect.data.stored import Images
from gandetect.detectors import (
    DESCRIPTION,
    WEIGHTS,
    Detector,
    DetectorDescription,
    Preprocessing,
    as_detector,
    load_detector,
    save_detector,
)
from gandetect.evaluation import thresholds_from
from gandetect.evaluation.scores import by_source
from gandetect.scoring import score_paths, write_scores
from gandetect.stages.common import Indices, Notify, ScoredSource, Source, reusable
from gandetect.stages.look import DISTANCES, NEIGHBOURS, images_to_look_at, neighbours
from gandetect.training.augmentation import fixed_copy
from gandetect.training.checkpoints import load_weights
from gandetect.training.networks import build_gan
from gandetect.training.supervised import new_classifier

Trained = GanConfig | ClassifierConfig | DetectorConfig
CHUNK = 2000
SCORES = "scores.parquet"


def score_stage(
    folder: Path,
    digest: str,
    *,
    config: Trained,
    evaluation: EvaluationConfig,
    seed: int,
    trained: Path,
    sources: Sequence[ScoredSource],
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    training: Images | None = None,
    unlabelled: Path | None = None,
    device: str,
    notify: Notify,
) -> None:
    """Turn a trained network into a detector, and score every source with it.

    ``trained`` is the folder of its training; what that has scored already (the images that a
    classifier was trained with and chosen by) is taken over. Operating points are chosen on
    calibration and validation images alone. What of the images is worth looking at is kept beside
    the scores; with a GAN's ``training`` images ``(T, C, H, W)`` also those that its fakes are
    nearest to. Image files in ``unlabelled`` are answered in ``unlabelled.csv``.
    """
    if reusable(folder, digest, notify):
        return
    started = perf_counter()
    detector = trained_detector(config, seed, trained, preprocessing, provenance, device)
    tick = ticker(sum(len(one.source) for one in sources), notify)
    scored = [(one, score_source(detector, one.source, config, tick)) for one in sources]
    tables = [
        tidy_scores(config.name, seed, one.name, one.source.indices(), scores).assign(
            source_seed=one.seed
        )
        for one, scores in scored
    ]
    pictures = images_to_look_at(scored, seed, evaluation.kept_mistakes)
    if training is not None:
        pictures[NEIGHBOURS], distances = neighbours(
            scored, f"generated:{config.name}", seed, training
        )
    if isinstance(config, ClassifierConfig):
        tables.append(pd.read_parquet(trained / SCORES))
    table = pd.concat(tables, ignore_index=True).assign(epoch=_epoch(config, trained))
    points = thresholds_from(by_source(table), evaluation.calibrated_fpr)
    description = detector.description.model_copy(update={"operating_points": points})
    finished = Detector(detector.network, description, detector.device)
    with runs.atomic_folder(folder) as fresh:
        save_detector(fresh, finished)
        table.to_parquet(fresh / SCORES, index=False)
        for name, arrays in pictures.items():
            np.savez_compressed(fresh / name, **arrays)
        files = [DESCRIPTION, WEIGHTS, SCORES, *pictures]
        if training is not None:
            runs.write_json(fresh / DISTANCES, distances)
            files.append(DISTANCES)
        if unlabelled is not None:
            files.append("unlabelled.csv")
            with (fresh / "unlabelled.csv").open("w", encoding="utf-8") as stream:
                write_scores(score_paths(finished, [unlabelled]), stream, "csv")
        runs.write_record(fresh, digest, files, seconds=perf_counter() - started, n=len(table))


def ticker(total: int, notify: Notify) -> Callable[[int], None]:
    """Tell how many of so many images are scored, and at which rate, each time it is called."""
    started, done = perf_counter(), 0

    def tick(scored: int) -> None:
        nonlocal done
        done += scored
        rate = done / (perf_counter() - started)
        notify({"event": "step", "done": done, "total": total, "images_per_second": rate})

    return tick


def score_source(
    detector: Detector,
    source: Source,
    config: Trained,
    tick: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Score the images of a source in order, a chunk at a time: ``(M,)`` log-odds."""
    images, rows = source.array(), source.all_rows()
    scores = np.empty(len(rows))
    chunk = max(1, CHUNK * 28 * 28 // max(images.shape[2], 28) ** 2)
    for start in range(0, len(rows), chunk):
        chosen = rows[start : start + chunk]
        part = np.asarray(images[chosen])
        if source.copies is not None and isinstance(config, ClassifierConfig):
            copies = source.copies[start : start + chunk].tolist()
            augmentation, size = config.augmentation, config.image_size
            part = np.stack(
                [
                    fixed_copy(image, copy, row, augmentation, size)
                    for image, copy, row in zip(part, copies, chosen.tolist(), strict=True)
                ]
            )
        scores[start : start + chunk] = detector.decision_function(part)
        tick(len(part))
    return scores


def tidy_scores(
    name: str, seed: int, source: str, index: Indices, scores: NDArray[np.float64]
) -> pd.DataFrame:
    """Rows of `scores.parquet`, but for the epoch."""
    kind = source.partition(":")[0]
    return pd.DataFrame(
        {
            "detector": name,
            "detector_seed": seed,
            "epoch": 0,
            "source": source,
            "source_seed": seed if kind == "generated" else 0,
            "label": kind,
            "index": index,
            "score": scores.astype(np.float32),
        }
    )


def make_detector(
    config: ClassifierConfig,
    network: torch.nn.Module,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: torch.device,
) -> Detector:
    """A trained classifier as a detector."""
    description = DetectorDescription(
        kind="classifier",
        name=config.name,
        architecture=config.network,
        options=classifier_options(config),
        preprocessing=preprocessing,
        provenance={"recipe": config.recipe, **provenance},
    )
    return as_detector(network, description, device)


def classifier_options(config: ClassifierConfig) -> dict[str, Any]:
    """What `build_classifier` needs to know, beside the network's name and the channels."""
    return {
        "image_size": config.image_size,
        "stored_size": config.stored_size,
        "outputs": 1 if config.loss == "bce" else 2,
        "normalise": config.normalise,
        **config.head.model_dump(mode="json"),
        **({"embedding": config.contrastive.embedding} if config.contrastive else {}),
    }


def trained_detector(
    config: Trained,
    seed: int,
    trained: Path,
    preprocessing: Preprocessing,
    provenance: Mapping[str, Any],
    device: str,
) -> Detector:
    """The detector that the folder ``trained`` holds: a training's last or best, or one made."""
    where = torch.device(device)
    size, channels = preprocessing.image_size, preprocessing.channels
    origin = {"seed": seed, "epoch": _epoch(config, trained), **provenance}
    if isinstance(config, ClassifierConfig):
        network = new_classifier(config, channels, weights=False)
        load_weights(network, trained / WEIGHTS)
        return make_detector(config, network, preprocessing, origin, where)
    if not isinstance(config, GanConfig):
        made = load_detector(trained, device)
        came_from = {**made.description.provenance, **origin}
        return Detector(
            made.network, made.description.model_copy(update={"provenance": came_from}), where
        )
    gan = build_gan(config, size, channels, seed, where)
    load_weights(gan.discriminator, trained / "discriminator.safetensors")
    description = DetectorDescription(
        name=config.name,
        architecture=config.architecture,
        options=config.discriminator.model_dump(exclude_none=True),
        preprocessing=preprocessing,
        provenance={"gan": config.name, **origin},
    )
    return as_detector(gan.discriminator, description, where)


def _epoch(config: Trained, trained: Path) -> int:
    """The epoch that a detector's weights are of: the last, or a classifier's best."""
    if isinstance(config, ClassifierConfig):
        return int(runs.read_json(trained / "training.json")["best_epoch"])
    if isinstance(config, GanConfig):
        return config.epochs
    return int(runs.read_json(trained / runs.RECORD)["epoch"])
