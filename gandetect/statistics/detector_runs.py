"""A detector's training runs side by side: scores by source with images in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.statistics.bootstrap import Statistic, mean_over_both, mean_over_images
from gandetect.statistics.ranking import placements
from gandetect.statistics.scored_detectors import DetectorFacts, ScoredDetector
from gandetect.statistics.scores import TRAINING, Scores, source_keys

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoredImages:
    """Scores of one source in one run, `(N,)`, in the order of the images' indices `(N,)`.

    ``out_of_fold``: how far images that chose the calibrated threshold lie above that of others.
    """

    index: Indices
    scores: Scores
    out_of_fold: Scores | None = None

    def only(self, index: Indices) -> ScoredImages:
        """The images of these sorted indices, which must be among them."""
        places = np.searchsorted(self.index, index)
        apart = None if self.out_of_fold is None else self.out_of_fold[places]
        return ScoredImages(index, self.scores[places], apart)

    def margins(self, thresholds: Mapping[str, float], point: str) -> Scores:
        """How far the images lie above a threshold, `(N,)`, as `ScoredDetector.margins` has it."""
        if point == "calibrated" and self.out_of_fold is not None:
            return self.out_of_fold
        return self.scores - thresholds[point]


@dataclass(frozen=True)
class DetectorRuns:
    """All runs of one detector: thresholds and images by seed.

    ``same_fakes``: the fakes came with their labels, so every run answered the same ones;
    otherwise each run's generator made its own. ``own_training``: each run was trained on a draw
    of its own from the training images.
    """

    detector: str
    own: tuple[str, ...] | None
    thresholds: Mapping[int, Mapping[str, float]]
    images: Mapping[int, Mapping[str, ScoredImages]]
    same_fakes: bool
    own_training: bool = False

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs, sorted."""
        return sorted(self.images)

    def with_source(self, *sources: str) -> list[int]:
        """Seeds whose run was scored on all of these sources."""
        return [seed for seed in self.seeds if all(s in self.images[seed] for s in sources)]

    def shared(self, source: str) -> bool:
        """Whether every run answered the same images of a source."""
        if source == TRAINING and self.own_training:
            return False
        if not (self.same_fakes or source.startswith("real:")):
            return False
        first, *others = (of[source].index for of in self.images.values() if source in of)
        return all(np.array_equal(first, other) for other in others)

    def correct(self, seed: int, source: str, point: str) -> Scores:
        """1 for each image answered correctly and 0 for the others, `(N,)`."""
        called = self.images[seed][source].margins(self.thresholds[seed], point) > 0
        right = called if source.startswith("generated:") else ~called
        return right.astype(np.float64)

    def share_correct(self, seeds: Sequence[int], source: str, point: str) -> Statistic:
        """The share answered correctly in each run."""
        answers = [self.correct(seed, source, point) for seed in seeds]
        return mean_over_images(answers, same_images=self.shared(source))

    def auroc(self, seeds: Sequence[int], generated: str, real: str) -> Statistic:
        """The AUROC in each run, with DeLong's covariance for what the runs share."""
        both = [
            placements(self.images[s][generated].scores, self.images[s][real].scores) for s in seeds
        ]
        of_fakes, of_reals = zip(*both, strict=True)
        return mean_over_both(of_fakes, of_reals, same_fakes=self.same_fakes)


def collect_runs(
    scores: pd.DataFrame,
    subjects: Sequence[ScoredDetector],
    facts: Mapping[str, DetectorFacts],
    same_fakes: bool,
) -> list[DetectorRuns]:
    """Gather the last epoch's rows of `scores.parquet` by detector, seed and source."""
    found = []
    named = scores.assign(source=source_keys(scores), detector=scores["detector"].astype(str))
    tables = {str(name): table for name, table in named.groupby("detector")}
    for name in dict.fromkeys(subject.detector for subject in subjects):
        own = [subject for subject in subjects if subject.detector == name]
        calibrations = {subject.seed: subject.calibration for subject in own}
        images: dict[int, dict[str, ScoredImages]] = {subject.seed: {} for subject in own}
        for _, rows in tables[name].groupby(["detector_seed", "source"]):
            seed, source = rows[["detector_seed", "source"]].iloc[0]
            ordered = rows.sort_values("index", kind="stable")
            cut = calibrations[int(seed)]
            images[int(seed)][str(source)] = ScoredImages(
                ordered["index"].to_numpy(np.int64),
                ordered["score"].to_numpy(np.float64),
                cut.out_of_fold if cut is not None and cut.source == source else None,
            )
        thresholds = {subject.seed: subject.thresholds for subject in own}
        drawn = facts[name]["kind"] == "classifier" and not same_fakes
        found.append(DetectorRuns(name, own[0].own, thresholds, images, same_fakes, drawn))
    return found
