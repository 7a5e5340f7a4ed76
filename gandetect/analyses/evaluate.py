"""All analyses at once: `metrics.json`, and the same numbers as a tidy table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from gandetect.analyses.analysis import Analysis
from gandetect.analyses.study import ScoredStudy
from gandetect.statistics.scores import Metrics, validate_scores
from gandetect.workers import map_forked

SCHEMA = 3  # of `metrics.json`
TIDY_COLUMNS = (
    "kind",
    "detector",
    "detector_seed",
    "source",
    "source_seed",
    "real_source",
    "role",
    "operating_point",
    "metric",
    "value",
    "low",
    "high",
    "n",
    "features",
)


def evaluate(study: ScoredStudy, analyses: Iterable[Analysis]) -> Metrics:
    """Everything that `metrics.json` holds: the numbers of these analyses.

    Raises `DataError` when the scores cannot be evaluated.
    """
    validate_scores(study.scores)
    assert study.runs is not None  # an unknown detector is refused before anything else
    metrics: Metrics = {
        "schema": SCHEMA,
        "positive_class": "generated",
        "detectors": [{"detector": name, **fact} for name, fact in study.facts.items()],
        "not_measured": {},
    }
    for numbers in map_forked(lambda one: dict(one.numbers(study)), list(analyses)):
        gaps = numbers.pop("not_measured", {})
        metrics["not_measured"] |= {key: texts for key, texts in gaps.items() if texts}
        metrics |= numbers
    return metrics


def tidy(metrics: Metrics, analyses: Iterable[Analysis]) -> pd.DataFrame:
    """Flatten `metrics.json` to one row a number, in the order of the analyses.

    Columns are `TIDY_COLUMNS`; `low` and `high` bound a 95 % interval where there is one. For
    pairs `source` is the generated and `real_source` the real one; for quality, `source` is the
    generator, `features` what the distance is measured in, and `detector` is empty.
    """
    rows = [row for one in analyses for row in one.rows(metrics)]
    table = pd.DataFrame(rows, columns=list(TIDY_COLUMNS))
    return table.astype({"detector_seed": "Int64", "source_seed": "Int64", "n": "Int64"})
