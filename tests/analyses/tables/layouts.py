"""Small files in the column layouts of other projects, and how each is read."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

N = 30  # images of a source


def probabilities(seed: int, n: int = N) -> np.ndarray:
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(seed, 1.5, n)))


def deepfakebench(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """A row a frame: its path below <dataset>/<video>/, label 0 or 1, and a probability."""
    names = [f"Celeb-DF-v2/{video}/{i:03d}.png" for video in ("id0", "id1_fake") for i in range(N)]
    table = {"image": names, "label": [0] * N + [1] * N,
             "prob": np.concatenate([probabilities(0), probabilities(1)])}  # fmt: skip
    pd.DataFrame(table).to_csv(folder / "xception.csv", index=False)
    return [folder / "xception.csv"], {
        "columns": {"score": "prob"},
        "probabilities": True,
        "path_pattern": r"^[^/]+/(?P<group>[^/]+)/",
    }


def sidbench(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """A path and a probability; generator and label stand in the path, as 0_real and 1_fake."""
    rows = [(f"test/{source}/{side}/{i:03d}.png", p)
            for source in ("biggan", "stylegan") for place, side in enumerate(("0_real", "1_fake"))
            for i, p in enumerate(probabilities(place))]  # fmt: skip
    pd.DataFrame(rows, columns=["image_path", "prediction"]).to_csv(
        folder / "univfd.csv", index=False
    )
    return [folder / "univfd.csv"], {
        "columns": {"score": "prediction"},
        "probabilities": True,
        "path_pattern": r"/(?P<source>[^/]+)/(?P<label>0_real|1_fake)/",
        "real_labels": ("0_real",),
        "reference": ("biggan", "stylegan"),
    }


def detectzoo(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """JSON by detector, each with samples of a label and a score."""
    results = {
        name: {"roc_auc": 0.8, "samples": [
            {"label": label, "score": float(p)} for label in (0, 1) for p in probabilities(label)
        ]} for name in ("cnnspot", "univfd")
    }  # fmt: skip
    path = folder / "results.json"
    path.write_text(json.dumps({"meta": {"dataset": "x"}, "results": results}))
    return [path], {"probabilities": True}


def deepsafe(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Packed CSV, a column a model; of media that a model cannot judge it is empty."""
    table = pd.DataFrame({
        "file": [f"{i}.png" for i in range(3 * N)], "modality": "images",
        "label": ["real"] * N + ["fake"] * 2 * N,
        "generator": ["coco"] * N + ["sdxl"] * N + ["flux"] * N,
        "prob_npr": np.concatenate([probabilities(one) for one in range(3)]),
        "prob_aide": np.concatenate([probabilities(2 * one) for one in range(3)]),
        "ensemble_score": 0.5, "ensemble_verdict": "fake",
    })  # fmt: skip
    table.loc[::7, "prob_aide"] = None
    path = folder / "predictions_medium.csv.gz"
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    return [path], {"detectors": ("prob_npr", "prob_aide"), "probabilities": True}


def anomalib(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """A path, an anomaly score and the answer; the folder "good" holds what is not anomalous."""
    rows = [(f"datasets/faces/test/{source}/{i:03d}.png", p, p > 0.5)
            for place, source in enumerate(("good", "stylegan2", "ldm"))
            for i, p in enumerate(probabilities(place))]  # fmt: skip
    pd.DataFrame(rows, columns=["image_path", "pred_score", "pred_label"]).to_csv(
        folder / "patchcore.csv", index=False
    )
    return [folder / "patchcore.csv"], {
        "path_pattern": r"/test/(?P<source>(?P<label>[^/]+))/",
        "probabilities": True,  # its scores are scaled so that 0.5 is the threshold
        "real_labels": ("good",),
    }


def kaggle(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """A submission whose label is a probability of FAKE, and a key with the answers."""
    names = [f"{i:04d}.mp4" for i in range(2 * N)]
    scores = np.concatenate([probabilities(0), probabilities(1)])
    submission = pd.DataFrame({"filename": names, "label": scores})
    submission.sample(frac=1, random_state=0).to_csv(folder / "submission.csv", index=False)
    key = pd.DataFrame({"filename": names, "label": ["REAL"] * N + ["FAKE"] * N})
    key.to_csv(folder / "answers.csv", index=False)
    return [folder / "submission.csv"], {
        "key": folder / "answers.csv",
        "columns": {"score": "label"},
        "probabilities": True,
    }


def clip_based(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """A column of log-odds a model, and a list of files with their generator or "real"."""
    names = [f"synthbuster/{i:03d}.png" for i in range(3 * N)]
    table = {"filename": names}
    for model in ("clipdet_latent10k_plus", "Corvi2023", "fusion"):
        table[model] = np.concatenate([np.log(probabilities(one)) for one in range(3)])
    pd.DataFrame(table).to_csv(folder / "out.csv", index=False)
    types = ["real"] * N + ["dalle2"] * N + ["sdxl"] * N
    pd.DataFrame({"filename": names, "typ": types}).to_csv(folder / "list.csv", index=False)
    return [folder / "out.csv"], {
        "key": folder / "list.csv",
        "columns": {"source": "typ", "label": "typ"},
        "real_labels": ("real",),
    }


# What must be found of each: detectors, generators, and reals.
LAYOUTS = {
    deepfakebench: (["xception"], ["unnamed"], N),
    sidbench: (["univfd"], ["biggan", "stylegan"], 2 * N),
    detectzoo: (["cnnspot", "univfd"], ["unnamed"], N),
    deepsafe: (["prob_aide", "prob_npr"], ["flux", "sdxl"], N),
    anomalib: (["patchcore"], ["ldm", "stylegan2"], N),
    kaggle: (["submission"], ["unnamed"], N),
    clip_based: (["Corvi2023", "clipdet_latent10k_plus", "fusion"], ["dalle2", "sdxl"], N),
}
