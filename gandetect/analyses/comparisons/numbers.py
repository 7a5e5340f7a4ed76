"""Is one detector better than another? Paired over runs and images, corrected for multiplicity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.bootstrap import Statistic, holm
from gandetect.statistics.contrasts import difference_auroc, difference_correct, tested
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import IN_DISTRIBUTION, NOT_REPORTED, TRAINING, Metrics

ALPHA = 0.05


def compare_all(runs: Mapping[str, DetectorRuns]) -> list[dict[str, Any]]:
    """Compare every two detectors on every source that both were scored on.

    Compared are the shares answered correctly at each operating point, and the AUROC of each
    generated source against the in-distribution reals. The p-values of all comparisons by one
    measure are corrected together (Holm), and ``verdict`` is the name of the better detector, or
    None where the corrected p-value is not below 5 % or where there is one run only.
    """
    rows = [
        row
        for first, second in combinations(runs.values(), 2)
        for source in _common(first, second)
        for row in _compare(first, second, source)
    ]
    for measure in dict.fromkeys(row["metric"] for row in rows):
        family = [row for row in rows if row["metric"] == measure]
        for row, p in zip(family, holm([row["p"] for row in family]), strict=True):
            row["p_holm"] = p
            clear = p < ALPHA and len(row["seeds"]) > 1
            better = row["first"] if row["difference"] > 0 else row["second"]
            row["verdict"] = better if clear else None
    return rows


def _common(first: DetectorRuns, second: DetectorRuns) -> list[str]:
    found = [{s for images in runs.images.values() for s in images} for runs in (first, second)]
    return sorted((found[0] & found[1]) - {*NOT_REPORTED, TRAINING})


def _compare(first: DetectorRuns, second: DetectorRuns, source: str) -> Iterator[dict[str, Any]]:
    seeds = sorted(set(first.with_source(source)) & set(second.with_source(source)))
    if not seeds:
        return
    points = [p for p in first.thresholds[seeds[0]] if p in second.thresholds[seeds[0]]]
    for point in points:
        difference = difference_correct(first, second, seeds, (source, source), point)
        yield _row(first, second, seeds, source, f"correct ({point})", difference)
    if source.startswith("generated:"):
        seeds = [s for s in seeds if s in first.with_source(source, IN_DISTRIBUTION)
                 and s in second.with_source(source, IN_DISTRIBUTION)]  # fmt: skip
        if seeds:
            difference = difference_auroc(first, second, seeds, (source, source), IN_DISTRIBUTION)
            yield _row(first, second, seeds, source, "auroc", difference)


def _row(
    first: DetectorRuns,
    second: DetectorRuns,
    seeds: Sequence[int],
    source: str,
    metric: str,
    found: Statistic,
) -> dict[str, Any]:
    return {
        "first": first.detector,
        "second": second.detector,
        "source": source,
        "metric": metric,
        "seeds": list(seeds),
        **tested(found),
    }


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each difference, and its corrected p-value."""
    for row in metrics["comparisons"]:
        origin = {"detector": f"{row['first']} minus {row['second']}", "source": row["source"]}
        yield tidy_row("comparison", origin, row["metric"], row["difference"], row["ci95"])
        yield tidy_row("comparison", origin, f"{row['metric']}: p (Holm)", row["p_holm"])


def numbers(study: ScoredStudy) -> Metrics:
    """``comparisons`` of every two detectors."""
    return {"comparisons": compare_all(study.runs)}
