"""How good each generator's fakes are, as its training measured it."""

from __future__ import annotations

from collections.abc import Iterator

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``quality``: FID, KID and the like of every generator."""
    return {"quality": [dict(row) for row in study.quality]}


def rows(metrics: Metrics) -> Iterator[Row]:
    """FID, KID and confidence."""
    for row in metrics["quality"]:
        for metric in ("fid", "kid", "kid_std", "confidence"):
            if row.get(metric) is not None:
                yield tidy_row(
                    "quality",
                    row,
                    metric,
                    row[metric],
                    source=f"generated:{row['gan']}",
                    source_seed=row.get("seed"),
                )
