"""AUROC and its relatives for every pair of a generated and a real source."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.ranking import numbers
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.words import (
    detector_name,
    number,
    number_interval,
    percent,
)


def pairs(material: Material) -> list[Block]:
    """AUROC and its relatives for every generated and real source."""
    rows = [_pair_row(material, pair) for pair in material.metrics["pairs"]]
    if not rows:
        return [Text("Not shown: a pair needs a generated and a real source among the scores; "
                     "score both.", "missing")]  # fmt: skip
    header = ["Detector", "Generated", "Real", "AUROC (95 % interval)",
              "Average precision", "Reals delayed to catch 95 %",
              "Caught when 5 % delayed"]  # fmt: skip
    return [
        Text(
            "These figures do not depend on where the cut is made. AUROC is the chance that a "
            "generated image gets a higher score than a real one: 0.5 is a coin toss, 1 is "
            "perfect, and below 0.5 the detector takes fakes for more real than the real ones. "
            "Intervals are DeLong's, on the logit scale, over images only. Average precision "
            "depends on how many images each side has."
        ),
        Table("Threshold-free figures", header, rows, text_columns=3),
    ]


def _pair_row(material: Material, pair: dict[str, Any]) -> list[str]:
    return [
        detector_name(pair, material.many_seeds),
        material.named(pair["generated"], pair["detector"]),
        material.named(pair["real"]),
        number_interval(pair["auroc"], pair["ci95"]["auroc"]),
        number(pair["average_precision"]),
        percent(pair["fpr_at_95_tpr"]),
        percent(pair["tpr_at_5_fpr"]),
    ]


ANALYSIS = Analysis(
    "ranking",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "Whatever the threshold", [pairs])],
)
