"""Which test images also stand in another split, as their comparison found it."""

from __future__ import annotations

from gandetect.analyses.study import ScoredStudy
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``overlap``: what was done about such images, counts, and the images."""
    return {"overlap": dict(study.overlap)}
