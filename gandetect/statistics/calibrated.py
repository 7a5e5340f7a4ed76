"""The calibrated threshold of a detector: one for all reals, one for every class, or cross-fitted.

What it promises holds for new reals that are drawn like those that chose it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold

from gandetect.config.experiment import EvaluationConfig
from gandetect.errors import DataError
from gandetect.randomness import stream
from gandetect.statistics.operating_points import (
    calibrate,
    conformal_rank,
    flagged_at_most,
    least_images,
)
from gandetect.statistics.scores import CALIBRATION, IN_DISTRIBUTION, VALIDATION, Scores

Rows: TypeAlias = npt.NDArray[np.int64]
FOLDS = 5


@dataclass(frozen=True)
class CalibratedCut:
    """A threshold that calibration reals have chosen; None, and why, where they are too few.

    ``rank``: it is that smallest of ``n`` scores. ``expected_flagged``: the share of new reals that
    is expected above it. ``flagged_at_most``: the share that, with 95 % confidence over draws of
    calibration reals, lies above it. A threshold for all classes has those of the class that may
    pay most, and ``classes`` by name what each would have for itself. ``out_of_fold``: how far the
    reals that chose it, in the order of their indices, lie above the one of other folds, `(N,)`.
    """

    threshold: float | None
    n: int
    rank: int | None = None
    expected_flagged: float | None = None
    flagged_at_most: float | None = None
    why_not: str = ""
    source: str = CALIBRATION
    classes: dict[str, CalibratedCut] = field(default_factory=dict)
    out_of_fold: Scores | None = None

    @property
    def cross_fitted(self) -> bool:
        """Whether test reals chose it."""
        return self.out_of_fold is not None

    @property
    def facts(self) -> dict[str, Any]:
        """What chose it and what it promises, for `metrics.json` and `detector.json`."""
        known = {
            "calibrated_on": self.source,
            "n_calibration": self.n,
            "rank": self.rank,
            "expected_flagged": self.expected_flagged,
            "flagged_at_most": self.flagged_at_most,
            "cross_fitted": self.cross_fitted or None,
            "of_each_class": bool(self.classes) or None,
        }
        return {key: value for key, value in known.items() if value is not None}


@dataclass(frozen=True)
class CalibrationRule:
    """What a calibrated threshold has to promise.

    A new real is flagged with probability ``fpr`` at most. With ``confidence`` it is that sure that
    at most a share ``fpr`` of all new reals is flagged. ``by_class`` promises it to every class.
    Raises `UsageError` for a share that is not between 0 and 1.
    """

    fpr: float = 0.05
    confidence: float | None = None
    by_class: bool = False

    def __post_init__(self) -> None:
        least_images(self.fpr, self.confidence)  # refuses what is no share

    @classmethod
    def of(cls, evaluation: EvaluationConfig) -> CalibrationRule:
        """The rule that an experiment asks for."""
        by_class = evaluation.calibrated_by == "class"
        return cls(evaluation.calibrated_fpr, evaluation.calibrated_confidence, by_class)

    def choose(
        self, scores: Scores, names: Sequence[str] | None = None, promised: Collection[str] = ()
    ) -> CalibratedCut:
        """The threshold that calibration reals `(N,)` give.

        By class it is the largest of the classes' thresholds (Mondrian: Vovk, Gammerman and Shafer,
        2005, section 4.5), and there only if each class has one: those of the reals by ``names``
        `(N,)`, and all that are ``promised`` it.
        """
        if not self.by_class:
            return self._of_all(scores)
        if names is None:
            return CalibratedCut(None, len(scores), why_not="the classes of its reals are unknown")
        classes = self.of_classes(scores, names, promised)
        few = [f"class {name!r} has {cut.n:,}" for name, cut in classes.items() if not cut.rank]
        if few or not classes:
            why = f"{self.needs()} of each class, and {', '.join(few) or 'there are none'}"
            return CalibratedCut(None, len(scores), why_not=why, classes=classes)
        return CalibratedCut(
            max(cut.threshold or 0.0 for cut in classes.values()),
            len(scores),
            expected_flagged=max(cut.expected_flagged or 0.0 for cut in classes.values()),
            flagged_at_most=max(cut.flagged_at_most or 0.0 for cut in classes.values()),
            classes=classes,
        )

    def of_classes(
        self, scores: Scores, names: Sequence[str], promised: Collection[str] = ()
    ) -> dict[str, CalibratedCut]:
        """The threshold that each class would have for itself, by name."""
        of = np.asarray(names, dtype=str)
        every = sorted({*of.tolist(), *promised})
        return {name: self._of_all(scores[of == name]) for name in every}

    def needs(self) -> str:
        """How many calibration reals it takes, as a sentence opens."""
        sure = f", with {100 * self.confidence:g} % confidence," if self.confidence else ""
        flags = f"a threshold that{sure} flags at most {100 * self.fpr:g} % of new reals"
        least = least_images(self.fpr, self.confidence)
        return f"{flags} takes at least {least:,} calibration reals"

    def _of_all(self, scores: Scores) -> CalibratedCut:
        n = len(scores)
        rank = conformal_rank(n, self.fpr, self.confidence)
        if rank is None:
            return CalibratedCut(None, n, why_not=f"{self.needs()}, and there are {n:,}")
        cut = calibrate(scores, self.fpr, self.confidence)
        return CalibratedCut(cut, n, rank, (n + 1 - rank) / (n + 1), flagged_at_most(n, rank))


def calibrated(
    reals: pd.DataFrame,
    rule: CalibrationRule,
    classes: pd.DataFrame | None = None,
    groups: pd.DataFrame | None = None,
) -> CalibratedCut | None:
    """Choose the calibrated threshold of one detector; None where it has scored no reals for it.

    On calibration reals, or on validation reals where there are no others. Without either it is
    `cross_fitted` on the in-distribution test reals.

    Args:
        reals: its scores of reals at one epoch; columns source, index and score.
        classes: the class of every real image; columns source, index and class_name.
        groups: images that no fold may tear apart; columns source, index and group.
    """
    source = chosen_on(reals["source"].unique())
    if source is None:
        return None
    of = reals[reals["source"] == source].sort_values("index", kind="stable")
    scores = of["score"].to_numpy(np.float64)
    names, promised = None, set()
    if rule.by_class and classes is not None:
        names = labels_of(of, classes, "class_name")
        tested = classes[classes["source"] == IN_DISTRIBUTION]
        promised = set(tested["class_name"].unique())
    if source != IN_DISTRIBUTION:
        return replace(rule.choose(scores, names, promised), source=source)
    apart = None if groups is None else labels_of(of, groups, "group")
    return replace(cross_fitted(scores, rule, apart, names, promised), source=source)


def chosen_on(sources: Collection[str]) -> str | None:
    """The reals, of those that are scored, that calibrated thresholds are chosen on."""
    return next((s for s in (CALIBRATION, VALIDATION, IN_DISTRIBUTION) if s in sources), None)


def cross_fitted(
    scores: Scores,
    rule: CalibrationRule,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    promised: Collection[str] = (),
) -> CalibratedCut:
    """The threshold that reals `(N,)` choose, while they themselves are judged by those of others.

    Fakes and other reals are judged by the threshold, in which they have no part. The reals are
    parted into `FOLDS` at random, whole ``groups`` `(N,)` together (by default each image is one),
    and those of a fold are judged by the threshold that the other folds choose (cross-conformal:
    Vovk, Annals of Mathematics and Artificial Intelligence 74, 2015). The threshold is there only
    where all folds have one. ``names`` and ``promised`` are those of `CalibrationRule.choose`.
    """
    of = None if names is None else np.asarray(names, dtype=str)
    of_all = rule.choose(scores, names, promised)
    if of_all.threshold is None:
        return of_all
    out_of_fold = np.full(len(scores), np.nan)
    for rest, fold in _folds(len(scores), groups):
        cut = rule.choose(scores[rest], None if of is None else of[rest].tolist(), promised)
        if cut.threshold is None:
            why = f"beside the fold that they judge {cut.why_not}"
            return replace(of_all, threshold=None, why_not=why)
        out_of_fold[fold] = scores[fold] - cut.threshold
    if np.isnan(out_of_fold).any():
        why = "all its reals are of one group, so that none are left to judge them by"
        return replace(of_all, threshold=None, why_not=why)
    return replace(of_all, out_of_fold=out_of_fold)


def labels_of(images: pd.DataFrame, table: pd.DataFrame, column: str) -> list[str]:
    """The label of each image of one source in a table of labels, in the order of the images.

    Raises `DataError` for an image that the table does not hold.
    """
    source = str(images["source"].iloc[0])
    named = table[table["source"] == source].set_index("index")[column]
    missing = images.loc[~images["index"].isin(named.index), "index"]
    if len(missing):
        raise DataError(
            f"{len(missing)} of {len(images)} images of {source!r} have no {column}; the first is "
            f"image {missing.iloc[0]}; run the study again to write classes.parquet"
        )
    return [str(label) for label in named.loc[images["index"]]]


def _folds(n: int, groups: Sequence[str] | None) -> Iterator[tuple[Rows, Rows]]:
    """Rows that choose, and rows that are judged; none where all are of one group."""
    _, apart = np.unique(np.arange(n) if groups is None else groups, return_inverse=True)
    several = int(apart.max(initial=0)) + 1
    if several > 1:
        # In a random order: of equally large groups the splitter takes them as they are numbered.
        apart = stream(0, "folds").permutation(several)[apart]
        yield from GroupKFold(min(FOLDS, several)).split(apart, groups=apart)
