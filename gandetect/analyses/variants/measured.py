"""Each detector of a variant: its runs, and its figures by measure and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.statistics.bootstrap import over_runs
from gandetect.statistics.detector_runs import DetectorRuns, collect_runs
from gandetect.statistics.intervals import wilson
from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    split_by_detector,
)
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION, Metrics, latest

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]
# Shares correct at an operating point, and AUROC against a group of reals.
POINTS = {"correct": "calibrated", "correct-strict": "strict", "correct-native": "native"}
AGAINST = {"auroc-in-distribution": IN_DISTRIBUTION, "auroc-held-out": HELD_OUT}
# Where 95 of 100 in-distribution reals are to be accepted too, a threshold that lets just as many
# pass would make that a toss-up: this leaves a point of margin. It is chosen on calibration reals.
STRICT = 0.04


@dataclass(frozen=True)
class Part:
    """One variant's study: its name, its experiment, its `metrics.json`, and its scores."""

    name: str
    experiment: Experiment
    metrics: Metrics
    scores: pd.DataFrame


@dataclass(frozen=True)
class Measured:
    """A detector of a variant: its runs, the generators that it knows, and its rows over runs."""

    variant: str
    experiment: Experiment
    runs: DetectorRuns
    known: tuple[str, ...]
    cells: Sequence[Row]
    pairs: Sequence[Row]

    @property
    def detector(self) -> str:
        """Its name, which other variants may have, too."""
        return self.runs.detector

    def images(self, source: str) -> object:
        """What the images of a source come from: equal for equal images of equal index."""
        name = source.partition(":")[2]
        gans = (gan.training_identity() for gan in self.experiment.gans if gan.name == name)
        return self.experiment.data.model_dump(mode="json"), next(gans, None)

    def figures(self, measure: str) -> Iterator[dict[str, Any]]:
        """Figures by one measure, a row for each source: every run's, mean, and interval."""
        if measure == "correct-strict":
            yield from _strict_figures(self.runs)
        elif measure in POINTS:
            for row in self.cells:
                if row["operating_point"] == POINTS[measure]:
                    kept = {key: row[key] for key in ("source", "seeds", "mean", "ci95", "covers")}
                    yield {**kept, "values": row["correct"]}
        else:
            for row in self.pairs:
                if row["real"] == AGAINST[measure]:
                    yield {
                        "source": row["generated"],
                        "seeds": row["seeds"],
                        "values": row["auroc"],
                        "mean": row["mean_auroc"],
                        "ci95": row["ci95"]["auroc"],
                        "covers": row["covers"]["auroc"],
                    }


def measure(part: Part) -> list[Measured]:
    """The detectors of a study by name, with a further threshold: the strict one."""
    fpr = part.experiment.evaluation.calibrated_fpr
    facts = {row["detector"]: row for row in part.metrics["detectors"]}
    last = latest(part.scores)
    subjects = [_strictly(one, min(STRICT, fpr)) for one in split_by_detector(last, facts, fpr)]
    labelled = isinstance(part.experiment.data, LabelledDataConfig)
    found = {one.detector: one for one in collect_runs(last, subjects, facts, labelled)}
    return [
        Measured(
            part.name,
            part.experiment,
            found[name],
            tuple(source.partition(":")[2] for source in facts[name]["own"]),
            [row for row in part.metrics["across_seeds"] if row["detector"] == name],
            [row for row in part.metrics["pairs_across_seeds"] if row["detector"] == name],
        )
        for name in sorted(found)
    ]


def _strictly(subject: ScoredDetector, fpr: float) -> ScoredDetector:
    reals = calibration_source(subject.sources)
    if reals is None:
        return subject
    strict = calibrate(subject.sources[reals], fpr)
    return replace(subject, thresholds={**subject.thresholds, "strict": strict})


def _strict_figures(runs: DetectorRuns) -> Iterator[dict[str, Any]]:
    """Shares correct at the strict threshold, which `metrics.json` does not hold."""
    point = POINTS["correct-strict"]
    seeds = [seed for seed in runs.seeds if point in runs.thresholds[seed]]
    for source in sorted({source for seed in seeds for source in runs.images[seed]}):
        having = [seed for seed in seeds if source in runs.images[seed]]
        found = runs.share_correct(having, source, point)
        right = [*map(float, found.values)]
        n = len(runs.images[having[0]][source].scores)
        alone = len(having) == 1
        yield {
            "source": source,
            "seeds": having,
            "values": right,
            "mean": found.mean,
            "ci95": wilson(round(right[0] * n), n) if alone
            else over_runs(found.values, found.image_covariance),
            "covers": "images" if alone else "runs and images",
        }  # fmt: skip
