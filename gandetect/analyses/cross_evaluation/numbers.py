"""Every detector against every source: the share answered correctly, run by run and over runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics import decisions
from gandetect.statistics.bootstrap import with_interval
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import Metrics

CELL = ("detector", "source", "role", "label", "operating_point")


def numbers(study: ScoredStudy) -> Metrics:
    """``cells`` of every run, and ``across_seeds``."""
    cells = [cell for one in study.subjects for cell in _cells(one)]
    return {"cells": cells, "across_seeds": cells_across(cells, study.runs)}


def rows(metrics: Metrics) -> Iterator[Row]:
    """Shares answered correctly."""
    for cell in metrics["cells"]:
        yield tidy_row("cell", cell, "correct", cell["correct"], cell["ci95"])
    for row in metrics["across_seeds"]:
        yield tidy_row("runs: cell", row, "correct", row["mean"], row["ci95"], n=sum(row["n"]))


def cells_across(cells: Sequence[Row], runs: Mapping[str, DetectorRuns]) -> list[dict[str, Any]]:
    """The share answered correctly, mean over runs with a 95 % interval.

    ``covers`` says what the interval covers: of a single run it is over images only (Wilson).
    """
    rows = []
    for key, group in grouped(cells, *CELL).items():
        detector, source, *_, point = key
        seeds = [cell["detector_seed"] for cell in group]
        statistic = runs[detector].share_correct(seeds, source, point)
        correct = [cell["correct"] for cell in group]
        rows.append(
            {
                **dict(zip(CELL, key, strict=True)),
                "seeds": seeds,
                "correct": correct,
                "mean": float(np.mean(correct)),
                "n": [cell["n"] for cell in group],
                **with_interval(statistic, group[0]["ci95"]),
            }
        )
    return rows


def _cells(subject: ScoredDetector) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": subject.role(source),
            "label": (label := source.partition(":")[0]),
            "operating_point": point,
            "threshold": cut,
            **decisions.share_correct(subject.margins([source], point), label, 0.0),
        }
        for source in subject.reported()
        for point, cut in subject.thresholds.items()
    ]
