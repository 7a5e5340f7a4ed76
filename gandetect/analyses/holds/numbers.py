"""Which detector answers every group of images well, as they are and after processing.

A detector holds where the lower ends of its 95 % intervals reach `AS_THEY_ARE` on all groups, and
`PROCESSED` on the same images under every processing, at the calibrated threshold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.rows import Row, Rows, chosen, grouped
from gandetect.statistics.scores import Metrics, SameFakes, role_of, same_images, source_keys

AS_THEY_ARE = 0.95
PROCESSED = 0.90
POINT = "calibrated"
NONE = "none"
GROUPS = ("own", "other", "in-distribution", "held-out")


def numbers(study: ScoredStudy) -> Metrics:
    """``holds``, where processed images were scored and thresholds calibrated."""
    if study.perturbed is None:
        return {}
    return {"holds": holds(study.perturbed, study.own, study.runs, same_fakes=study.same_fakes)}


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each share of right answers over runs."""
    for row in metrics.get("holds", {}).get("shares", []):
        name = f"correct, {row['perturbation']} {row['level']:g}"
        yield tidy_row("holds", row, name, row["mean"], row["ci95"], operating_point=POINT)


def holds(
    table: pd.DataFrame,
    own: Mapping[str, Collection[str]],
    runs: Mapping[str, DetectorRuns],
    *,
    same_fakes: SameFakes = False,
) -> dict[str, Rows]:
    """Shares of right answers by detector, source and processing, and which detectors hold.

    Args:
        table: scores of images as they are (``perturbation`` none) and processed, as
            `stages.perturbed` writes them.
        own: the generated sources that each detector was trained on.
        runs: each detector's, with the images that chose its thresholds.
        same_fakes: the sources of which all seeds answered the same fakes, or whether of all.

    Returns ``shares``: the mean over runs with its 95 % interval, and what that ``covers``; and
    ``detectors``: for each detector and group the worst share of its sources, as they are and
    under any processing, and whether it ``holds``.
    """
    keyed = table.assign(source=source_keys(table)).sort_values("index", kind="stable")
    shares: Rows = []
    names = ["detector", "source", "perturbation", "level"]
    for _, of in keyed.groupby(names, observed=True, sort=False):
        detector, source, perturbation, level = of[names].iloc[0]
        known = own.get(str(detector), (f"generated:{detector}",))
        of_detector = runs[str(detector)]
        scores = {
            int(images["detector_seed"].iloc[0]): images["score"].to_numpy(np.float64)
            for _, images in of.groupby("detector_seed")
        }
        seeds = [seed for seed in scores if POINT in of_detector.thresholds.get(seed, {})]
        if not seeds:
            continue
        statistic = of_detector.answered(
            {seed: scores[seed] for seed in seeds}, POINT,
            generated=not str(source).startswith("real:"),
            same_images=same_images(str(source), same_fakes),
        )  # fmt: skip
        shares.append(
            {
                "detector": str(detector),
                "source": str(source),
                "role": role_of(str(source), known),
                "perturbation": str(perturbation),
                "level": float(level),
                "mean": statistic.mean,
                "ci95": statistic.ci95(),
                "covers": statistic.covers,
                "single": list(statistic),
                "n": len(scores[seeds[0]]),
            }
        )
    verdicts = [_verdict(detector, of) for (detector,), of in grouped(shares, "detector").items()]
    return {"shares": shares, "detectors": verdicts}


def _verdict(detector: str, shares: list[Row]) -> dict[str, Any]:
    """The worst of each group, and whether all of them are good enough."""
    plain = [row for row in shares if row["perturbation"] == NONE]
    processed = [row for row in shares if row["perturbation"] != NONE]
    there = [role for role in GROUPS if chosen(plain, role=role)]
    worst = {role: _worst(chosen(plain, role=role)) for role in there}
    worst_processed = {role: _worst(of) for role in there if (of := chosen(processed, role=role))}
    lows = [float(row["ci95"][0]) for row in worst.values()]
    lows_processed = [float(row["ci95"][0]) for row in worst_processed.values()]
    return {
        "detector": detector,
        "groups": [
            {"role": role, "as_they_are": worst[role], "processed": worst_processed.get(role)}
            for role in there
        ],
        "as_they_are": min(lows),
        "processed": min(lows_processed, default=None),
        "holds": min(lows) >= AS_THEY_ARE and min(lows_processed, default=1.0) >= PROCESSED,
    }


def _worst(rows: list[Row]) -> Row:
    return min(rows, key=lambda row: float(row["ci95"][0]))
