"""Who is evaluated: each trained detector with its scores, its own sources and its thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gandetect.config import Experiment, LabelledDataConfig
from gandetect.errors import DataError
from gandetect.evaluation.operating_points import NATIVE_THRESHOLD, calibrate, youden
from gandetect.evaluation.scores import (
    CALIBRATION,
    GENERATED_VALIDATION,
    NOT_REPORTED,
    VALIDATION,
    Scores,
    by_source,
    ordered,
    role_of,
)

DetectorFacts = Mapping[str, Any]
# What a detector is, in the order of every table: post-hoc ones are made of the others.
KINDS = ("discriminator", "classifier", "post-hoc")


@dataclass(frozen=True)
class Subject:
    """One trained detector with its scores: the last epoch of one seed."""

    detector: str
    seed: int
    epoch: int
    own: tuple[str, ...]
    sources: dict[str, Scores]
    thresholds: dict[str, float]

    @property
    def name(self) -> dict[str, Any]:
        """The keys that every row of `metrics.json` opens with."""
        return {"detector": self.detector, "detector_seed": self.seed}

    def reported(self) -> list[str]:
        """Sources in the order of the tables, without those that chose anything."""
        kept = [name for name in self.sources if name not in NOT_REPORTED]
        return ordered(kept, self.own)

    def role(self, source: str) -> str:
        """What a source is to this detector."""
        return role_of(source, self.own)

    def joined(self, names: Iterable[str]) -> Scores:
        """Scores of all these sources that there are, `(N,)`, sorted."""
        found = [self.sources[name] for name in names if name in self.sources]
        return np.sort(np.concatenate(found)) if found else np.empty(0)


def detectors_of(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """What each detector of an experiment is, and the generated sources that it was trained on."""
    facts: dict[str, dict[str, Any]] = {
        gan.name: discriminator_facts(gan.name) for gan in experiment.discriminators
    }
    for classifier in experiment.classifiers:
        own = [f"generated:{name}" for name in classifier.fakes_from or _classes(experiment)]
        facts[classifier.name] = {"kind": "classifier", "recipe": classifier.recipe, "own": own}
    for detector in experiment.detectors:
        own = [f"generated:{name}" for name in experiment.known_to(detector.name)]
        facts[detector.name] = {"kind": "post-hoc", "recipe": detector.kind, "own": own}
    return facts


def _classes(experiment: Experiment) -> list[str]:
    data = experiment.data
    assert isinstance(data, LabelledDataConfig)
    generated = (name for name, label in data.classes.items() if label == "generated")
    return [name for name in generated if name not in data.held_out]


def discriminator_facts(name: str) -> dict[str, Any]:
    """A detector that nothing more is known of: the discriminator of the GAN of that name."""
    return {"kind": "discriminator", "recipe": None, "own": [f"generated:{name}"]}


def make_subjects(
    scores: pd.DataFrame, facts: Mapping[str, DetectorFacts], calibrated_fpr: float
) -> list[Subject]:
    """Split a table of scores by detector and seed, and choose each one's thresholds.

    Raises `DataError` for a detector that has no facts.
    """
    subjects = []
    names = ["detector", "detector_seed"]
    for _, rows in scores.groupby(names, observed=True):
        sources = by_source(rows)
        detector, seed, epoch = rows[[*names, "epoch"]].iloc[0]
        if str(detector) not in facts:
            raise DataError(
                f"the scores hold a detector {str(detector)!r} that the study does not name "
                f"({', '.join(sorted(facts))}); run the study again to score its own"
            )
        own = tuple(facts[str(detector)]["own"])
        thresholds = thresholds_from(sources, calibrated_fpr)
        subjects.append(Subject(str(detector), int(seed), int(epoch), own, sources, thresholds))
    return subjects


def thresholds_from(sources: Mapping[str, Scores], calibrated_fpr: float) -> dict[str, float]:
    """The operating points that a detector's scores allow, by name; no test group is looked at.

    ``calibrated`` is chosen on calibration reals, or on validation reals where there are no
    others; ``youden`` on validation images of both kinds.
    """
    thresholds = {"native": NATIVE_THRESHOLD}
    reals = calibration_source(sources)
    if reals is not None:
        thresholds["calibrated"] = calibrate(sources[reals], calibrated_fpr)
    if VALIDATION in sources and GENERATED_VALIDATION in sources:
        thresholds["youden"] = youden(sources[GENERATED_VALIDATION], sources[VALIDATION])
    return thresholds


def calibration_source(sources: Mapping[str, Scores]) -> str | None:
    """Which reals the calibrated operating point is chosen on; None when there are none."""
    return next((name for name in (CALIBRATION, VALIDATION) if name in sources), None)
