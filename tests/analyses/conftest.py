"""A run folder as the study leaves it, made of random numbers: small, and quick to report on."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shortcuts import without_figures

from gandetect.analyses.build import build_report
from gandetect.analyses.image_statistics.numbers import summarise
from gandetect.analyses.saliency.numbers import starts_of
from gandetect.config import parse_experiment
from gandetect.report.grids import image_grid
from gandetect.runs import to_toml

CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SIZES = {
    "generated:dcgan-bn": 300,
    "generated:dcgan-plain": 200,
    "real:in-distribution": 120,
    "real:held-out": 180,
    "real:training": 300,
    "real:calibration": 150,
}
SHOWN = [source for source in SIZES if source not in ("real:calibration", "real:training")]
MEANS = {"generated": 1.2, "real": -0.6}


def score_table(rng, seeds, scale=1) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "detector": detector,
                "detector_seed": seed,
                "epoch": 2,
                "source": source,
                "source_seed": seed,
                "label": source.partition(":")[0],
                "index": np.arange(n * scale),
                "score": rng.normal(MEANS[source.partition(":")[0]], 1.5, n * scale).astype("f4"),
            }
        )
        for detector in ("dcgan-bn", "dcgan-plain")
        for seed in seeds
        for source, n in {**SIZES, "generated:calibration": 150}.items()
    ]
    return pd.concat(frames, ignore_index=True).astype({"detector": "category"})


def noise_images(rng, n) -> np.ndarray:
    """Blobs, so that a grid of them can be looked at."""
    y, x = np.mgrid[:28, :28]
    centres, widths = rng.uniform(8, 20, (n, 2, 1, 1)), rng.uniform(3, 8, (n, 1, 1))
    distance = (y - centres[:, 0]) ** 2 + (x - centres[:, 1]) ** 2
    return (255 * np.exp(-distance / widths**2)).astype(np.uint8)[:, None]


def write_history(path: Path, rng, epochs=6) -> None:
    decay = np.exp(-np.arange(epochs) / 3)
    table = pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "discriminator_loss": 1.2 + 0.2 * rng.random(epochs),
            "generator_loss": 0.9 + 0.3 * rng.random(epochs),
            "accuracy_real": 0.5 + 0.1 * rng.random(epochs),
            "accuracy_fake": 0.7 + 0.1 * rng.random(epochs),
            "images_per_second": 2000.0,
            "seconds": 20.0,
            "fid": 30 + 200 * decay,
            "kid": 0.02 + 0.2 * decay,
            "kid_std": 0.004,
            "confidence": 0.9,
        }
    )
    table.to_csv(path, index=False)


def write_gan(run: Path, name: str, seed: int, rng, epochs=6) -> None:
    folder = run / "gans" / name / f"seed-{seed}"
    (folder / "samples").mkdir(parents=True)
    write_history(folder / "history.csv", rng, epochs)
    frames = [image_grid(noise_images(rng, 64), columns=8) for _ in range(epochs)]
    for epoch, frame in enumerate(frames, start=1):
        frame.save(folder / "samples" / f"{epoch:04d}.png")
    frames[0].save(folder / "samples.gif", save_all=True, append_images=frames[1:], duration=300)
    detector = run / "detectors" / name / f"seed-{seed}"
    detector.mkdir(parents=True)
    write_kept(detector, SHOWN, rng, noise_images)
    write_neighbours(detector, rng)


def write_kept(detector: Path, sources, rng, images) -> None:
    """What scoring keeps to be looked at, with maps; ``images(rng, n)`` makes the pictures."""
    kinds = {"mistakes": (9, -6, -2), "surest": (4, 6, 2), "hardest": (4, 0.01, 0.3)}
    for kind, (n, first, last) in kinds.items():
        arrays = {}
        for source in sources:
            sign = 1 if source.startswith("generated") else -1
            arrays[f"{source}/images"] = images(rng, n)
            arrays[f"{source}/scores"] = sign * np.linspace(first, last, n)
            arrays[f"{source}/indices"] = np.arange(n)
        np.savez(detector / f"{kind}.npz", **arrays)
    write_saliency(detector, sources, images(np.random.default_rng(0), 1).shape[-1])


def write_neighbours(detector: Path, rng) -> None:
    arrays = {"best/scores": np.linspace(-6, -2, 12)}
    for group, n in {"best": 12, "fakes": 500, "reals": 500}.items():
        arrays[f"{group}/images"] = noise_images(rng, 12)
        arrays[f"{group}/neighbours"] = noise_images(rng, 12)
        arrays[f"{group}/indices"] = arrays[f"{group}/neighbour_indices"] = np.arange(12)
        arrays[f"{group}/distances"] = rng.uniform(5, 30, n)
    np.savez(detector / "neighbours.npz", **arrays)
    near = {"n": 500, "median": 17.5, "ci95": [16.6, 18.4], "smallest": 5.1, "copies": 0}
    figures = {"training_images": 37800, "cut": 6.2}
    figures |= {"fakes": near | {"below_cut": 21}, "reals": near | {"below_cut": 24}}
    write_json(detector / "neighbours.json", figures)


def write_image_statistics(run: Path, seeds, sources, images) -> None:
    """What is summed up of each source's pixels; ``images(rng, n)`` makes them."""
    rng, arrays = np.random.default_rng(1), {}
    for source in sources:
        for seed in seeds if source.startswith("generated") else (0,):
            summed = summarise(images(rng, 40))
            arrays |= {f"{source}@{seed}/{name}": values for name, values in summed.items()}
    (run / "image-statistics").mkdir()
    np.savez(run / "image-statistics" / "statistics.npz", **arrays)


def write_saliency(detector: Path, sources, side: int) -> None:
    """Maps of random changes, of a detector in ``detectors/<name>/seed-<n>``."""
    rng, windows = np.random.default_rng(1), len(starts_of(side))
    folder = detector.parents[2] / "saliency" / detector.parent.name / detector.name
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"maps": 6, "shuffled": 6, "pixels": 6, "surest": 3, "mistakes": 3}
    arrays = {
        f"{source}/{name}": rng.normal(size=(n, windows, windows)).astype(np.float32)
        for source in sources
        for name, n in counts.items()
    }
    np.savez(folder / "saliency.npz", **arrays)


def class_table(scale=1) -> pd.DataFrame:
    """Classes of the test reals, in turn."""
    frames = []
    for source, names in (("real:in-distribution", CLASSES[:7]), ("real:held-out", CLASSES[7:])):
        index = np.arange(SIZES[source] * scale)
        names = np.array(names)[index % len(names)]
        frames.append(pd.DataFrame({"source": source, "index": index, "class_name": names}))
    return pd.concat(frames, ignore_index=True)


def audit_rows(seeds) -> list[dict]:
    probes = {"mean": 0.52, "histogram": 0.97}
    return [
        {"probe": probe, "auroc": area, "ci95": [area - 0.02, area + 0.02], "n_real": 500,
         "n_generated": 500, "warning": area > 0.6, "where": "",
         "source": f"generated:{gan}", "seed": seed}
        for gan in ("dcgan-bn", "dcgan-plain") for seed in seeds for probe, area in probes.items()
    ]  # fmt: skip


def audit_checks(seeds) -> list[dict]:
    """Of every generator 75 different images."""
    return [
        {"check": "copies", "side": "generated", "value": 425, "exact": 425, "ci95": None, "n": 500,
         "warning": True, "source": f"generated:{gan}", "seed": seed}
        for gan in ("dcgan-bn", "dcgan-plain") for seed in seeds
    ]  # fmt: skip


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def make_run(run: Path, seeds=(0,), scale=1) -> Path:
    rng = np.random.default_rng(0)
    run.mkdir(parents=True)
    table = {
        "name": "quick",
        "seeds": list(seeds),
        "gans": [{"architecture": "dcgan-bn"}, {"architecture": "dcgan-plain"}],
    }
    experiment = parse_experiment(table)
    write_json(run / "study.json", experiment.model_dump(mode="json"))
    (run / "study.toml").write_text(to_toml(experiment))
    score_table(rng, seeds, scale).to_parquet(run / "scores.parquet")
    write_json(run / "manifest.json", {
        "versions": {"python": "3.11", "numpy": "2.1"},
        "device": "cpu", "jobs": 2, "digests": {"data": "0" * 64},
        "stages": [
            {"stage": "data", "started": "2026-01-01T00:00:00+00:00", "seconds": 1.5},
            {"stage": "gans", "started": "2026-01-01T00:00:02+00:00", "seconds": 240.0},
        ],
    })  # fmt: skip
    quality = {
        "features": "own",
        "dimensions": 64,
        "n_real": 4200,
        "epoch": 6,
        "fid": 41.5,
        "kid": 0.03,
        "kid_std": 0.004,
        "confidence": 0.93,
        "n": 4200,
    }
    spread = [0.15, 0.14, 0.13, 0.14, 0.12, 0.16, 0.13, 0.01, 0.01, 0.01]
    write_json(run / "quality.json", [
        {"gan": gan, "seed": seed, "class_shares": spread, **quality}
        for gan in ("dcgan-bn", "dcgan-plain") for seed in seeds
    ])  # fmt: skip
    write_json(run / "quality-classifier.json", {"accuracy_in_distribution": 0.91, "n": 4200})
    trained = {"train": 5400, "in-distribution": 600, "calibration": 1000}
    held_out = {"held-out": 6000, "reserved": 1000}
    counts = {name: trained if i < 7 else held_out for i, name in enumerate(CLASSES)}
    write_json(run / "data.json", {
        "classes": CLASSES, "held_out": CLASSES[7:], "counts": counts,
        "duplicates": {"train & in-distribution": 3, "train & held-out": 0}, "digest": "0" * 64,
    })  # fmt: skip
    write_json(run / "overlap.json", {"policy": "refuse", "sizes": {}, "counts": [], "images": []})
    write_json(run / "audit.json", {"checks": audit_checks(seeds), "rows": audit_rows(seeds)})
    class_table(scale).to_parquet(run / "classes.parquet")
    np.savez(run / "data-samples.npz", **{str(i): noise_images(rng, 12) for i in range(10)})
    for gan in ("dcgan-bn", "dcgan-plain"):
        for seed in seeds:
            write_gan(run, gan, seed, rng)
    write_image_statistics(run, seeds, SHOWN, noise_images)
    return run


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("stored") / "run")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its report, for tests that only read."""
    return run_with_report(tmp_path_factory)


def run_with_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that the first worker makes for all: its figures take seconds."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    run = place / "with-report" / "quick-0123456789ab"
    with (place / "with-report.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not run.exists():
            unfinished = make_run(tmp_path_factory.mktemp("unfinished") / run.name)
            build_report(unfinished)
            run.parent.mkdir()
            unfinished.rename(run)
    return run


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw every figure, but do not render it: for tests that read the text."""
    monkeypatch.setattr("gandetect.report.style.figure_svg", lambda figure: b"\x89PNG")


@pytest.fixture
def text_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose no figure, which takes longest: for tests of what no figure shows."""
    without_figures(monkeypatch)


@pytest.fixture
def run(stored_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored_run, tmp_path / "runs" / "quick-0123456789ab"))


@pytest.fixture
def write_run() -> Callable[..., Path]:
    return make_run
