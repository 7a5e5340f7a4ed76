"""The pieces of a study that run in worker processes: train one GAN, score with one detector.

Each is a plain function of its arguments that writes one folder, leaves it alone when it is
complete, and makes it afresh when it is damaged. `study.py` says in which order they run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from gandetect import runs
from gandetect.config import EvaluationConfig, GanConfig, QualityConfig
from gandetect.detectors import (
    DESCRIPTION,
    WEIGHTS,
    Detector,
    DetectorDescription,
    Preprocessing,
    discriminator_as_detector,
    save_detector,
)
from gandetect.evaluation.operating_points import calibrate
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.training.adversarial import build_gan, train_gan
from gandetect.training.checkpoints import GanFolder, load_weights, save_weights
from gandetect.training.images import generate
from gandetect.training.quality import QualityJudge, accuracy, train_feature_classifier

Images = NDArray[np.uint8]
Labels = NDArray[np.integer[Any]]
Notify = Callable[[Mapping[str, Any]], None]
GENERATED = "images.npy"
CHUNK = 2000


def feature_classifier_stage(
    folder: Path,
    digest: str,
    *,
    config: QualityConfig,
    images: Images,
    labels: Labels,
    test_images: Images,
    test_labels: Labels,
    classes: int,
    device: str,
    notify: Notify,
) -> None:
    """Train the classifier whose feature space FID and KID are measured in."""
    if _reusable(folder, digest, notify):
        return
    started = perf_counter()
    where = torch.device(device)
    classifier = train_feature_classifier(
        images, labels, classes=classes, epochs=config.classifier_epochs, seed=0, device=where
    )
    right = accuracy(classifier, test_images, test_labels, where)
    with runs.atomic_folder(folder) as fresh:
        save_weights(classifier, fresh / WEIGHTS)
        facts = {"accuracy_in_distribution": right, "n": len(test_images)}
        seconds = perf_counter() - started
        runs.write_record(fresh, digest, [WEIGHTS], seconds=seconds, classes=classes, **facts)


def gan_stage(
    folder: Path,
    digest: str,
    *,
    config: GanConfig,
    quality: QualityConfig,
    seed: int,
    images: Images,
    reference_images: Images,
    classifier_folder: Path,
    generated: int,
    device: str,
    notify: Notify,
) -> None:
    """Train one GAN, then draw the images that its generator is represented by in evaluation."""

    def warn(message: str) -> None:
        notify({"event": "warning", "message": message})

    stage = GanFolder(folder, digest, warn)
    where = torch.device(device)
    if not _reusable(folder, digest, notify, remove=False):
        started = perf_counter()
        judge = QualityJudge(_load_classifier(classifier_folder, images), reference_images, where)
        gan = train_gan(
            config,
            images,
            stage,
            seed=seed,
            device=where,
            judge=judge,
            judged=quality.generated,
            notify=notify,
        )
        stage.finish(gan, config.epochs, seconds=perf_counter() - started)
    drawn = folder / "generated"
    drawn_digest = f"{digest}:{generated}"
    if _reusable(drawn, drawn_digest, notify):
        return
    gan = build_gan(config, images.shape[2], images.shape[1], seed, where)
    load_weights(gan.generator, folder / "generator.safetensors")
    fakes = generate(gan.generator, generated, seed=seed, purpose="evaluation", device=where)
    with runs.atomic_folder(drawn) as fresh:
        np.save(fresh / GENERATED, fakes, allow_pickle=False)
        runs.write_record(fresh, drawn_digest, [GENERATED], n=generated)


def score_stage(
    folder: Path,
    digest: str,
    *,
    name: str,
    config: GanConfig,
    evaluation: EvaluationConfig,
    seed: int,
    gan_folder: Path,
    generated: Mapping[str, tuple[Path, int]],
    reals: Mapping[str, Images],
    provenance: Mapping[str, Any],
    device: str,
    notify: Notify,
) -> None:
    """Turn a trained discriminator into a detector, and score every source with it.

    ``generated`` maps a source to its images' file and how many of them count; ``reals`` maps a
    source to its images. The operating point is chosen on ``real:calibration`` alone.
    """
    if _reusable(folder, digest, notify):
        return
    started = perf_counter()
    sources = {
        source: np.load(path, mmap_mode="r", allow_pickle=False)[:count]
        for source, (path, count) in generated.items()
    }
    sources.update(reals)
    detector = _detector(name, config, seed, gan_folder, reals, provenance, device)
    total, done = sum(map(len, sources.values())), 0
    tables: list[pd.DataFrame] = []
    mistakes: dict[str, Any] = {}
    for source, images in sources.items():
        scores = np.empty(len(images))
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            scores[start : start + CHUNK] = detector.decision_function(part)
            done += len(part)
            rate = done / (perf_counter() - started)
            notify({"event": "step", "done": done, "total": total, "images_per_second": rate})
        tables.append(_tidy(name, seed, config.epochs, source, scores))
        if source not in ("real:calibration", "real:training"):
            mistakes.update(_mistakes(source, images, scores, evaluation.kept_mistakes))
    table = pd.concat(tables, ignore_index=True)
    calibration = table.loc[table["source"] == "real:calibration", "score"].to_numpy()
    points = {"native": 0.0, "calibrated": calibrate(calibration, evaluation.calibrated_fpr)}
    description = detector.description.model_copy(update={"operating_points": points})
    finished = Detector(detector.network, description, detector.device)
    with runs.atomic_folder(folder) as fresh:
        save_detector(fresh, finished)
        table.to_parquet(fresh / "scores.parquet", index=False)
        np.savez_compressed(fresh / "mistakes.npz", **mistakes)
        files = [DESCRIPTION, WEIGHTS, "scores.parquet", "mistakes.npz"]
        runs.write_record(fresh, digest, files, seconds=perf_counter() - started, n=total)


def _reusable(folder: Path, digest: str, notify: Notify, remove: bool = True) -> bool:
    """Whether a stage is complete; what is damaged or foreign is named, and made afresh."""
    problem = runs.problem_with(folder, digest)
    if problem is None:
        return True
    if problem:
        message = f"{folder.parent.name}/{folder.name} is not used: {problem}; it is made afresh"
        notify({"event": "warning", "message": message})
    if remove and folder.exists():
        shutil.rmtree(folder)
    return False


def _load_classifier(folder: Path, images: Images) -> FeatureClassifier:
    classes = int(runs.read_json(folder / runs.RECORD)["classes"])
    classifier = FeatureClassifier(images.shape[2], images.shape[1], classes)
    load_weights(classifier, folder / WEIGHTS)
    return classifier


def _detector(
    name: str,
    config: GanConfig,
    seed: int,
    gan_folder: Path,
    reals: Mapping[str, Images],
    provenance: Mapping[str, Any],
    device: str,
) -> Detector:
    _, channels, _, size = reals["real:calibration"].shape
    gan = build_gan(config, size, channels, seed, torch.device(device))
    load_weights(gan.discriminator, gan_folder / "discriminator.safetensors")
    description = DetectorDescription(
        name=name,
        architecture=config.architecture,
        options=config.discriminator.model_dump(exclude_none=True),
        preprocessing=Preprocessing(image_size=size, channels=1 if channels == 1 else 3),
        provenance={"gan": config.name, "seed": seed, "epoch": config.epochs, **provenance},
    )
    return discriminator_as_detector(gan.discriminator, description, torch.device(device))


def _tidy(
    name: str, seed: int, epoch: int, source: str, scores: NDArray[np.float64]
) -> pd.DataFrame:
    kind = source.partition(":")[0]
    return pd.DataFrame(
        {
            "detector": name,
            "detector_seed": seed,
            "epoch": epoch,
            "source": source,
            "source_seed": seed if kind == "generated" else 0,
            "label": kind,
            "index": np.arange(len(scores)),
            "score": scores.astype(np.float32),
        }
    )


def _mistakes(
    source: str, images: Images, scores: NDArray[np.float64], kept: int
) -> dict[str, Any]:
    """The images answered wrongly at the native threshold, most confident first."""
    wrongness = -scores if source.startswith("generated:") else scores
    order = np.argsort(-wrongness, kind="stable")[:kept]
    order = order[wrongness[order] > 0]
    return {
        f"{source}/images": np.asarray(images[order]),
        f"{source}/scores": scores[order],
        f"{source}/indices": order,
    }
