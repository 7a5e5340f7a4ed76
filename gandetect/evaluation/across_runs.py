"""Every cell, pair and table over all training runs: the mean, its interval, and each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gandetect.evaluation.intervals import Interval
from gandetect.evaluation.runs_of import Runs
from gandetect.evaluation.uncertainty import over_runs

Row = Mapping[str, Any]
CELL = ("detector", "source", "role", "label", "operating_point")
PAIR = ("detector", "generated", "real", "role")
OVERALL = ("detector", "operating_point")
OTHER_PAIR_METRICS = ("average_precision", "fpr_at_95_tpr", "tpr_at_5_fpr")


def cells_across(cells: Sequence[Row], runs: Mapping[str, Runs]) -> list[dict[str, Any]]:
    """The share answered correctly, mean over runs with a 95 % interval.

    ``covers`` says what the interval covers: of a single run it is over images only (Wilson).
    """
    rows = []
    for identity, group in _grouped(cells, CELL):
        seeds = [cell["detector_seed"] for cell in group]
        row = {
            **identity,
            "seeds": seeds,
            "correct": [cell["correct"] for cell in group],
            "mean": float(np.mean([cell["correct"] for cell in group])),
            "n": [cell["n"] for cell in group],
        }
        if len(seeds) == 1:
            rows.append({**row, "ci95": group[0]["ci95"], "covers": "images"})
            continue
        statistic = runs[identity["detector"]].share_correct(
            seeds, identity["source"], identity["operating_point"]
        )
        interval = over_runs(statistic.values, statistic.image_covariance)
        rows.append({**row, "ci95": interval, "covers": "runs and images"})
    return rows


def pairs_across(pairs: Sequence[Row], runs: Mapping[str, Runs]) -> list[dict[str, Any]]:
    """AUROC and its relatives of each pair of sources, mean over runs with 95 % intervals.

    Of the relatives no covariance over images is known, so their intervals cover the runs (and
    with them the fakes, which each run makes anew), but not the drawing of the reals.
    """
    rows = []
    for identity, group in _grouped(pairs, PAIR):
        seeds = [pair["detector_seed"] for pair in group]
        row: dict[str, Any] = {**identity, "seeds": seeds, "ci95": {}, "covers": {}}
        for metric in ("auroc", *OTHER_PAIR_METRICS):
            values = [pair[metric] for pair in group]
            row |= {metric: values, f"mean_{metric}": float(np.mean(values))}
            if metric != "auroc" and (interval := _of_runs_alone(values)):
                row["ci95"][metric], row["covers"][metric] = interval, "runs"
        if len(seeds) == 1:
            row["ci95"]["auroc"], row["covers"]["auroc"] = group[0]["ci95"]["auroc"], "images"
        else:
            statistic = runs[identity["detector"]].auroc(
                seeds, identity["generated"], identity["real"]
            )
            row["ci95"]["auroc"] = over_runs(statistic.values, statistic.image_covariance)
            row["covers"]["auroc"] = "runs and images"
        rows.append(row)
    return rows


def overall_across(overall: Sequence[Row]) -> list[dict[str, Any]]:
    """The reference study's general table over runs: each figure's mean, interval and runs."""
    rows = []
    for identity, group in _grouped(overall, OVERALL):
        seeds = [table["detector_seed"] for table in group]
        figures = [_figures(table["classification_report"]) for table in group]
        for name in figures[0]:
            values = [one[name] for one in figures]
            row = {
                **identity,
                "metric": name,
                "seeds": seeds,
                "values": values,
                "mean": float(np.mean(values)),
            }
            if interval := _of_runs_alone(values):
                row |= {"ci95": interval, "covers": "runs"}
            rows.append(row)
    return rows


def _of_runs_alone(values: Sequence[float]) -> Interval | None:
    """The interval by the spread of runs; None where there is no spread to go by."""
    if np.ptp(values) < 1e-12:
        return None
    return over_runs(values, np.zeros((len(values), len(values))))


def _figures(report: Mapping[str, Any]) -> dict[str, float]:
    """``{"accuracy": …, "generated: precision": …}`` of a classification report."""
    figures: dict[str, float] = {}
    for name, values in report.items():
        if not isinstance(values, Mapping):
            figures[name] = float(values)
            continue
        figures |= {f"{name}: {k}": float(v) for k, v in values.items() if k != "support"}
    return figures


def _grouped(rows: Sequence[Row], keys: Sequence[str]) -> list[tuple[dict[str, Any], list[Row]]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return [(dict(zip(keys, key, strict=True)), group) for key, group in groups.items()]
