"""The reference study's tables from our scores: own fakes and all reals, and single labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics import decisions
from gandetect.statistics.bootstrap import Statistic
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.redrawn import share_above
from gandetect.statistics.resampling import from_draws, redrawn_share
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scored_detectors import ScoredDetector
from gandetect.statistics.scores import TEST_REALS, Metrics

OVERALL = ("detector", "operating_point")


def numbers(study: ScoredStudy) -> Metrics:
    """``overall``, the same over runs, and ``groups``."""
    overall = [row for one in study.subjects for row in _overall(one)]
    return {
        "overall": overall,
        "groups": [row for one in study.subjects for row in _groups(one)],
        "overall_across_seeds": overall_across(overall, study.runs),
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Counts of confusion, the classification reports, and recall and F1 of the groups."""
    yield from _overall_rows(metrics)
    for group in metrics["groups"]:
        for metric in ("recall", "f1"):
            yield tidy_row("group", group, metric, group[metric])
    for row in metrics["overall_across_seeds"]:
        yield tidy_row("runs: overall", row, row["metric"], row["mean"], row.get("ci95"))


def _overall_rows(metrics: Metrics) -> Iterator[Row]:
    names = ("real", "generated")
    for row in metrics["overall"]:
        total = sum(map(sum, row["confusion"]))
        for truth, counts in zip(names, row["confusion"], strict=True):
            for answer, count in zip(names, counts, strict=True):
                yield tidy_row("confusion", row, f"{truth} answered {answer}", count, n=sum(counts))
        for name, values in row["classification_report"].items():
            if not isinstance(values, dict):
                yield tidy_row("overall", row, name, values, n=total)
                continue
            for metric in ("precision", "recall", "f1-score"):
                n = values["support"]
                yield tidy_row("overall", row, f"{name}: {metric}", values[metric], n=n)


def overall_across(
    overall: Sequence[Row], runs: Mapping[str, DetectorRuns]
) -> list[dict[str, Any]]:
    """The reference study's general table over runs: each figure's mean, interval and runs."""
    rows: list[dict[str, Any]] = []
    for (detector, point), group in grouped(overall, *OVERALL).items():
        seeds = [table["detector_seed"] for table in group]
        rows += [
            {
                "detector": detector,
                "operating_point": point,
                "metric": name,
                "seeds": seeds,
                "values": list(statistic),
                "mean": statistic.mean,
                "ci95": statistic.ci95(),
                "covers": statistic.covers,
            }
            for name, statistic in general_figures_of(runs[detector], seeds, point).items()
        ]
    return rows


def general_figures_of(
    runs: DetectorRuns, seeds: Sequence[int], point: str
) -> dict[str, Statistic]:
    """Each figure of the general table in these runs, with what other images would change."""
    drawn = [_drawn(runs, seed, point) for seed in seeds]
    fewest = min(n for one in drawn for n in one[0])
    figures = {}
    for name in drawn[0][1]:
        values, of_test, of_cuts = zip(*([f[name] for f in one[1:]] for one in drawn), strict=True)
        figures[name] = from_draws(values, of_test, fewest, of_cuts)
    return figures


def _drawn(runs: DetectorRuns, seed: int, point: str) -> list[Any]:
    """A run's fakes and reals, counted, and its figures: as they are, redrawn, with other cuts."""
    cut, cuts = runs.thresholds[seed][point], runs.cuts(seed, point)
    shares: list[Any] = []
    reals = [name for name in TEST_REALS if name in runs.images[seed]]
    for names in (runs.own_fakes(seed), reals):
        samples = [(runs.sample(seed, name)[0], runs.judged(seed, name, point)) for name in names]
        scores = np.concatenate([one for _, one in samples])
        above = float(np.mean(scores > cut))
        recalibrated = above if cuts is None else share_above(cuts, scores)
        shares.append((len(scores), above, redrawn_share(samples, cut), recalibrated))
    (n, *caught), (m, *flagged) = shares
    return [(n, m), *(decisions.general_figures(n * one, m * (1 - other), n, m)
            for one, other in zip(caught, flagged, strict=True))]  # fmt: skip


def _overall(subject: ScoredDetector) -> list[dict[str, Any]]:
    """The reference study's general table: own generated images and all test reals."""
    rows = []
    for point in subject.thresholds:
        fakes, reals = (subject.margins(names, point) for names in (subject.own_fakes, TEST_REALS))
        if not len(fakes) or not len(reals):
            return []
        matrix = decisions.confusion(fakes, reals, 0.0)
        rows.append(
            {
                **subject.name,
                "operating_point": point,
                "confusion": matrix,
                "classification_report": decisions.general_table(matrix),
            }
        )
    return rows


def _groups(subject: ScoredDetector) -> list[dict[str, Any]]:
    return [
        {
            **subject.name,
            "source": source,
            "role": role,
            "operating_point": point,
            **decisions.single_label_table(
                subject.margins([source], point), source.partition(":")[0], 0.0
            ),
        }
        for source in subject.reported()
        if (role := subject.role(source)) in ("held-out", "in-distribution", "other")
        for point in subject.thresholds
    ]
