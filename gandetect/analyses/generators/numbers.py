"""How good each generator's fakes are, as its training measured it."""

from __future__ import annotations

from collections.abc import Iterator

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``quality``: FID, KID and the like of every generator, in each of the study's features."""
    return {"quality": [{"features": "own", **row} for row in study.quality]}


def short_of_images(row: Row) -> bool:
    """Whether features have as many dimensions as there are images, or more.

    Covariances are then not of full rank, and FID is far too large.
    """
    return bool(min(row.get("n", 0), row.get("n_real", 0)) <= row.get("dimensions", -1))


def rows(metrics: Metrics) -> Iterator[Row]:
    """FID, KID and confidence."""
    for row in metrics["quality"]:
        of = {"source": f"generated:{row['gan']}", "source_seed": row.get("seed")}
        for metric in ("fid", "kid", "kid_std", "confidence"):
            if row.get(metric) is not None:
                features = row["features"]
                yield tidy_row("quality", row, metric, row[metric], **of, features=features)
