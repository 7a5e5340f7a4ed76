"""What is caught of a generator that was kept from the detector."""

from __future__ import annotations

from collections.abc import Iterator

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.cross_evaluation import numbers as shares
from gandetect.analyses.ranking import numbers as ranks
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.evaluation.leave_one_out import leave_one_out
from gandetect.report.sections import leave_one_out as section
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``leave_one_out``, where detectors were trained without a generator."""
    if not any(fact.get("left_out") for fact in study.facts.values()):
        return {}
    cells, pairs = shares.numbers(study), ranks.numbers(study)
    found = leave_one_out(
        study.facts, study.runs, cells["across_seeds"], pairs["pairs_across_seeds"]
    )
    return {"leave_one_out": found} if found else {}


def rows(metrics: Metrics) -> Iterator[Row]:
    """For a mean over several left out, ``detector`` is the protocol and ``source`` is empty."""
    for row in metrics.get("leave_one_out", []):
        point = {"operating_point": row["operating_point"]}
        for group in ("unknown", "known", "difference"):
            one = row[group]
            yield tidy_row("leave one out", point, f"{row['metric']}: {group}", one["mean"],
                           one["ci95"], detector=row["detector"] or row["protocol"],
                           source=row["left_out"], real_source=row["real"])  # fmt: skip


ANALYSIS = Analysis(
    "leave_one_out",
    numbers,
    rows,
    chapters=[
        Chapter("What is behind it", "A generator that it does not know", [section.leave_one_out])
    ],
)
