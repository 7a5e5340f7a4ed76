"""Every analysis, by the name of its folder. Within a part of the report this is the order."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from gandetect.analyses.analysis import Analysis

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


@cache
def analyses() -> tuple[Analysis, ...]:
    """All analyses; they are imported when first asked for, as drawing needs much."""
    return tuple(import_module(f"gandetect.analyses.{name}.words").ANALYSIS for name in NAMES)
