"""Every analysis, by the name of its folder. Within a part of the report this is the order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from gandetect.analyses.analysis import Analysis
from gandetect.analyses.study import ScoredStudy
from gandetect.registry import Registry
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics

# Each folder's `words.py` holds its `ANALYSIS`.
NAMES = (
    "tables",
    "summary",
    "cross_evaluation",
    "thresholds",
    "costs",
    "generators",
    "extreme_scores",
    "image_statistics",
    "saliency",
    "comparisons",
    "trajectories",
    "audit",
    "robustness",
    "neighbours",
    "data",
    "training_gap",
    "holds",
    "by_class",
    "ranking",
    "calibration",
    "k_shot",
    "reference_study",
    "classifiers",
    "timing",
    "provenance",
)


ANALYSES: Registry[Analysis] = Registry(
    "analysis",
    {name: f"gandetect.analyses.{name}.words:ANALYSIS" for name in NAMES},
    "gandetect.analyses",
    lambda thing: isinstance(thing, Analysis),
)


@cache
def analyses() -> tuple[Analysis, ...]:
    """All analyses; they are imported when first asked for, as drawing needs much."""
    packages = ANALYSES.plugged_in()
    return tuple(
        _guarded(one, packages[name]) if name in packages else one for name, one in ANALYSES.items()
    )


def _guarded(one: Analysis, package: str) -> Analysis:
    """An analysis of a plug-in, whose failure is a sentence and costs no other."""
    failed = f"plug-in {one.name}"

    def numbers(study: ScoredStudy) -> Metrics:
        try:
            return one.numbers(study)
        except Exception as error:  # anybody's code
            sentence = f"the analysis {one.name!r} of {package} failed ({error!r})"
            return {"not_measured": {failed: [sentence]}}

    def rows(metrics: Metrics) -> Iterable[Row]:
        return () if failed in metrics["not_measured"] else one.rows(metrics)

    return replace(one, numbers=numbers, rows=rows)
