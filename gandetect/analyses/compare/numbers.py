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

from gandetect.statistics.bootstrap import holm
from gandetect.statistics.intervals import square_and_add
from gandetect.statistics.rows import Row, Rows, chosen, grouped
from gandetect.statistics.scores import Metrics

ALPHA = 0.05
IDENTITY = ("metric", "detector", "source", "real_source", "operating_point")
COLUMNS = (
    *IDENTITY, "role", "run", "seeds", "covers", "value", "low", "high", "difference",
    "difference_low", "difference_high", "difference_covers", "p", "p_holm", "beyond", "moved",
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

    A row has ``value``, ``ci95``, ``covers``, ``seeds``. Where the first run has the same figure
    it also has that one's ``baseline`` and ``baseline_ci95``, the ``difference`` (this run minus
    the first), ``difference_ci95``, ``difference_covers``, its ``p``, ``beyond`` (0 lies outside
    the interval), ``p_holm`` (corrected for the number of differences by the same measure, of all
    runs together) and ``moved`` (that is below 5 %).
    """
    cells = _against_the_first([row for run in runs.items() for row in _cells(*run)], runs)
    pairs = _against_the_first([row for run in runs.items() for row in _pairs(*run)], runs)
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
        images = any(row["difference_covers"] == "images" for row in rows)
        counted.append(
            {
                "run": label,
                "metric": metric,
                "compared": len(rows),
                "beyond": sum(row["beyond"] for row in rows),
                "by_chance": ALPHA * len(rows),
                "moved": sum(row["moved"] for row in rows),
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
    rows: Rows = []
    for row in [*results["cells"], *results["pairs"]]:
        low, high = row["ci95"]
        flat = {**row, "low": low, "high": high}
        if "difference" in row:
            flat["difference_low"], flat["difference_high"] = row["difference_ci95"]
        rows.append(flat)
    for row in results["quality"]:
        named = {"run": row["run"], "source": f"generated:{row['gan']}", "seeds": row["seeds"]}
        rows += [{**named, "metric": name, "value": row[name]}
                 for name in ("fid", "kid") if row[name] is not None]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"seeds": "Int64", "beyond": "boolean", "moved": "boolean"})


def _cells(label: str, metrics: Metrics) -> Iterator[dict[str, Any]]:
    for row in metrics["across_seeds"]:
        kept = ("detector", "source", "operating_point", "role", "ci95", "covers")
        about = {"metric": "correct", "real_source": None, "run": label}
        yield {**about, **{key: row[key] for key in kept}, "seeds": len(row["seeds"]),
               "value": row["mean"]}  # fmt: skip


def _pairs(label: str, metrics: Metrics) -> Iterator[dict[str, Any]]:
    for row in metrics["pairs_across_seeds"]:
        about = {"metric": "auroc", "operating_point": None, "run": label}
        sources = {"source": row["generated"], "real_source": row["real"]}
        interval = {key: row[key]["auroc"] for key in ("ci95", "covers")}
        yield {**about, **sources, **interval, "detector": row["detector"], "role": row["role"],
               "seeds": len(row["seeds"]), "value": row["mean_auroc"]}  # fmt: skip


def _quality(label: str, metrics: Metrics) -> Iterator[dict[str, Any]]:
    """Mean, smallest and largest FID and KID of each generator over its seeds."""
    for (gan,), rows in grouped(metrics.get("quality", []), "gan").items():
        summary: dict[str, Any] = {"run": label, "gan": gan, "seeds": len(rows)}
        for name in ("fid", "kid"):
            values = [row[name] for row in rows if row.get(name) is not None]
            summary[name] = sum(values) / len(values) if values else None
            summary[f"{name}_range"] = [min(values), max(values)] if values else None
        yield summary


def _against_the_first(rows: Rows, runs: Mapping[str, Metrics]) -> Rows:
    """Add to each row of a further run how it differs from its twin, where there is one."""
    first = next(iter(runs))
    twins = {_identity(row): row for row in rows if row["run"] == first}
    compared = [row for row in rows if row["run"] != first and _identity(row) in twins]
    for row in compared:
        row |= _difference(twins[_identity(row)], row)
    for row, p in zip(compared, holm([row["p"] for row in compared]), strict=True):
        row |= {"p_holm": p, "moved": p < ALPHA}
    return rows


def _difference(baseline: Row, other: Row) -> dict[str, Any]:
    difference = other["value"] - baseline["value"]
    ci95 = square_and_add(baseline["value"], baseline["ci95"], other["value"], other["ci95"])
    # Intervals from few seeds are Student's: the fewer the seeds, the less a far one proves.
    several = [row["seeds"] - 1 for row in (baseline, other) if row["covers"] != "images"]
    p = p_from_interval(difference, ci95, min(several, default=math.inf))
    return {
        "baseline": baseline["value"],
        "baseline_ci95": baseline["ci95"],
        "difference": difference,
        "difference_ci95": ci95,
        "difference_covers": "runs and images" if len(several) == 2 else "images",
        "p": p,
        "beyond": not ci95[0] <= 0 <= ci95[1],
    }


def _identity(row: Row) -> tuple[Any, ...]:
    return tuple(row[key] for key in IDENTITY)
