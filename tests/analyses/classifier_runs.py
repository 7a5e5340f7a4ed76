"""Run folders of studies with classifiers, as they leave them, made of random numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.conftest import (
    audit_rows,
    make_run,
    noise_images,
    write_image_statistics,
    write_json,
    write_kept,
)
from gandetect.config import parse_experiment


def classifier_scores(rng, name, seed, sources) -> pd.DataFrame:
    """Scores of one classifier from ``{source: (mean, n)}``, spread by 1.5."""
    frames = [
        pd.DataFrame(
            {
                "detector": name,
                "detector_seed": seed,
                "epoch": 3,
                "source": source,
                "source_seed": seed,
                "label": source.partition(":")[0],
                "index": np.arange(n),
                "score": rng.normal(mean, 1.5, n).astype("f4"),
            }
        )
        for source, (mean, n) in sources.items()
    ]
    return pd.concat(frames, ignore_index=True)


def write_classifier(run: Path, name: str, seed: int, rng, images, sources, epochs=5) -> None:
    """What training and scoring leave of a classifier; ``images(rng, n)`` makes its pictures."""
    folder = run / "classifiers" / name / f"seed-{seed}"
    folder.mkdir(parents=True)
    steps = np.arange(1, epochs + 1)
    columns = {"epoch": steps, "learning_rate": 1e-3, "seconds": 9.0, "images_per_second": 800.0}
    for split, floor in (("train", 0.05), ("validation", 0.3)):
        columns[f"{split}_loss"] = floor + 0.6 * np.exp(-steps / 2)
        for figure in ("accuracy", "auroc", "precision", "recall", "specificity", "f1"):
            columns[f"{split}_{figure}"] = 1 - floor - 0.4 * np.exp(-steps / 2)
    pd.DataFrame(columns).to_csv(folder / "history.csv", index=False)
    write_json(folder / "training.json", {"best_epoch": 3, "monitor": "loss", "epochs": epochs})
    labels = np.arange(32) % 2
    np.savez(folder / "batch.npz", images=images(rng, 32), labels=labels)
    detector = run / "detectors" / name / f"seed-{seed}"
    detector.mkdir(parents=True)
    write_kept(detector, sources, rng, images)


def make_mixed_run(run: Path) -> Path:
    """A GAN study with two discriminators, a classifier on each GAN's fakes and one on both."""
    make_run(run)
    rng = np.random.default_rng(1)
    gans = ["dcgan-bn", "dcgan-plain"]
    trained = {f"cnn-small-on-{gan}": [gan] for gan in gans} | {"cnn-small-on-both": gans}
    study = {
        "name": "quick",
        "gans": [{"architecture": gan} for gan in gans],
        "classifiers": [
            {"recipe": "cnn-small", "name": name, "fakes_from": fakes, "epochs": 5}
            for name, fakes in trained.items()
        ],
    }
    write_json(run / "study.json", parse_experiment(study).model_dump(mode="json"))
    tables = [pd.read_parquet(run / "scores.parquet")]
    for name, fakes in trained.items():
        sources = {f"generated:{gan}": (6.0 if gan in fakes else -7.0, 300) for gan in gans}
        sources |= {
            "real:in-distribution": (-4.0, 120), "real:held-out": (-3.0, 180),
            "real:training": (-5.0, 300), "real:calibration": (-4.0, 150),
            "real:validation": (-4.0, 150), "generated:validation": (6.0, 150),
            "generated:training": (7.0, 300),
        }  # fmt: skip
        tables.append(classifier_scores(rng, name, 0, sources))
        shown = [*(f"generated:{gan}" for gan in gans), "real:in-distribution", "real:held-out"]
        write_classifier(run, name, 0, rng, noise_images, shown)
    pd.concat(tables, ignore_index=True).to_parquet(run / "scores.parquet")
    return run


def colour_images(rng, n) -> np.ndarray:
    """Coloured blobs at 48 px, (n, 3, 48, 48)."""
    shade = rng.uniform(0.3, 1, (n, 3, 1, 1))
    small = noise_images(rng, n)[:, :, ::1, ::1]
    large = small.repeat(2, axis=2).repeat(2, axis=3)[:, :, 4:52, 4:52]
    return (large * shade + 40 * (1 - shade)).astype(np.uint8)


PUBLISHED = [
    {"metric": "accuracy", "value": 0.775},
    {"metric": "recall", "value": 0.671, "positive": "real"},
    {"metric": "f1", "split": "validation", "value": 0.747, "comparable": False,
     "note": "the source chose its cut on <u>these</u> images"},
]  # fmt: skip


def make_labelled_run(run: Path, *, seeds=(0,), leak=None, held_out=True) -> Path:
    """A study of labelled files: two classifiers, no GANs, and every finding of the data."""
    rng = np.random.default_rng(2)
    run.mkdir(parents=True)
    classes = {"photos": "real", "inpainted": "generated", "screenshots": "ignored"}
    if held_out:
        classes |= {"paintings": "real", "cloned": "generated"}
    unseen = ["paintings", "cloned"] if held_out else []
    copies = 1 if leak else 0
    study = {
        "name": "edited-photos",
        "seeds": list(seeds),
        "data": {"name": "folder", "path": "photos", "classes": classes, "held_out": unseen,
                 "folds": 3, "leak": leak},
        "classifiers": [
            {"recipe": "resnet50-finetuned", "published": PUBLISHED, "copies": copies},
            {"recipe": "cnn-small", "epochs": 5, "copies": copies},
        ],
    }  # fmt: skip
    write_json(run / "study.json", parse_experiment(study).model_dump(mode="json"))
    sources = {
        "generated:inpainted": (1.5, 90), "real:in-distribution": (-1.5, 110),
        "real:training": (-3.0, 200), "generated:training": (3.0, 180),
        "real:validation": (-1.0, 60), "generated:validation": (1.0, 50),
    }  # fmt: skip
    if held_out:
        sources |= {"generated:cloned": (-1.0, 80), "real:held-out": (0.2, 70)}
    shown = [name for name in sources if not name.endswith(("training", "validation"))]
    tables, folds = [], []
    for name in ("resnet50-finetuned", "cnn-small"):
        for seed in seeds:
            tables.append(classifier_scores(rng, name, seed, sources))
            write_classifier(run, name, seed, rng, colour_images, shown)
            folds += [
                {"detector": name, "detector_seed": seed, "fold": fold, "n": 150, "threshold": 0.1,
                 "accuracy": 0.7 + 0.02 * fold, "auroc": 0.8, "precision": 0.75, "recall": 0.7,
                 "specificity": 0.72, "f1": 0.71}
                for fold in (1, 2, 3)
            ]  # fmt: skip
    pd.concat(tables, ignore_index=True).to_parquet(run / "scores.parquet")
    audited = [{**row, "source": "generated:inpainted"} for row in audit_rows(seeds[:1])[:2]]
    write_json(run / "audit.json", {"rows": audited})
    write_json(run / "folds.json", {"folds": 3, "rows": folds})
    write_image_statistics(run, seeds[:1], shown, colour_images)
    write_json(run / "manifest.json", {
        "versions": {"python": "3.11"}, "device": "cpu",
        "stages": [{"stage": "data", "started": "2026-01-01T00:00:00+00:00", "seconds": 1.5}],
    })  # fmt: skip
    splits = {"train": 200, "validation": 60, "test": 110}
    counts = {"photos": splits, "inpainted": {"train": 180, "validation": 50, "test": 90}}
    if held_out:
        counts |= {"paintings": {"held-out": 70}, "cloned": {"held-out": 80}}
    size = {"median": [640, 480], "smallest": [320, 240], "largest": [1280, 960],
            "commonest": [640, 480], "commonest_count": 60}  # fmt: skip
    write_json(run / "data.json", {
        "classes": classes, "held_out": unseen, "counts": counts, "leak": leak,
        "left_out": [{"path": f"photos/{i} <b>.jpg", "reason": "truncated"} for i in range(7)],
        "groups": 400, "near_duplicates": 5,
        "formats": {name: {"JPEG": 50, "PNG": 20} if name == "photos" else {"JPEG": 70}
                    for name in counts},
        "modes": {name: {"RGB": 70} for name in counts},
        "sizes": dict.fromkeys(counts, size),
        "shortcuts": ["PNG is 29 % of 'photos' <i>, none of 'inpainted'"], "digest": "0" * 64,
    })  # fmt: skip
    numbers = {name: str(i) for i, name in enumerate(classes)}
    samples = {numbers[name]: colour_images(rng, 10) for name in counts}
    np.savez(run / "data-samples.npz", **samples)
    return run
