"""What a run folder holds, read once. Only the study and its scores are indispensable."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_numeric_dtype
from PIL import Image

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.errors import RunError
from gandetect.runs import load_study, read_json

Images: TypeAlias = npt.NDArray[np.uint8]
Trained: TypeAlias = tuple[str, int]  # the name and seed of a GAN or detector
Read = TypeVar("Read")
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RunError,
    zipfile.BadZipFile,
    pa.ArrowException,
)
CURVES = tuple(f"{split}_{name}" for split in ("train", "validation")
               for name in ("loss", "accuracy"))  # fmt: skip


@dataclass(frozen=True)
class Mistakes:
    """Wrong answers of one detector in one source, the most confident first."""

    images: Images  # (K, C, H, W)
    scores: npt.NDArray[np.float64]  # (K,)


@dataclass(frozen=True)
class Samples:
    """Grids of one generator's images for the same noise, by epoch, and the animation."""

    grids: Mapping[int, Path]
    animation: Path | None


@dataclass(frozen=True)
class Classifier:
    """How a classifier was trained: figures by epoch, the epoch kept, and a training batch."""

    history: pd.DataFrame
    best_epoch: int
    batch: Images  # (B, C, H, W), as the network saw them
    labels: npt.NDArray[np.int64]  # (B,) 1 for generated


@dataclass
class Inputs:
    """Everything a report is made from; `missing` says what is not there and why."""

    run: Path
    experiment: Experiment
    scores: pd.DataFrame
    manifest: dict[str, Any] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    classifier: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    class_samples: dict[str, Images] = field(default_factory=dict)
    histories: dict[Trained, pd.DataFrame] = field(default_factory=dict)
    samples: dict[Trained, Samples] = field(default_factory=dict)
    classifiers: dict[Trained, Classifier] = field(default_factory=dict)
    folds: dict[str, Any] = field(default_factory=dict)
    mistakes: dict[Trained, dict[str, Mistakes]] = field(default_factory=dict)
    classes: pd.DataFrame | None = None  # of real test images: source, index, class_name
    trajectory: pd.DataFrame | None = None  # scores of every kept epoch
    perturbed: pd.DataFrame | None = None  # scores of processed images
    overlap: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)  # detectors that are left out, and why


def read_inputs(run: Path) -> Inputs:
    """Read a run folder.

    Raises `RunError` when it is no run folder or its scores are missing or damaged; anything else
    that cannot be read is left out and named in `missing`.
    """
    experiment = load_study(run)
    scores, gaps = only_finite(read_scores(run / "scores.parquet"))
    inputs = Inputs(run, experiment, scores, gaps=gaps)
    inputs.manifest = _optional(inputs, "manifest.json", _read_table) or {}
    if inputs.experiment.gans:
        inputs.quality = _optional(inputs, "quality.json", _read_rows) or []
        inputs.classifier = _optional(inputs, "quality-classifier.json", _read_table) or {}
    inputs.data = _optional(inputs, "data.json", _read_table) or {}
    inputs.class_samples = _optional(inputs, "data-samples.npz", read_class_samples) or {}
    inputs.classes = _optional(inputs, "classes.parquet", pd.read_parquet)
    evaluation = inputs.experiment.evaluation
    if inputs.experiment.gans:
        inputs.overlap = _optional(inputs, "overlap.json", _read_table) or {}
        if evaluation.trajectory != "last":
            inputs.trajectory = _optional(inputs, "trajectory.parquet", pd.read_parquet)
    if evaluation.perturbations:
        inputs.perturbed = _optional(inputs, "perturbed.parquet", pd.read_parquet)
    if inputs.overlap.get("policy") == "exclude" and inputs.overlap["images"]:
        _leave_out_twins(inputs)
    inputs.audit = _optional(inputs, "audit.json", _read_table) or {}
    for gan in inputs.experiment.gans:
        for seed in inputs.experiment.seeds:
            _read_gan(inputs, gan.name, seed)
    for classifier in inputs.experiment.classifiers:
        for seed in inputs.experiment.seeds:
            place = f"classifiers/{classifier.name}/seed-{seed}"
            found = _optional(inputs, place, read_classifier)
            if found is not None:
                inputs.classifiers[classifier.name, seed] = found
            _read_mistakes_of(inputs, classifier.name, seed)
    if isinstance(inputs.experiment.data, LabelledDataConfig) and inputs.experiment.data.folds:
        inputs.folds = _optional(inputs, "folds.json", _read_table) or {}
    return inputs


def read_scores(path: Path) -> pd.DataFrame:
    """Read the table of scores; `RunError` when it is missing or damaged."""
    if not path.exists():
        raise RunError(
            f"{str(path)!r} is missing, and every number comes from it; "
            "run the study again to score the detectors"
        )
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise RunError(
            f"{str(path)!r} cannot be read ({reason}); delete it and run the study again"
        ) from None


def _leave_out_twins(inputs: Inputs) -> None:
    images = inputs.overlap["images"]
    inputs.scores = without_twins(inputs.scores, images)
    if inputs.trajectory is not None:
        inputs.trajectory = without_twins(inputs.trajectory, images)
    if inputs.perturbed is not None:
        inputs.perturbed = without_twins(inputs.perturbed, images)


def without_twins(scores: pd.DataFrame, images: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Leave out the real test images (split, index) that also stand in another split."""
    twins = {(f"real:{split}", int(index)) for split, index in images}
    places = zip(scores["source"].astype(str), scores["index"], strict=True)
    return scores[[place not in twins for place in places]]


def only_finite(scores: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out detectors of which some score is not a finite number, and say so of each.

    Where none would be left, or the columns are others, nothing is left out here.
    """
    names = ["detector", "detector_seed"]
    if not {*names, "score"} <= set(scores):
        return scores, []
    values = pd.to_numeric(scores["score"], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values)
    if not bad.any():
        return scores, []
    keys = scores["detector"].astype(str) + ", seed " + scores["detector_seed"].astype(str)
    damaged = keys[bad].value_counts()
    if len(damaged) == keys.nunique():
        return scores, []
    gaps = [
        f"{n} score(s) of detector {key}, are not finite numbers; it is left out of every figure, "
        "so score it again"
        for key, n in sorted(damaged.items())
    ]
    return scores[~keys.isin(damaged.index)], gaps


def read_mistakes(path: Path) -> dict[str, Mistakes]:
    """Read `mistakes.npz`: for each source images (K, C, H, W) uint8 and scores (K,)."""
    with np.load(path, allow_pickle=False) as stored:
        sources = [key.removesuffix("/images") for key in stored.files if key.endswith("/images")]
        found = {
            source: Mistakes(
                _as_images(stored[f"{source}/images"]),
                stored[f"{source}/scores"].astype(np.float64),
            )
            for source in sources
        }
    for source, these in found.items():
        if these.scores.shape != (len(these.images),):
            raise ValueError(
                f"{source}: {len(these.images)} images and scores of shape {these.scores.shape}"
            )
    return found


def read_history(path: Path) -> pd.DataFrame:
    """Read `history.csv`: a row of numbers for each epoch."""
    history = pd.read_csv(path)
    if history.empty or "epoch" not in history:
        raise ValueError("it holds no epoch")
    words = history.columns[~history.apply(is_numeric_dtype)]
    if len(words):
        raise ValueError(f"its column {words[0]!r} holds something that is not a number")
    return history


def read_class_samples(path: Path) -> dict[str, Images]:
    """Read `data-samples.npz`: one array (K, C, H, W) uint8 for each class number."""
    with np.load(path, allow_pickle=False) as stored:
        return {key: _as_images(stored[key]) for key in stored.files}


def read_classifier(folder: Path) -> Classifier:
    """Read what a classifier's training left in its folder."""
    with np.load(folder / "batch.npz", allow_pickle=False) as stored:
        batch, labels = _as_images(stored["images"]), stored["labels"].astype(np.int64)
    if labels.shape != (len(batch),) or not np.isin(labels, (0, 1)).all():
        raise ValueError(f"its batch has {len(batch)} images and labels of shape {labels.shape}, "
                         "or labels other than 0 and 1")  # fmt: skip
    best = int(_read_table(folder / "training.json")["best_epoch"])
    history = read_history(folder / "history.csv")
    absent = [name for name in CURVES if name not in history]
    if absent or best not in history["epoch"].to_list():
        raise ValueError(f"its history.csv has no {absent[0] if absent else f'epoch {best}'}")
    return Classifier(history, best, batch, labels)


def _read_gan(inputs: Inputs, name: str, seed: int) -> None:
    gan = f"gans/{name}/seed-{seed}"
    history = _optional(inputs, f"{gan}/history.csv", read_history)
    if history is not None:
        inputs.histories[name, seed] = history
    _read_mistakes_of(inputs, name, seed)
    samples = _optional(inputs, f"{gan}/samples", _read_samples)
    if samples is not None:
        inputs.samples[name, seed] = samples


def _read_mistakes_of(inputs: Inputs, name: str, seed: int) -> None:
    mistakes = _optional(inputs, f"detectors/{name}/seed-{seed}/mistakes.npz", read_mistakes)
    if mistakes is not None:
        inputs.mistakes[name, seed] = mistakes


def _read_samples(folder: Path) -> Samples:
    grids = {
        int(path.stem): path
        for path in sorted(folder.glob("*.png"))
        if re.fullmatch(r"\d+", path.stem)
    }
    if not grids:
        raise ValueError("it holds no sample grid")
    for grid in grids.values():
        with Image.open(grid) as image:
            image.verify()
    animation = folder.parent / "samples.gif"
    return Samples(grids, animation if animation.is_file() else None)


def _read_table(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _read_rows(path: Path) -> list[dict[str, Any]]:
    value = read_json(path)
    if not isinstance(value, list) or not all(isinstance(r, dict) and "gan" in r for r in value):
        raise ValueError("it is not a list of generators")
    return value


def _optional(inputs: Inputs, name: str, read: Callable[[Path], Read]) -> Read | None:
    path = inputs.run / name
    if not path.exists():
        inputs.missing[name] = f"{name} is not in the run folder"
        return None
    try:
        return read(path)
    except UNREADABLE as error:
        # The first line only, and never the place where this run happens to lie.
        reason = str(error).replace(f"{inputs.run}/", "").splitlines() or [type(error).__name__]
        inputs.missing[name] = f"{name} cannot be read ({reason[0]})"
        return None


def _as_images(array: npt.NDArray[Any]) -> Images:
    if array.ndim != 4 or array.dtype != np.uint8 or array.shape[1] not in (1, 3):
        raise ValueError(
            f"images of shape {array.shape} and type {array.dtype} are not (N, C, H, W) uint8"
        )
    return array
