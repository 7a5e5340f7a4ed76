"""Who is evaluated: each trained detector with its scores, its own sources and its thresholds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gandetect.errors import DataError
from gandetect.statistics.calibrated import CalibratedCut, CalibrationRule, calibrated
from gandetect.statistics.operating_points import NATIVE_THRESHOLD, youden
from gandetect.statistics.scores import (
    CALIBRATION,
    GENERATED_CALIBRATION,
    GENERATED_VALIDATION,
    HELD_OUT,
    IN_DISTRIBUTION,
    NOT_REPORTED,
    VALIDATION,
    Scores,
    by_source,
    ordered,
    role_of,
)

DetectorFacts = Mapping[str, Any]
FEWEST = 20  # a source with fewer images says too little to be evaluated on
# What a detector is, in the order of every table: post-hoc ones are made of those before them,
# external ones were made elsewhere, and of those of a table of scores nothing is known.
KINDS = ("discriminator", "classifier", "post-hoc", "external", "detector")


@dataclass(frozen=True)
class ScoredDetector:
    """One trained detector with its scores: the last epoch of one seed."""

    detector: str
    seed: int
    epoch: int
    own: tuple[str, ...] | None  # the generated sources that it was trained on, if known
    sources: dict[str, Scores]
    thresholds: dict[str, float]
    calibration: CalibratedCut | None = field(default=None, kw_only=True)

    @property
    def name(self) -> dict[str, Any]:
        """The keys that every row of `metrics.json` opens with."""
        return {"detector": self.detector, "detector_seed": self.seed}

    def pair(self, generated: str, real: str) -> dict[str, Any]:
        """The same of rows on a generated and a real source."""
        role = self.role(generated)
        return {**self.name, "generated": generated, "real": real, "role": role}

    def margins(self, names: Iterable[str], point: str) -> Scores:
        """How far images lie above their threshold, `(N,)`: generated is what is above 0.

        Of all these sources that there are. Nothing else says which images are flagged: reals that
        chose the calibrated threshold are judged out of fold, by those of others.
        """
        there = [name for name in names if name in self.sources]
        return np.concatenate([np.empty(0), *(self._margins(name, point) for name in there)])

    def _margins(self, name: str, point: str) -> Scores:
        of, cut = self.calibration, self.thresholds[point]
        if of is None or of.out_of_fold is None or (of.source, "calibrated") != (name, point):
            return self.sources[name] - cut
        return of.out_of_fold

    def reported(self) -> list[str]:
        """Sources in the order of the tables, without those that chose anything."""
        return ordered((name for name in self.sources if name not in NOT_REPORTED), self.own)

    @property
    def own_fakes(self) -> list[str]:
        """Its own generated sources; all of them where nobody has said which it knows."""
        if self.own is not None:
            return list(self.own)
        return [name for name in self.reported() if name.startswith("generated:")]

    def role(self, source: str) -> str:
        """What a source is to this detector."""
        return role_of(source, self.own)

    def joined(self, names: Iterable[str]) -> Scores:
        """Scores of all these sources that there are, `(N,)`, sorted."""
        there = (self.sources[name] for name in names if name in self.sources)
        return np.sort(np.concatenate([np.empty(0), *there]))


def discriminator_facts(name: str) -> dict[str, Any]:
    """A detector that nothing more is known of: the discriminator of the GAN of that name."""
    return {"kind": "discriminator", "recipe": None, "own": [f"generated:{name}"]}


def split_by_detector(
    scores: pd.DataFrame,
    facts: Mapping[str, DetectorFacts],
    rule: CalibrationRule,
    classes: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
) -> list[ScoredDetector]:
    """Split a table of scores by detector and seed, and choose each one's thresholds.

    ``classes`` and ``groups`` of the reals are those of `calibrated`. Raises `DataError` for a
    detector that has no facts.
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
        known = facts[str(detector)]["own"]
        own = None if known is None else tuple(known)
        cut = calibrated(rows[rows["label"] == "real"], rule, classes, groups)
        about = str(detector), int(seed), int(epoch), own, sources
        subjects.append(ScoredDetector(*about, thresholds_from(sources, cut), calibration=cut))
    return subjects


def thresholds_from(sources: Mapping[str, Scores], cut: CalibratedCut | None) -> dict[str, float]:
    """The operating points that a detector's scores allow, by name; no fake of a test is looked at.

    ``calibrated`` is that ``cut``, if there is one; ``youden`` is chosen on validation images of
    both kinds.
    """
    thresholds = {"native": NATIVE_THRESHOLD}
    if cut is not None and cut.threshold is not None:
        thresholds["calibrated"] = cut.threshold
    if VALIDATION in sources and GENERATED_VALIDATION in sources:
        thresholds["youden"] = youden(sources[GENERATED_VALIDATION], sources[VALIDATION])
    return thresholds


def calibration_source(sources: Collection[str]) -> str | None:
    """Which reals apart from all test groups thresholds are chosen on; None without any."""
    return next((name for name in (CALIBRATION, VALIDATION) if name in sources), None)


def fitted_on(subject: ScoredDetector) -> tuple[str, str] | None:
    """The fakes and reals that anything is fitted on after training; None where one is missing."""
    for pair in ((GENERATED_CALIBRATION, CALIBRATION), (GENERATED_VALIDATION, VALIDATION)):
        if all(name in subject.sources for name in pair):
            return pair
    return None


def judged_pairs(
    subject: ScoredDetector, held_out_for: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Generated and real test groups to judge by; held-out reals only for the roles named.

    Beside them a sentence for each group with fewer than 20 images.
    """
    usable, gaps = large_groups(subject)
    pairs = [
        (fake, real)
        for fake in usable
        if fake.startswith("generated:")
        for real in (IN_DISTRIBUTION, HELD_OUT)
        if real in usable and (real == IN_DISTRIBUTION or subject.role(fake) in held_out_for)
    ]
    if not pairs:
        gaps.append(f"{called(subject)}: no generated and real test groups to judge by")
    return pairs, gaps


def large_groups(subject: ScoredDetector) -> tuple[list[str], list[str]]:
    """Test groups that are large enough to judge by, and a sentence for each that is not."""
    names = [name for name in subject.reported() if subject.role(name) != "training"]
    small = {name: n for name in names if (n := len(subject.sources[name])) < FEWEST}
    gaps = [f"{called(subject)}: {name} has {n} images, fewer than {FEWEST}"
            for name, n in small.items()]  # fmt: skip
    return [name for name in names if name not in small], gaps


def called(subject: ScoredDetector) -> str:
    """A detector and its seed, as sentences about gaps open."""
    return f"{subject.detector}, seed {subject.seed}"


def unfit(subject: ScoredDetector) -> str:
    """Why nothing can be fitted for a detector after its training; empty when it can."""
    names = fitted_on(subject)
    if names is None:
        missing = [n for n in (GENERATED_CALIBRATION, CALIBRATION) if n not in subject.sources]
        return f"no images of {' or '.join(missing)} were scored, nor a validation split of both"
    sides = [subject.sources[name] for name in names]
    for name, scores in zip(names, sides, strict=True):
        if len(scores) < FEWEST:
            return f"{name} has {len(scores)} images, fewer than {FEWEST}"
    everything = np.concatenate(sides)
    return "all its calibration scores are equal" if np.ptp(everything) == 0.0 else ""
