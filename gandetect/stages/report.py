"""From stored scores to answers: joins what the stages have left, and writes metrics and report."""

from __future__ import annotations

import shutil
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from gandetect import machine, runs
from gandetect.config import ARCHITECTURES, DATA_SETS, DETECTORS, SOURCES, Experiment
from gandetect.config.features import OWN
from gandetect.engine import Context, Facts, Stage, gap_in, with_needs
from gandetect.errors import RunError
from gandetect.models.feature_classifier import FeatureClassifier
from gandetect.registry import Registry
from gandetect.stages.audit import AUDIT, AUDIT_KEYS, AuditSource
from gandetect.stages.class_data import CLASSES, SAMPLED, SAMPLES, ClassData
from gandetect.stages.classifier import CrossValidationFold
from gandetect.stages.feature_network import FeatureNetwork
from gandetect.stages.gan import TrainGan
from gandetect.stages.image_statistics import SummariseImages
from gandetect.stages.labelled_data import DecodedImages, LabelledData
from gandetect.stages.overlap import OVERLAP, CheckOverlap
from gandetect.stages.perturbed import PERTURBED, ScorePerturbed
from gandetect.stages.pretrained_features import CompareImages
from gandetect.stages.saliency import MapSaliency
from gandetect.stages.score import ScoreDetector
from gandetect.stages.scoring import SCORES
from gandetect.stages.source_images import FACTS, SourceImages, images_by_folder
from gandetect.stages.trajectory import TRAJECTORY, ScoreTrajectory
from gandetect.training.checkpoints import epoch_folder

WRITTEN = (SCORES, "metrics.json", "metrics.csv", "report.md", "report.html", "manifest.json")
LEFT_OUT, SOURCE_FACTS = "left-out.json", "sources.json"
IF_THERE = (CLASSES, TRAJECTORY, PERTURBED, AUDIT, OVERLAP, "folds.json", LEFT_OUT, SOURCE_FACTS)
QUALITY = ("epoch", "n", "fid", "kid", "kid_std", "confidence", "class_shares")


@dataclass(frozen=True)
class Report(Stage):
    """Join the scores, put beside them what the report shows, and write everything from them."""

    experiment: Experiment
    scores: tuple[ScoreDetector, ...]
    data: ClassData | LabelledData
    samples: ClassData | DecodedImages  # the stage that has kept some images of each class
    perturbed: tuple[ScorePerturbed, ...]
    overlap: CheckOverlap | None = None
    features: FeatureNetwork | None = None
    gans: tuple[TrainGan, ...] = ()
    compared: tuple[CompareImages, ...] = ()
    folds: tuple[CrossValidationFold, ...] = ()
    audits: tuple[AuditSource, ...] = ()
    trajectories: tuple[ScoreTrajectory, ...] = ()
    statistics: SummariseImages | None = None
    saliency: tuple[MapSaliency, ...] = ()
    sources: tuple[SourceImages, ...] = ()

    VERSION: ClassVar[int] = 7
    WRITES: ClassVar = "in-place"
    COMPUTES: ClassVar[bool] = False
    SPANS_GAPS: ClassVar[bool] = True
    PLACE: ClassVar = "."
    WEIGHT: ClassVar[float] = 12.0
    TITLE: ClassVar = "Writing metrics, figures and the report"

    def run(self, context: Context) -> Facts:
        from gandetect.analyses.build import build_report

        run = context.run
        self._tell_gaps(context)
        _join(run, SCORES, self.scores, context)
        _join(run, TRAJECTORY, self.trajectories, context)
        _join(run, PERTURBED, self.perturbed, context)
        self._collect_audits(context)
        self._collect_data(context)
        self._collect_quality(context)
        if self.folds:
            figures = [_record(context, fold)["figures"] for fold in self.folds]
            runs.write_json(run / "folds.json", {"folds": self.folds[0].folds, "rows": figures})
        runs.write_json(run / "manifest.json", self._manifest(context))
        build_report(run)
        return {}

    def files(self, folder: Path) -> list[str]:
        """The files in the run folder itself that the report is made of and made."""
        return [*WRITTEN, *(name for name in IF_THERE if (folder / name).exists())]

    def _tell_gaps(self, context: Context) -> None:
        """Write down what is left out; without any detector there is no report."""
        scorings = (*self.scores, *self.perturbed, *self.saliency, *self.compared)
        gaps = {one.place: gap for one in scorings if (gap := gap_in(context.of(one)))}
        sentences = list(dict.fromkeys(gaps.values()))
        if all(one.place in gaps for one in self.scores):
            raise RunError(f"no detector is left to report on: {'; '.join(sentences)}")
        (context.run / LEFT_OUT).unlink(missing_ok=True)
        if sentences:
            runs.write_json(context.run / LEFT_OUT, {"detectors": sentences})

    def _collect_audits(self, context: Context) -> None:
        audits = [runs.read_json(context.of(audit) / AUDIT) for audit in self.audits]
        joined = {key: [one for audit in audits for one in audit[key]] for key in AUDIT_KEYS}
        runs.write_json(context.run / AUDIT, joined)

    def _collect_data(self, context: Context) -> None:
        run, folder = context.run, context.of(self.data)
        for name in ("data.json", CLASSES):
            _copy(folder / name, run / name)
        _copy(context.of(self.samples) / SAMPLES, run / "data-samples.npz")
        if self.sources:
            self._collect_sources(context)
        if self.overlap is not None:
            _copy(context.of(self.overlap) / OVERLAP, run / OVERLAP)

    def _collect_sources(self, context: Context) -> None:
        """Facts and samples of images from elsewhere; real ones by folder are classes."""
        run = context.run
        facts = [runs.read_json(context.of(one) / FACTS) for one in self.sources]
        runs.write_json(run / SOURCE_FACTS, facts)
        with np.load(run / "data-samples.npz", allow_pickle=False) as stored:
            samples: dict[str, Any] = dict(stored)
        classes = [pd.read_parquet(run / CLASSES)]
        for one in self.sources:
            name, images = one.table.source, one.source(0).open(run, context.cache)
            samples[name] = images.pixels(slice(SAMPLED))
            if one.table.label == "real":
                classes.append(images_by_folder(context.of(one), name))
        with runs.atomic_file(run / "data-samples.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **samples)
        with runs.atomic_file(run / CLASSES) as temporary:
            pd.concat(classes, ignore_index=True).to_parquet(temporary, index=False)

    def _collect_quality(self, context: Context) -> None:
        """How good the fakes are after the last epoch, and the classifier that says so."""
        if self.features is None:
            return
        record = _record(context, self.features)
        shown = {key: record[key] for key in ("accuracy_in_distribution", "n")}
        runs.write_json(context.run / "quality-classifier.json", shown)
        features = {"features": OWN, "dimensions": FeatureClassifier.num_features}
        rows = []
        for gan in self.gans:
            epochs = epoch_folder(context.of(gan), gan.config.epochs)
            last = runs.read_json(epochs / runs.RECORD)["history"]
            quality = {"n_real": record["n"], **{key: last[key] for key in QUALITY}}
            rows.append({"gan": gan.config.name, "seed": gan.seed, **features, **quality})
        there = [one for one in self.compared if not gap_in(context.of(one))]
        rows += [_record(context, one)["quality"] for one in there]
        runs.write_json(context.run / "quality.json", rows)

    def _manifest(self, context: Context) -> dict[str, Any]:
        """What was run, where and when, with the digest of every stage."""
        stages = {stage.place: _record(context, stage) for stage in with_needs(self.needs())}
        plugins = self._plugins()
        return {
            **machine.describe(context.device),
            "device": context.device,
            "jobs": context.jobs,
            "threads": context.threads,
            **({"plugins": plugins} if plugins else {}),
            "stages": [
                {"stage": place, "started": stage["started"], "seconds": round(stage["seconds"], 3)}
                for place, stage in sorted(stages.items(), key=lambda item: item[1]["started"])
            ],
            "digests": {
                "experiment": self.experiment.digest(),
                SCORES: runs.file_digest(context.run / SCORES),
                **{place: stage["digest"] for place, stage in sorted(stages.items())},
            },
        }

    def _plugins(self) -> dict[str, str]:
        """The package, with its version, of everything in the study that a plug-in has brought."""
        from gandetect.analyses.registry import ANALYSES

        study = self.experiment
        used: dict[Registry[Any], Container[str]] = {
            ARCHITECTURES: [gan.architecture for gan in study.gans],
            DATA_SETS: [study.data.name],
            DETECTORS: [one.kind for one in study.detectors],
            SOURCES: [one.kind for one in study.sources],
            ANALYSES: ANALYSES,
        }
        return {
            f"{registry.what} {name}": package
            for registry, names in used.items()
            for name, package in registry.plugged_in().items()
            if name in names
        }


def _record(context: Context, stage: Stage) -> Mapping[str, Any]:
    record: Mapping[str, Any] = runs.read_json(context.of(stage) / runs.RECORD)
    return record


def _join(run: Path, name: str, stages: Iterable[Stage], context: Context) -> None:
    """Join the tables of stages; without any there is no such file."""
    folders = [context.of(stage) for stage in stages if gap_in(context.of(stage)) is None]
    tables = [pd.read_parquet(folder / name) for folder in folders]
    if not tables:
        (run / name).unlink(missing_ok=True)
        return
    with runs.atomic_file(run / name) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)


def _copy(source: Path, target: Path) -> None:
    with runs.atomic_file(target) as temporary:
        shutil.copyfile(source, temporary)
