"""A detector's training runs side by side: scores by source with images in the same order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.statistics.bootstrap import Array, Statistic, mean_over_both, mean_over_images
from gandetect.statistics.ranking import placements
from gandetect.statistics.redrawn import ImageSet, best_cuts, order_statistics, share_above
from gandetect.statistics.resampling import Sample, Tail, ranking_draws, tail_of
from gandetect.statistics.scored_detectors import (
    DetectorFacts,
    ScoredDetector,
    calibration_source,
)
from gandetect.statistics.scores import (
    GENERATED_VALIDATION,
    IN_DISTRIBUTION,
    NOT_REPORTED,
    TRAINING,
    VALIDATION,
    SameFakes,
    Scores,
    same_images,
    source_keys,
)

Indices = npt.NDArray[np.int64]
Made = TypeVar("Made")


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

    ``same_fakes``: fakes that came with the data, so every run answered the same ones;
    of others each run's generator made its own. ``own_training``: each run was trained on a draw
    of its own from the training images.
    """

    detector: str
    own: tuple[str, ...] | None
    thresholds: Mapping[int, Mapping[str, float]]
    images: Mapping[int, Mapping[str, ScoredImages]]
    same_fakes: SameFakes
    own_training: bool = False
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

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
        if not same_images(source, self.same_fakes):
            return False
        first, *others = (of[source].index for of in self.images.values() if source in of)
        return all(np.array_equal(first, other) for other in others)

    def correct(self, seed: int, source: str, point: str) -> Scores:
        """1 for each image answered correctly and 0 for the others, `(N,)`."""
        called = self.images[seed][source].margins(self.thresholds[seed], point) > 0
        right = called if source.startswith("generated:") else ~called
        return right.astype(np.float64)

    def whole_points(self, seed: int) -> list[str]:
        """Operating points of a run with one threshold for all images, none cross-fitted."""
        apart = any(one.out_of_fold is not None for one in self.images[seed].values())
        return [one for one in self.thresholds[seed] if one != "calibrated" or not apart]

    def share_correct(self, seeds: Sequence[int], source: str, point: str) -> Statistic:
        """The share answered correctly in each run."""
        scores = {seed: self.judged(seed, source, point) for seed in seeds}
        generated = source.startswith("generated:")
        return self.answered(scores, point, generated=generated, same_images=self.shared(source))

    def judged(self, seed: int, source: str, point: str) -> Scores:
        """Scores as they lie to a threshold: those that chose it as they lie to that of others."""
        cuts = self.thresholds[seed]
        return self.images[seed][source].margins(cuts, point) + cuts[point]

    def answered(
        self, scores: Mapping[int, Scores], point: str, *, generated: bool, same_images: bool
    ) -> Statistic:
        """The share answered correctly of any images: scores `(N,)` by seed, of one kind."""
        right = [(of_run > self.thresholds[seed][point]) == generated
                 for seed, of_run in scores.items()]  # fmt: skip
        found = mean_over_images([one.astype(float) for one in right], same_images=same_images)
        of_cuts = self.recalibrated(list(scores), point, list(scores.values()))
        if of_cuts is None or generated:
            return replace(found, calibration=of_cuts)
        return replace(found, calibration=1 - of_cuts)

    def recalibrated(
        self, seeds: Sequence[int], point: str, scores: Sequence[Scores]
    ) -> Array | None:
        """The share above a point that other calibration images would choose, `(S, DRAWS)`.

        Of each run's ``scores``. None where no images chose the point.
        """
        cuts = [self.cuts(seed, point) for seed in seeds]
        known = [one for one in cuts if one is not None]
        if len(known) < len(cuts):
            return None
        return np.stack([share_above(*pair) for pair in zip(known, scores, strict=True)])

    def cuts(self, seed: int, point: str) -> Scores | None:
        """The thresholds that other calibration images would give, `(DRAWS,)`.

        Images that runs share are the same in each draw. None of a point that no images chose.
        """
        if point == "native":  # though a calibration score may be 0, too
            return None
        images = self.images[seed]
        if point != "youden":
            return self.cuts_like(seed, self.thresholds[seed][point])
        if not {VALIDATION, GENERATED_VALIDATION} <= set(images):
            return None
        return self.best_cuts(seed, (GENERATED_VALIDATION, VALIDATION))

    def best_cuts(
        self, seed: int, chosen_on: tuple[str, str], weights: tuple[float, float] = (1.0, 1.0)
    ) -> Scores:
        """The same of the best cut between fakes and reals of two sources."""
        fakes, reals = (self.sample(seed, name) for name in chosen_on)
        key = "best", seed, chosen_on, weights
        return self._once(key, lambda: best_cuts(fakes, reals, weights))

    def cuts_like(self, seed: int, cut: float) -> Scores | None:
        """The same of a threshold that is one of the calibration scores; None of others."""
        images = self.images[seed]
        chosen_on = calibration_source(images) or IN_DISTRIBUTION
        if chosen_on not in images or cut not in (scores := images[chosen_on].scores):
            return None
        pool = [name for name in dict.fromkeys((chosen_on, IN_DISTRIBUTION)) if name in images]
        # Calibration images alone are drawn: test images lend their scores, but no chance.
        run = None if self.shared(chosen_on) else seed
        samples = [(replace(self.sample(seed, name)[0], run=run), images[name].scores)
                   for name in pool]  # fmt: skip
        return self._once(("cut", seed, cut), lambda: order_statistics(scores, cut, samples))

    def ranking_draws(self, seed: int, generated: str, real: str) -> dict[str, Array]:
        """The figures of `resampling.ranking_draws` on redrawn test images, by name."""
        both = (self.tail(seed, name) for name in (generated, real))
        return self._once(("ranking", seed, generated, real), lambda: ranking_draws(*both))

    def tail(self, seed: int, source: str) -> Tail:
        """How many redrawn images of a source lie above a score."""
        return self._once(("tail", seed, source), lambda: tail_of(self.sample(seed, source)))

    def pooled(self, seed: int, chosen_on: str) -> Tail:
        """The same of as many images as chose something, drawn from them and test images like them.

        A few images know nothing of the rare scores that other such images would hold.
        """
        known = (self.own or ()) if chosen_on.startswith("generated:") else (IN_DISTRIBUTION,)
        there = [name for name in (chosen_on, *known) if name in self.images[seed]]
        samples = [self.sample(seed, name) for name in there]
        index = b"".join(images.index for images, _ in samples)
        pool = replace(samples[0][0], index=index, drawn=len(samples[0][1]))
        return tail_of((pool, np.concatenate([scores for _, scores in samples])))

    def own_fakes(self, seed: int) -> list[str]:
        """Its own generated sources in a run; all of them where nobody has said which it knows."""
        if self.own is not None:
            return [name for name in self.own if name in self.images[seed]]
        return [name for name in self.images[seed]
                if name.startswith("generated:") and name not in NOT_REPORTED]  # fmt: skip

    def sample(self, seed: int, source: str) -> Sample:
        """Which images of a source a run answered, and their scores."""
        one = self.images[seed][source]
        run = None if self.shared(source) else seed
        return ImageSet(source, one.index.tobytes(), run), one.scores

    def _once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make()
        return cast(Made, self._kept[key])

    def auroc(self, seeds: Sequence[int], generated: str, real: str) -> Statistic:
        """The AUROC in each run, with DeLong's covariance for what the runs share."""
        both = [
            placements(self.images[s][generated].scores, self.images[s][real].scores) for s in seeds
        ]
        of_fakes, of_reals = zip(*both, strict=True)
        return mean_over_both(of_fakes, of_reals, same_fakes=self.shared(generated))


def alone(subject: ScoredDetector) -> DetectorRuns:
    """One run by itself: which images it answered does not matter then."""
    images = {name: ScoredImages(np.arange(len(scores)), scores)
              for name, scores in subject.sources.items()}  # fmt: skip
    thresholds, images_of = {subject.seed: subject.thresholds}, {subject.seed: images}
    return DetectorRuns(subject.detector, subject.own, thresholds, images_of, False)


def collect_runs(
    scores: pd.DataFrame,
    subjects: Sequence[ScoredDetector],
    facts: Mapping[str, DetectorFacts],
    same_fakes: SameFakes,
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
        drawn = facts[name]["kind"] == "classifier" and same_fakes is not True
        found.append(DetectorRuns(name, own[0].own, thresholds, images, same_fakes, drawn))
    return found
