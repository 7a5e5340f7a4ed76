"""Several runs side by side: which of their figures moved, and by more than chance explains.

The first run is the baseline. Only summaries are needed (`metrics.json`), so runs can be compared
whose scores lie elsewhere; the price is that what they have in common is not taken out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd
from scipy.stats import t as student

from gandetect.analyses.side_by_side import ALPHA, correct_together, figures, long_table
from gandetect.statistics.intervals import square_and_add
from gandetect.statistics.rows import Row, Rows, chosen, grouped
from gandetect.statistics.scores import Metrics

IDENTITY = ("metric", "detector", "source", "real_source", "operating_point")
COLUMNS = (
    *IDENTITY, "role", "run", "seeds", "covers", "value", "low", "high", "difference",
    "difference_low", "difference_high", "difference_covers", "p", "p_holm", "beyond", "moved",
    "features",
)  # fmt: skip


def p_from_interval(difference: float, ci95: Sequence[float], freedom: float = math.inf) -> float:
    """Two-sided p-value of no difference, from a 95 % interval; below 5 % where it excludes 0.

    The reach of the interval towards 0 is taken for Student's quantile times a standard error,
    with ``freedom`` degrees of freedom; infinitely many are the normal distribution's.
    """
    if difference == 0:
        return 1.0
    reach = difference - ci95[0] if difference > 0 else ci95[1] - difference
    if reach <= 0:
        return 0.0
    return float(2 * student.sf(abs(difference) / reach * student.ppf(0.975, freedom), freedom))


def side_by_side(runs: Mapping[str, Metrics]) -> dict[str, Any]:
    """Every figure of every run, and how it differs from the same figure of the first run.

    ``runs`` maps labels to what `metrics.json` holds. Returns ``cells`` (shares answered
    correctly) and ``pairs`` (AUROC), a row for each run and figure, ``quality`` (each generator),
    and ``summary`` and ``alone`` (see `summaries` and `in_some_runs`).

    A row has ``value``, the runs' ``values``, ``ci95``, ``covers``, ``seeds``. Where the first run
    has the same figure it also has that one's ``baseline`` and ``baseline_ci95``, the
    ``difference`` (this run minus the first), ``difference_ci95``, ``difference_covers``, its
    ``p``, ``beyond`` (0 lies outside the interval), ``p_holm`` (corrected for the number of
    differences by the same measure, of all runs together) and ``moved`` (that is below 5 %).
    """
    first = next(iter(runs))
    rows = [
        {"run": label, "value": row.pop("mean"), **row, "seeds": len(row["seeds"])}
        for label, metrics in runs.items()
        for row in figures(metrics)
    ]
    baseline = {_identity(row): row for row in rows if row["run"] == first}
    for row in rows:
        if row["run"] != first and _identity(row) in baseline:
            row |= _difference(baseline[_identity(row)], row)
    for metric in ("correct", "auroc"):
        correct_together([r for r in rows if r["metric"] == metric and "difference" in r])
    for row in rows:
        if "difference" in row:
            row["moved"] = row["p_holm"] < ALPHA
    cells, pairs = (chosen(rows, metric=metric) for metric in ("correct", "auroc"))
    return {
        "cells": cells,
        "pairs": pairs,
        "quality": [row for run in runs.items() for row in _quality(*run)],
        "summary": summaries(list(runs), {"correct": cells, "auroc": pairs}),
        "alone": in_some_runs(runs, cells),
    }


def summaries(labels: Sequence[str], measures: Mapping[str, Sequence[Row]]) -> Rows:
    """How many figures of each further run were compared, lie beyond, and stand corrected.

    ``by_chance`` is how many of them lie beyond a 95 % interval on average where nothing changed;
    ``covers`` is "runs and images" only where every interval covers both.
    """
    counted: Rows = []
    for label, metric in product(labels[1:], measures):
        rows = [row for row in chosen(measures[metric], run=label) if "difference" in row]
        images = any("runs" not in row["difference_covers"] for row in rows)
        counted.append(
            {
                "run": label,
                "metric": metric,
                "compared": len(rows),
                "by_chance": ALPHA * len(rows),
                **{key: sum(row[key] for row in rows) for key in ("beyond", "moved")},
                "covers": "images" if images else "runs and images",
            }
        )
    return counted


def in_some_runs(runs: Mapping[str, Metrics], cells: Sequence[Row]) -> Rows:
    """Detectors and sources that not every run has, with the labels of those that have them."""
    having = {
        (kind, name): {row["run"] for row in of}
        for kind in ("detector", "source")
        for (name,), of in grouped(cells, kind).items()
    }
    return [{"kind": kind, "name": name, "runs": [run for run in runs if run in labels]}
            for (kind, name), labels in having.items() if len(labels) < len(runs)]  # fmt: skip


def comparison_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """All rows of `side_by_side` as one long table, a row for each run and figure."""
    quality = [
        {"run": row["run"], "source": f"generated:{row['gan']}", "seeds": row["seeds"],
         "features": row["features"], "metric": name, "value": row[name]}
        for row in results["quality"] for name in ("fid", "kid") if row[name] is not None
    ]  # fmt: skip
    return long_table([*results["cells"], *results["pairs"], *quality], COLUMNS)


def _quality(label: str, metrics: Metrics) -> Iterator[dict[str, Any]]:
    """Mean, smallest and largest FID and KID of each generator and features over its seeds."""
    every = [{"features": "own", **row} for row in metrics.get("quality", [])]
    for (gan, features), rows in grouped(every, "gan", "features").items():
        summary = {"run": label, "gan": gan, "features": features, "seeds": len(rows)}
        for name in ("fid", "kid"):
            values = [row[name] for row in rows if row.get(name) is not None]
            summary[name] = sum(values) / len(values) if values else None
            summary[f"{name}_range"] = [min(values), max(values)] if values else None
        yield summary


def _difference(baseline: Row, other: Row) -> dict[str, Any]:
    difference = other["value"] - baseline["value"]
    ci95 = square_and_add(baseline["value"], baseline["ci95"], other["value"], other["ci95"])
    # Intervals from few seeds are Student's: the fewer the seeds, the less a far one proves.
    several = [row["seeds"] - 1 for row in (baseline, other) if "runs" in row["covers"]]
    return {
        "baseline": baseline["value"],
        "baseline_ci95": baseline["ci95"],
        "difference": difference,
        "difference_ci95": ci95,
        "difference_covers": min(baseline["covers"], other["covers"], key=len),
        "p": p_from_interval(difference, ci95, min(several, default=math.inf)),
        "beyond": not ci95[0] <= 0 <= ci95[1],
    }


def _identity(row: Row) -> tuple[Any, ...]:
    return tuple(row[key] for key in IDENTITY)
