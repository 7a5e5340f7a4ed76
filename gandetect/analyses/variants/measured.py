"""Each detector of a variant: its runs, and its figures by measure and source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gandetect.analyses.side_by_side import figures
from gandetect.config import Experiment
from gandetect.config.variants import base_of
from gandetect.report.facts import same_fakes_of
from gandetect.statistics.bootstrap import with_interval
from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.detector_runs import DetectorRuns, collect_runs
from gandetect.statistics.intervals import wilson
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    split_by_detector,
)
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION, Metrics, latest

# Shares correct at an operating point, and AUROC against a group of reals.
MEASURES = {
    "correct": {"operating_point": "calibrated", "real_source": None},
    "correct-strict": {"operating_point": "strict", "real_source": None},
    "correct-native": {"operating_point": "native", "real_source": None},
    "auroc-in-distribution": {"operating_point": None, "real_source": IN_DISTRIBUTION},
    "auroc-held-out": {"operating_point": None, "real_source": HELD_OUT},
}
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
    """A detector of a variant: its runs, the generators that it knows, its figures over runs."""

    variant: str
    experiment: Experiment
    runs: DetectorRuns
    known: tuple[str, ...]
    base: str | None  # the GAN that it is a variant of or made of
    figures: Sequence[Row]  # those of `side_by_side.figures`, and shares at the strict threshold

    @property
    def detector(self) -> str:
        """Its name, which other variants may have, too."""
        return self.runs.detector

    def same_images(self, source: str, other: Measured) -> bool:
        """Whether the images of a source with the same index are the same for both."""
        return self._origin(source) == other._origin(source)

    def _origin(self, source: str) -> object:
        name = source.partition(":")[2]
        made = [gan.training_identity() for gan in self.experiment.gans if gan.name == name]
        made += [one.model_dump() for one in self.experiment.sources if one.name == name]
        return self.experiment.data.model_dump(mode="json"), made


def measure(part: Part, bases: Sequence[str] = ()) -> list[Measured]:
    """The detectors of a study by name, with a further threshold: the strict one.

    ``bases`` are the GANs that a detector may be a variant of.
    """
    rule = CalibrationRule.of(part.experiment.evaluation)
    facts = {row["detector"]: row for row in part.metrics["detectors"]}
    last = latest(part.scores)
    stricter = CalibrationRule(min(STRICT, rule.fpr))
    subjects = [_strictly(one, stricter) for one in split_by_detector(last, facts, rule)]
    same_fakes = same_fakes_of(part.experiment)
    stored = list(figures(part.metrics))
    detectors = []
    for runs in collect_runs(last, subjects, facts, same_fakes):
        known = tuple(source.partition(":")[2] for source in facts[runs.detector]["own"])
        rows = [*chosen(stored, detector=runs.detector), *_strict_figures(runs)]
        about = part.name, part.experiment, runs, known, base_of(known, bases)
        detectors.append(Measured(*about, rows))
    return sorted(detectors, key=lambda one: one.detector)


def _strictly(subject: ScoredDetector, rule: CalibrationRule) -> ScoredDetector:
    reals = calibration_source(subject.sources)
    cut = None if reals is None else rule.choose(subject.sources[reals]).threshold
    if cut is None:
        return subject
    return replace(subject, thresholds={**subject.thresholds, "strict": cut})


def _strict_figures(runs: DetectorRuns) -> Iterator[dict[str, Any]]:
    """Shares correct at the strict threshold, which `metrics.json` does not hold."""
    point = MEASURES["correct-strict"]
    strict = [seed for seed in runs.seeds if "strict" in runs.thresholds[seed]]
    for source in sorted({source for seed in strict for source in runs.images[seed]}):
        seeds = [seed for seed in strict if source in runs.images[seed]]
        share = runs.share_correct(seeds, source, "strict")
        values, n = list(share), len(runs.images[seeds[0]][source].scores)
        interval = with_interval(share, wilson(round(values[0] * n), n))
        about = {"source": source, "seeds": seeds, **point}
        yield {**about, "values": values, "mean": share.mean, **interval}
