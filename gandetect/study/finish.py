"""From stored scores to answers: joins the pieces' results and writes metrics and report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from time import perf_counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gandetect import machine, runs
from gandetect.evaluation.scores import HELD_OUT, IN_DISTRIBUTION
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages, class_samples
from gandetect.preparation.overlap import OVERLAP
from gandetect.progress import Listener
from gandetect.study.audit import audit_rows
from gandetect.study.plan import Pieces, Study

BESIDE_THE_SCORES = (
    "classes.parquet",
    "trajectory.parquet",
    "perturbed.parquet",
    "audit.json",
    OVERLAP,
)


def write_report(
    study: Study,
    images: SplitImages | LabelledImages,
    digest: str,
    digests: Mapping[str, str],
    audits: Pieces,
    listener: Listener,
) -> None:
    """Join the scores, put beside them what the report shows, and write everything from them."""
    from gandetect.report import build_report

    listener.say("Writing metrics, figures and the report")
    started = perf_counter()
    parts = [
        pd.read_parquet(study.detector_folder(name, seed) / "scores.parquet")
        for name, seed in study.pieces
    ]
    with runs.atomic_file(study.folder / "scores.parquet") as temporary:
        pd.concat(parts, ignore_index=True).to_parquet(temporary, index=False)
    _join(study, "trajectory.parquet", "trajectories")
    _join(study, "perturbed.parquet", "robustness")
    runs.write_json(study.folder / "audit.json", audit_rows(study, audits))
    _collect_data(study, images)
    if study.experiment.gans:
        _collect_quality(study)
    manifest = {
        **machine.describe(study.device),
        "device": study.device,
        "jobs": study.jobs,
        "threads": study.threads,
        "timings": _timings(study),
        "digests": {
            "experiment": study.experiment.digest(),
            "scores.parquet": runs.file_digest(study.folder / "scores.parquet"),
            **digests,
        },
    }
    runs.write_json(study.folder / "manifest.json", manifest)
    build_report(study.folder)
    files = ["scores.parquet", "metrics.json", "metrics.csv", "report.md", "report.html"]
    files += [name for name in BESIDE_THE_SCORES if (study.folder / name).exists()]
    runs.write_record(study.folder, digest, files, seconds=perf_counter() - started)


def _collect_data(study: Study, images: SplitImages | LabelledImages) -> None:
    with runs.atomic_file(study.folder / "data.json") as temporary:
        shutil.copyfile(study.folder / "data" / "data.json", temporary)
    with runs.atomic_file(study.folder / "classes.parquet") as temporary:
        _classes(images).to_parquet(temporary, index=False)
    if isinstance(images, SplitImages):
        with runs.atomic_file(study.folder / OVERLAP) as temporary:
            shutil.copyfile(study.folder / "overlap" / OVERLAP, temporary)
    with runs.atomic_file(study.folder / "data-samples.npz") as temporary:
        if isinstance(images, LabelledImages):
            with temporary.open("wb") as file:
                np.savez_compressed(file, **class_samples(images))
        else:
            shutil.copyfile(study.folder / "data" / "samples.npz", temporary)


def _join(study: Study, name: str, folder: str) -> None:
    """Join the tables that some pieces may have left; without any there is no such file."""
    parts = sorted((study.folder / folder).glob(f"*/seed-*/{name}"))
    seeds = {f"seed-{seed}" for seed in study.experiment.seeds}
    tables = [pd.read_parquet(path) for path in parts if path.parent.name in seeds]
    if not tables:
        (study.folder / name).unlink(missing_ok=True)
        return
    with runs.atomic_file(study.folder / name) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)


def _classes(images: SplitImages | LabelledImages) -> pd.DataFrame:
    """The class of every real test image, as the scores call it: source, index, class_name."""
    if isinstance(images, LabelledImages):
        table = images.table[
            images.table["split"].isin(["test", "held-out"]) & (images.table["label"] == "real")
        ]
        sources = table["split"].map({"test": IN_DISTRIBUTION, "held-out": HELD_OUT})
        return pd.DataFrame(
            {"source": sources, "index": table.index, "class_name": table["class_name"]}
        )
    held_out = images.labelled_labels[len(images.training) :]
    parts = [
        pd.DataFrame(
            {"source": name, "index": range(len(labels)), "class_name": classes_of(images, labels)}
        )
        for name, labels in (
            (IN_DISTRIBUTION, images.in_distribution_labels),
            (HELD_OUT, held_out),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def classes_of(images: SplitImages, labels: NDArray[np.int64]) -> NDArray[np.str_]:
    """Names of class numbers, ``(N,)``."""
    return np.array(images.classes)[labels]


def _collect_quality(study: Study) -> None:
    """How good the fakes are after the last epoch, and the classifier that says so."""
    judge = runs.read_json(study.folder / "quality-classifier" / runs.RECORD)
    shown = {key: judge[key] for key in ("accuracy_in_distribution", "n")}
    runs.write_json(study.folder / "quality-classifier.json", shown)
    keys = ("epoch", "n", "fid", "kid", "kid_std", "confidence", "class_shares")
    rows = []
    for seed in study.experiment.seeds:
        for gan in study.experiment.gans:
            folder = study.gan_folder(gan.name, seed)
            epochs = runs.read_json(folder / runs.RECORD)["epochs"]
            last = runs.read_json(folder / "epochs" / f"{epochs:04d}" / runs.RECORD)["history"]
            rows.append({"gan": gan.name, "seed": seed, **{key: last[key] for key in keys}})
    runs.write_json(study.folder / "quality.json", rows)


def _timings(study: Study) -> dict[str, float]:
    experiment = study.experiment
    folders = {}
    if experiment.gans:
        folders["feature classifier"] = study.folder / "quality-classifier"
    for seed in experiment.seeds:
        for gan in experiment.gans:
            folders[f"gan {gan.name} seed {seed}"] = study.gan_folder(gan.name, seed)
        for one in experiment.classifiers:
            folder = study.classifier_folder(one.name, seed)
            folders[f"classifier {one.name} seed {seed}"] = folder
        for made in experiment.detectors:
            folders[f"detector {made.name} seed {seed}"] = study.derived_folder(made.name, seed)
    for name, seed in study.pieces:
        folders[f"scores {name} seed {seed}"] = study.detector_folder(name, seed)
    return {
        name: round(float(runs.read_json(folder / runs.RECORD)["seconds"]), 1)
        for name, folder in folders.items()
    }
