"""What a detector can do whatever the threshold: AUROC and its relatives by pair of sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.bootstrap import Statistic, with_interval
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.ranking import pair_metrics
from gandetect.statistics.resampling import from_draws
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import Metrics, reals_tested_on

PAIR = ("detector", "generated", "real", "role")
METRICS = ("auroc", "average_precision", "fpr_at_95_tpr", "tpr_at_5_fpr")


def numbers(study: ScoredStudy) -> Metrics:
    """``pairs`` of every run, and ``pairs_across_seeds``."""
    pairs = [pair for one in study.subjects for pair in _pairs(one)]
    for pair in pairs:
        of_images = relatives([pair], study.runs[pair["detector"]])
        pair["ci95"] |= {metric: one.ci95() for metric, one in of_images.items()}
    return {"pairs": pairs, "pairs_across_seeds": pairs_across(pairs, study.runs)}


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each metric of each pair."""
    for pair in metrics["pairs"]:
        for metric in METRICS:
            yield tidy_row("pair", pair, metric, pair[metric], pair["ci95"].get(metric))
    for row in metrics["pairs_across_seeds"]:
        for metric in METRICS:
            mean, ci95 = row[f"mean_{metric}"], row["ci95"].get(metric)
            yield tidy_row("runs: pair", row, metric, mean, ci95)


def pairs_across(pairs: Sequence[Row], runs: Mapping[str, DetectorRuns]) -> list[dict[str, Any]]:
    """AUROC and its relatives of each pair of sources, mean over runs with 95 % intervals."""
    rows = []
    for key, group in grouped(pairs, *PAIR).items():
        detector, generated, real, _ = key
        seeds = [pair["detector_seed"] for pair in group]
        identity = dict(zip(PAIR, key, strict=True))
        row: dict[str, Any] = {**identity, "seeds": seeds, "ci95": {}, "covers": {}}
        area = runs[detector].auroc(seeds, generated, real)
        for metric, statistic in {"auroc": area, **relatives(group, runs[detector])}.items():
            values = [pair[metric] for pair in group]
            row |= {metric: values, f"mean_{metric}": float(np.mean(values))}
            for part, value in with_interval(statistic, group[0]["ci95"][metric]).items():
                row[part][metric] = value
        rows.append(row)
    return rows


def relatives(pairs: Sequence[Row], runs: DetectorRuns) -> dict[str, Statistic]:
    """What `METRICS` holds beside the AUROC, of one pair of sources in some runs."""
    draws = [
        runs.ranking_draws(pair["detector_seed"], pair["generated"], pair["real"]) for pair in pairs
    ]
    fewest = min(pairs[0]["n_generated"], pairs[0]["n_real"])
    return {
        metric: from_draws([pair[metric] for pair in pairs], [one[metric] for one in draws], fewest)
        for metric in METRICS[1:]
    }


def _pairs(subject: ScoredDetector) -> list[dict[str, Any]]:
    generated = [source for source in subject.reported() if source.startswith("generated:")]
    return [
        subject.pair(fake, real) | pair_metrics(subject.sources[fake], subject.sources[real])
        for fake in generated
        for real in reals_tested_on(subject.sources)
    ]
