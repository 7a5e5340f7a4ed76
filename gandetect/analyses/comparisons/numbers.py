"""Is one detector better than another? Paired over runs and images, corrected for multiplicity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gandetect.analyses.side_by_side import ALPHA, correct_together
from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.contrasts import difference_auroc, difference_correct, tested
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.rows import Row
from gandetect.statistics.scores import IN_DISTRIBUTION, NOT_REPORTED, TRAINING, Metrics


def compare_all(runs: Mapping[str, DetectorRuns]) -> list[dict[str, Any]]:
    """Compare every two detectors on every source that both were scored on.

    Compared are the shares answered correctly at each operating point, and the AUROC of each
    generated source against the in-distribution reals. The p-values of all comparisons by one
    measure are corrected together (Holm), and ``verdict`` is the name of the better detector, or
    None where the corrected p-value is not below 5 % or where there is one run only.
    """
    rows = [row for pair in combinations(runs.values(), 2) for row in _compare(*pair)]
    for metric in dict.fromkeys(row["metric"] for row in rows):
        correct_together([row for row in rows if row["metric"] == metric])
    for row in rows:
        clear = row["p_holm"] < ALPHA and len(row["seeds"]) > 1
        better = row["first"] if row["difference"] > 0 else row["second"]
        row["verdict"] = better if clear else None
    return rows


def _compare(first: DetectorRuns, second: DetectorRuns) -> Iterator[dict[str, Any]]:
    known = [{s for images in runs.images.values() for s in images} for runs in (first, second)]
    for source in sorted((known[0] & known[1]) - {*NOT_REPORTED, TRAINING}):
        about = {"first": first.detector, "second": second.detector, "source": source}
        both = source, source
        if seeds := _seeds(first, second, source):
            points = [p for p in first.thresholds[seeds[0]] if p in second.thresholds[seeds[0]]]
            paired = _paired(first, second, seeds, source)
            for point in points:
                share = difference_correct(first, second, seeds, both, point, paired=paired)
                yield {**about, "metric": f"correct ({point})", "seeds": seeds, **tested(share)}
        seeds = _seeds(first, second, source, IN_DISTRIBUTION)
        if seeds and source.startswith("generated:"):
            of_reals = _paired(first, second, seeds, IN_DISTRIBUTION)
            same = _paired(first, second, seeds, source), of_reals
            area = difference_auroc(first, second, seeds, both, IN_DISTRIBUTION, paired=same)
            yield {**about, "metric": "auroc", "seeds": seeds, **tested(area)}


def _seeds(first: DetectorRuns, second: DetectorRuns, *sources: str) -> list[int]:
    """Seeds of the runs in which both were scored on all of these sources."""
    return [s for s in first.with_source(*sources) if s in second.with_source(*sources)]


def _paired(first: DetectorRuns, second: DetectorRuns, seeds: list[int], source: str) -> bool:
    """Whether both have scored some of the same images of a source in each run."""
    both = [(first.images[seed][source], second.images[seed][source]) for seed in seeds]
    return all(np.intersect1d(a.index, b.index, assume_unique=True).size for a, b in both)


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each difference, and its corrected p-value."""
    for row in metrics["comparisons"]:
        origin = {"detector": f"{row['first']} minus {row['second']}", "source": row["source"]}
        yield tidy_row("comparison", origin, row["metric"], row["difference"], row["ci95"])
        yield tidy_row("comparison", origin, f"{row['metric']}: p (Holm)", row["p_holm"])


def numbers(study: ScoredStudy) -> Metrics:
    """``comparisons`` of every two detectors."""
    return {"comparisons": compare_all(study.runs)}
