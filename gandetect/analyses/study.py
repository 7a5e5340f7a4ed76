"""A scored study: the table of scores and what must be known of it to ask anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from gandetect.statistics.calibrated import CalibrationRule
from gandetect.statistics.cost_model import EXAMPLE_COSTS, CostModel
from gandetect.statistics.detector_runs import DetectorRuns, collect_runs
from gandetect.statistics.scored_detectors import (
    DetectorFacts,
    ScoredDetector,
    discriminator_facts,
    split_by_detector,
)
from gandetect.statistics.scores import SameFakes, latest


@dataclass(frozen=True)
class ScoredStudy:
    """What analyses compute their numbers from.

    Args:
        scores: one row an image and detector; columns as in `scores.COLUMNS`.
        rule: what the calibrated operating point has to promise.
        known: what each detector is, as `report.facts` says; by default a discriminator whose own
            source bears its name.
        same_fakes: the sources of which all seeds answered the same fakes, or True for all, as in
            a labelled study; of others each seed's generators made their own.
        cost_model: what misses and false alarms cost.
        quality: how good each generator is (FID, KID, …).
        classes: of real images that are tested or calibrated on: source, index, class_name.
        groups: of real images that belong together, such as photographs of one camera: source,
            index, group. Where thresholds are cross-fitted no fold tears them apart.
        trajectory: scores of every kept epoch, where they were made.
        perturbed: scores of processed images, where they were made.
        audit: rows of the audit of images by trivial probes.
        audit_checks: rows of what their sets are like: copies and order.
        overlap: which test images also stand in another split.
        image_statistics: what is kept of each source's pixels, arrays by `<source>@<seed>/<name>`.
        saliency: occlusion maps of each detector and seed, arrays by `<source>/<name>`.
    """

    scores: pd.DataFrame
    rule: CalibrationRule
    known: Mapping[str, DetectorFacts] | None = None
    same_fakes: SameFakes = False
    cost_model: CostModel = EXAMPLE_COSTS
    quality: Sequence[Mapping[str, Any]] = ()
    classes: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    trajectory: pd.DataFrame | None = None
    perturbed: pd.DataFrame | None = None
    audit: Sequence[Mapping[str, Any]] = ()
    audit_checks: Sequence[Mapping[str, Any]] = ()
    overlap: Mapping[str, Any] = field(default_factory=dict)
    image_statistics: Mapping[str, Any] = field(default_factory=dict)
    saliency: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def last(self) -> pd.DataFrame:
        """Scores of each detector's last epoch."""
        return latest(self.scores)

    @cached_property
    def facts(self) -> Mapping[str, DetectorFacts]:
        """What each scored detector is, by name."""
        names = sorted(map(str, self.scores["detector"].unique()))
        if self.known is None:
            return {name: discriminator_facts(name) for name in names}
        return {name: self.known[name] for name in names if name in self.known}

    @cached_property
    def subjects(self) -> list[ScoredDetector]:
        """Each trained detector with its scores and thresholds; `DataError` for an unknown one."""
        return split_by_detector(self.last, self.facts, self.rule, self.classes, self.groups)

    @cached_property
    def runs(self) -> dict[str, DetectorRuns]:
        """Each detector's runs side by side."""
        collected = collect_runs(self.last, self.subjects, self.facts, self.same_fakes)
        return {one.detector: one for one in collected}

    @property
    def own(self) -> dict[str, list[str]]:
        """The generated sources that each detector was trained on."""
        return {name: list(fact["own"] or ()) for name, fact in self.facts.items()}

    @property
    def thresholds(self) -> dict[tuple[str, int], dict[str, float]]:
        """Operating points of each detector and seed."""
        return {(one.detector, one.seed): one.thresholds for one in self.subjects}
