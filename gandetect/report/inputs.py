"""What a run folder holds, read once. Only the study and its scores are indispensable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.report.reading import (
    UNREADABLE,
    Classifier,
    Images,
    Kept,
    Neighbours,
    Samples,
    read_class_samples,
    read_classifier,
    read_history,
    read_kept,
    read_neighbours,
    read_rows,
    read_samples,
    read_scores,
    read_table,
)
from gandetect.runs import load_study

Trained: TypeAlias = tuple[str, int]  # the name and seed of a GAN or detector
Read = TypeVar("Read")


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
    mistakes: dict[Trained, dict[str, Kept]] = field(default_factory=dict)
    surest: dict[Trained, dict[str, Kept]] = field(default_factory=dict)  # of the right answers
    hardest: dict[Trained, dict[str, Kept]] = field(default_factory=dict)  # nearest the threshold
    neighbours: dict[Trained, Neighbours] = field(default_factory=dict)
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
    inputs.manifest = _optional(inputs, "manifest.json", read_table) or {}
    if inputs.experiment.gans:
        inputs.quality = _optional(inputs, "quality.json", read_rows) or []
        inputs.classifier = _optional(inputs, "quality-classifier.json", read_table) or {}
    inputs.data = _optional(inputs, "data.json", read_table) or {}
    inputs.class_samples = _optional(inputs, "data-samples.npz", read_class_samples) or {}
    inputs.classes = _optional(inputs, "classes.parquet", pd.read_parquet)
    evaluation = inputs.experiment.evaluation
    if inputs.experiment.gans:
        inputs.overlap = _optional(inputs, "overlap.json", read_table) or {}
        if evaluation.trajectory != "last":
            inputs.trajectory = _optional(inputs, "trajectory.parquet", pd.read_parquet)
    if evaluation.perturbations:
        inputs.perturbed = _optional(inputs, "perturbed.parquet", pd.read_parquet)
    if inputs.overlap.get("policy") == "exclude" and inputs.overlap.get("images"):
        _leave_out_twins(inputs)
    inputs.audit = _optional(inputs, "audit.json", read_table) or {}
    for gan in inputs.experiment.gans:
        for seed in inputs.experiment.seeds:
            _read_generator(inputs, gan.name, seed)
            if gan.role != "source":
                _read_discriminator(inputs, gan.name, seed)
    for classifier in inputs.experiment.classifiers:
        for seed in inputs.experiment.seeds:
            place = f"classifiers/{classifier.name}/seed-{seed}"
            found = _optional(inputs, place, read_classifier)
            if found is not None:
                inputs.classifiers[classifier.name, seed] = found
            _read_kept(inputs, classifier.name, seed)
    for detector in inputs.experiment.detectors:
        for seed in inputs.experiment.seeds:
            _read_kept(inputs, detector.name, seed)
    if isinstance(inputs.experiment.data, LabelledDataConfig) and inputs.experiment.data.folds:
        inputs.folds = _optional(inputs, "folds.json", read_table) or {}
    return inputs


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


def _read_generator(inputs: Inputs, name: str, seed: int) -> None:
    gan = f"gans/{name}/seed-{seed}"
    history = _optional(inputs, f"{gan}/history.csv", read_history)
    if history is not None:
        inputs.histories[name, seed] = history
    samples = _optional(inputs, f"{gan}/samples", read_samples)
    if samples is not None:
        inputs.samples[name, seed] = samples


def _read_discriminator(inputs: Inputs, name: str, seed: int) -> None:
    _read_kept(inputs, name, seed)
    near = _optional(inputs, f"detectors/{name}/seed-{seed}/neighbours.npz", read_neighbours)
    if near is not None:
        inputs.neighbours[name, seed] = near


def _read_kept(inputs: Inputs, name: str, seed: int) -> None:
    places = {"mistakes": inputs.mistakes, "surest": inputs.surest, "hardest": inputs.hardest}
    for kind, place in places.items():
        found = _optional(inputs, f"detectors/{name}/seed-{seed}/{kind}.npz", read_kept)
        if found is not None:
            place[name, seed] = found


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
