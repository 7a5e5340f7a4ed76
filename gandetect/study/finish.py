"""From stored scores to answers: joins the pieces' results and writes metrics and report."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from time import perf_counter

import numpy as np
import pandas as pd

from gandetect import machine, runs
from gandetect.preparation import SplitImages
from gandetect.preparation.labelled import LabelledImages, class_samples
from gandetect.progress import Listener
from gandetect.study.plan import Study


def write_report(
    study: Study,
    images: SplitImages | LabelledImages,
    digest: str,
    digests: Mapping[str, str],
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
    runs.write_record(study.folder, digest, files, seconds=perf_counter() - started)


def _collect_data(study: Study, images: SplitImages | LabelledImages) -> None:
    with runs.atomic_file(study.folder / "data.json") as temporary:
        shutil.copyfile(study.folder / "data" / "data.json", temporary)
    with runs.atomic_file(study.folder / "data-samples.npz") as temporary:
        if isinstance(images, LabelledImages):
            with temporary.open("wb") as file:
                np.savez_compressed(file, **class_samples(images))
        else:
            shutil.copyfile(study.folder / "data" / "samples.npz", temporary)


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
    for name, seed in study.pieces:
        folders[f"scores {name} seed {seed}"] = study.detector_folder(name, seed)
    return {
        name: round(float(runs.read_json(folder / runs.RECORD)["seconds"]), 1)
        for name, folder in folders.items()
    }
