"""What a run folder holds, read once. Only the study and its scores are indispensable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from gandetect.report import reading
from gandetect.report.facts import StudyFacts, load_facts
from gandetect.report.reading import Classifier, Images, Kept, Neighbours, Samples

Trained: TypeAlias = tuple[str, int]  # the name and seed of a GAN or detector
Read = TypeVar("Read")
# Images that the scoring of a detector keeps.
KEPT = ("mistakes", "surest", "hardest")


@dataclass
class Inputs:
    """Everything a report is made from; `missing` says what is not there and why."""

    run: Path
    facts: StudyFacts
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
    groups: pd.DataFrame | None = None  # of in-distribution reals: source, index, group
    trajectory: pd.DataFrame | None = None  # scores of every kept epoch
    perturbed: pd.DataFrame | None = None  # scores of processed images
    overlap: dict[str, Any] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)  # facts on images from elsewhere
    audit: dict[str, Any] = field(default_factory=dict)
    image_statistics: dict[str, Any] = field(default_factory=dict)  # arrays by name
    saliency: dict[Trained, dict[str, Any]] = field(default_factory=dict)  # the same
    missing: dict[str, str] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)  # detectors that are left out, and why


@dataclass(frozen=True)
class _Files:
    """The optional files of a run folder; `missing` says which cannot be read, and why."""

    run: Path
    missing: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reader: Callable[[Path], Read], default: Read) -> Read:
        """A file, or the default where it is absent or damaged."""
        path = self.run / name
        if not path.exists():
            self.missing[name] = f"{name} is not in the run folder"
            return default
        try:
            return reader(path)
        except reading.UNREADABLE as error:
            # The first line only, and never the place where this run happens to lie.
            reason = str(error).replace(f"{self.run}/", "").splitlines() or [type(error).__name__]
            self.missing[name] = f"{name} cannot be read ({reason[0]})"
            return default

    def table(self, name: str) -> dict[str, Any]:
        """A JSON object; an empty one where it is absent or damaged."""
        return self.read(name, reading.read_table, {})

    def each(
        self, trained: Iterable[Trained], place: str, reader: Callable[[Path], Read]
    ) -> dict[Trained, Read]:
        """The file of each network and seed at ``place``, of those that can be read."""
        files = {one: self.read(place.format(*one), reader, None) for one in trained}
        return {one: file for one, file in files.items() if file is not None}


def read_inputs(run: Path) -> Inputs:
    """Read a run folder.

    Raises `RunError` when it is no run folder or its scores are missing or damaged; anything else
    that cannot be read is left out and named in `missing`.
    """
    facts, files = load_facts(run), _Files(run)
    scores, gaps = only_finite(reading.read_scores(run / "scores.parquet"))
    manifest = files.table("manifest.json")
    classes = files.read("classes.parquet", pd.read_parquet, None)
    if facts.is_table:
        groups = files.read("groups.parquet", pd.read_parquet, None)
        return Inputs(run, facts, scores, manifest, classes=classes, groups=groups, gaps=gaps)
    overlap = files.table("overlap.json") if facts.gans else {}
    twins = overlap.get("images", []) if overlap.get("policy") == "exclude" else []
    epochs = bool(facts.gans) and facts.evaluation["trajectory"] != "last"
    perturbed = facts.evaluation["perturbations"]
    folds = facts.labelled and facts.data["folds"]
    named = partial(reading.read_rows, key="name")
    return Inputs(
        run,
        facts,
        without_twins(scores, twins),
        manifest,
        quality=files.read("quality.json", reading.read_rows, []) if facts.gans else [],
        classifier=files.table("quality-classifier.json") if facts.gans else {},
        data=files.table("data.json"),
        class_samples=files.read("data-samples.npz", reading.read_class_samples, {}),
        folds=files.table("folds.json") if folds else {},
        classes=classes,
        groups=None,
        trajectory=_scored(files, "trajectory.parquet", twins) if epochs else None,
        perturbed=_scored(files, "perturbed.parquet", twins) if perturbed else None,
        overlap=overlap,
        sources=files.read("sources.json", named, []) if facts.settings["sources"] else [],
        audit=files.table("audit.json"),
        image_statistics=files.read("image-statistics/statistics.npz", reading.read_arrays, {}),
        missing=files.missing,
        gaps=[*gaps, *files.table("left-out.json").get("detectors", [])],
        **_of_networks(files, facts),
    )


def _of_networks(files: _Files, facts: StudyFacts) -> dict[str, dict[Trained, Any]]:

    def runs(networks: Iterable[Any]) -> list[Trained]:
        return [(one.name, seed) for one in networks for seed in facts.seeds]

    gans, classifiers = runs(facts.gans), runs(facts.classifiers)
    discriminators = [one for one in gans if one[0] in facts.detectors]
    detectors = [*discriminators, *classifiers, *runs(facts.post_hoc)]
    near, maps = "detectors/{}/seed-{}/neighbours.npz", "saliency/{}/seed-{}/saliency.npz"
    kept = {kind: f"detectors/{{}}/seed-{{}}/{kind}.npz" for kind in KEPT}
    return {
        "histories": files.each(gans, "gans/{}/seed-{}/history.csv", reading.read_history),
        "samples": files.each(gans, "gans/{}/seed-{}/samples", reading.read_samples),
        "classifiers": files.each(classifiers, "classifiers/{}/seed-{}", reading.read_classifier),
        "neighbours": files.each(discriminators, near, reading.read_neighbours),
        "saliency": files.each(detectors, maps, reading.read_arrays),
        **{kind: files.each(detectors, place, reading.read_kept) for kind, place in kept.items()},
    }


def _scored(files: _Files, name: str, twins: Sequence[tuple[str, int]]) -> pd.DataFrame | None:
    scores = files.read(name, pd.read_parquet, None)
    return None if scores is None else without_twins(scores, twins)


def without_twins(scores: pd.DataFrame, images: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Leave out the real test images (split, index) that also stand in another split."""
    if not images:
        return scores
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
