"""Rows of the tidy table beyond the cross-evaluation: runs, calibration, costs and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gandetect.evaluation.scores import Metrics

Row = dict[str, Any]
KEPT = ("detector", "detector_seed", "source", "role", "operating_point", "n")
PAIR_METRICS = ("auroc", "average_precision", "fpr_at_95_tpr", "tpr_at_5_fpr")


def tidy_row(
    kind: str,
    origin: Mapping[str, Any],
    metric: str,
    value: Any,
    ci95: Sequence[float] | None = None,
    **more: Any,
) -> Row:
    """One number as a row of the tidy table; ``low`` and ``high`` bound its 95 % interval."""
    row = {key: origin[key] for key in KEPT if key in origin}
    low, high = ci95 or (None, None)
    return {"kind": kind, **row, "metric": metric, "value": value, "low": low, "high": high, **more}


def further_rows(metrics: Metrics) -> Iterator[Row]:
    """All rows of what `evaluate_further` computed and of what is known over runs."""
    yield from _over_runs(metrics)
    yield from _comparisons(metrics)
    yield from _calibration(metrics)
    yield from _k_shot_and_costs(metrics)
    yield from _classes(metrics)
    yield from _epochs(metrics)
    yield from _processed(metrics)
    for row in metrics.get("audit", []):
        n = row["n_real"] + row["n_generated"]
        seed = row.get("seed")
        found = {"source": row["source"], "n": n}
        yield tidy_row("audit", found, row["probe"], row["auroc"], row["ci95"], source_seed=seed)


def _over_runs(metrics: Metrics) -> Iterator[Row]:
    for row in metrics["across_seeds"]:
        yield tidy_row("runs: cell", row, "correct", row["mean"], row["ci95"], n=sum(row["n"]))
    for row in metrics.get("pairs_across_seeds", []):
        for metric in PAIR_METRICS:
            yield tidy_row("runs: pair", row, metric, row[f"mean_{metric}"],
                           row["ci95"].get(metric), source=row["generated"],
                           real_source=row["real"])  # fmt: skip
    for row in metrics.get("overall_across_seeds", []):
        yield tidy_row("runs: overall", row, row["metric"], row["mean"], row.get("ci95"))


def _comparisons(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("comparisons", []):
        origin = {"detector": f"{row['first']} minus {row['second']}", "source": row["source"]}
        yield tidy_row("comparison", origin, row["metric"], row["difference"], row["ci95"])
        yield tidy_row("comparison", origin, f"{row['metric']}: p (Holm)", row["p_holm"])


def _calibration(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("calibration", []):
        for measure in ("ece", "brier", "log_loss"):
            yield tidy_row("calibration", row, f"{row['method']}: {measure}", row[measure],
                           source=row["generated"], real_source=row["real"],
                           n=row["n_generated"] + row["n_real"])  # fmt: skip
    for row in metrics.get("low_fpr", []):
        name = f"called generated at {100 * row['fpr']:g} % FPR"
        yield tidy_row("low FPR", row, name, row["called"], row["ci95"])


def _k_shot_and_costs(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("k_shot", []):
        bounds = None if row["low"] is None else (row["low"], row["high"])
        yield tidy_row("k-shot", row, f"balanced accuracy, k = {row['k']}",
                       row["balanced_accuracy"], bounds, real_source=row["real"],
                       n=row["n_generated"] + row["n_real"])  # fmt: skip
    for row in metrics.get("costs", []):
        for name in ("cost", "precision"):
            yield tidy_row("cost", row, name, row[name], row["ci95"].get(name),
                           source=row["generated"], real_source=row["real"],
                           n=row["n_generated"] + row["n_real"])  # fmt: skip


def _classes(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("by_class", []):
        yield tidy_row("class", row, f"delayed: {row['class_name']}", row["delayed"], row["ci95"])
    for row in metrics.get("by_class_across_seeds", []):
        name = f"delayed: {row['class_name']}"
        yield tidy_row("runs: class", row, name, row["mean"], row["ci95"])


def _epochs(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("trajectories", {}).get("luck", []):
        for name in ("lowest", "highest", "sd_over_epochs", "sd_over_seeds"):
            yield tidy_row("epochs", row, f"{row['statistic']}: {name}", row[name])
    for row in metrics.get("trajectories", {}).get("matrix", []):
        name = f"auroc, D_{row['i']} on G_{row['j']}"
        yield tidy_row("epochs", row, name, row["auroc"], detector_seed=row["seed"],
                       real_source=row["real"])  # fmt: skip


def _processed(metrics: Metrics) -> Iterator[Row]:
    for row in metrics.get("robustness", {}).get("across_seeds", []):
        name = f"{row['perturbation']} {row['level']:g} on {row['applied_to']}: change of auroc"
        yield tidy_row("processed", row, name, row["change"], row["change_ci95"])
