"""The same numbers as a tidy table, one row a number, for spreadsheets and other tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gandetect.evaluation.operating_points import OPERATING_POINTS
from gandetect.evaluation.scores import Metrics
from gandetect.evaluation.tidy_further import PAIR_METRICS, further_rows, tidy_row

TIDY_COLUMNS = (
    "kind",
    "detector",
    "detector_seed",
    "source",
    "source_seed",
    "real_source",
    "role",
    "operating_point",
    "metric",
    "value",
    "low",
    "high",
    "n",
)
SPLIT_METRICS = ("accuracy", "auroc", "precision", "recall", "specificity", "f1")


def tidy(metrics: Metrics) -> pd.DataFrame:
    """Flatten `metrics.json` to one row a number.

    Columns are `TIDY_COLUMNS`; `low` and `high` bound a 95 % interval where there is one. For
    pairs `source` is the generated and `real_source` the real one; for quality, `source` is the
    generator and `detector` is empty.
    """
    rows = [
        *_cells(metrics),
        *_pairs(metrics),
        *_overall(metrics),
        *_groups(metrics),
        *_splits(metrics),
        *_gap(metrics),
        *_thresholds(metrics),
        *_quality(metrics),
        *further_rows(metrics),
    ]
    table = pd.DataFrame(rows, columns=list(TIDY_COLUMNS))
    return table.astype({"detector_seed": "Int64", "source_seed": "Int64", "n": "Int64"})


def _cells(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for cell in metrics["cells"]:
        yield tidy_row("cell", cell, "correct", cell["correct"], ci95=cell["ci95"])


def _pairs(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for pair in metrics["pairs"]:
        for metric in PAIR_METRICS:
            yield tidy_row(
                "pair",
                pair,
                metric,
                pair[metric],
                source=pair["generated"],
                real_source=pair["real"],
                n=pair["n_generated"] + pair["n_real"],
                ci95=pair["ci95"].get(metric),
            )


def _overall(metrics: Metrics) -> Iterator[dict[str, Any]]:
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


def _groups(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for group in metrics["groups"]:
        for metric in ("recall", "f1"):
            yield tidy_row("group", group, metric, group[metric])


def _splits(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for row in metrics["splits"]:
        for metric in SPLIT_METRICS:
            name, interval = f"{row['split']}: {metric}", row["ci95"].get(metric)
            yield tidy_row("split", row, name, row[metric], ci95=interval)
    for row in metrics["upper_bound"]:
        yield tidy_row(
            "upper bound", row, "accuracy at the best cut on test images", row["accuracy"]
        )


def _gap(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for gap in metrics["gap"]:
        metric = "correct on training minus on in-distribution"
        yield tidy_row("gap", gap, metric, gap["difference"], ci95=gap["difference_ci95"])


def _thresholds(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for row in metrics["operating_points"]:
        for point in OPERATING_POINTS:
            if point in row:
                yield tidy_row("threshold", row, "threshold", row[point], operating_point=point)


def _quality(metrics: Metrics) -> Iterator[dict[str, Any]]:
    for row in metrics["quality"]:
        for metric in ("fid", "kid", "kid_std", "confidence"):
            if row.get(metric) is not None:
                source = f"generated:{row['gan']}"
                seed = row.get("seed")
                yield tidy_row("quality", row, metric, row[metric], source=source, source_seed=seed)
