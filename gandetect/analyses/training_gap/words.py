"""Training images beside unseen images of the same classes."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.training_gap import numbers
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.words import detector_name, number_interval, percent_interval, signed_points

say = Prose(__file__)


def gap(material: Material) -> list[Block]:
    """Training images beside unseen images of the same classes."""
    rows = [_gap_row(material, row) for row in material.metrics["training_gap"]]
    if not rows:
        return [Text("Not shown: real:training or real:in-distribution is not among the scores; "
                     "score both.", "missing")]  # fmt: skip
    header = ["Detector", "Operating point", "Correct on training images",
              "Correct on unseen images", "Difference in points"]  # fmt: skip
    ranked = [
        _ranked_row(material, row)
        for row in material.metrics["training_gap"]
        if row["operating_point"] == "native" and row["auroc_own"]
    ]
    areas = ["Detector", "Against training images", "Against unseen images"]
    return [
        Text(say.meaning()),
        Table("Real images seen in training and unseen ones", header, rows, text_columns=2),
        *([Table("AUROC of a detector's own fakes", areas, ranked)] if ranked else []),
    ]


def _gap_row(material: Material, row: dict[str, Any]) -> list[str]:
    train, test = row["training"], row["in-distribution"]
    return [
        detector_name(row, material.many_seeds),
        row["operating_point"],
        percent_interval(train["correct"], train["ci95"]),
        percent_interval(test["correct"], test["ci95"]),
        signed_points(row["difference"], row["difference_ci95"]),
    ]


def _ranked_row(material: Material, row: dict[str, Any]) -> list[str]:
    areas = [row["auroc_own"][name] for name in ("training", "in-distribution")]
    return [
        detector_name(row, material.many_seeds),
        *(number_interval(area["auroc"], area["ci95"]) for area in areas),
    ]


ANALYSIS = Analysis(
    "training_gap",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "Training images and unseen images", [gap])],
)
