"""AUROC and its relatives for every pair of a generated and a real source."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.ranking import numbers
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.words import detector_name, number, number_interval, percent

say = Prose(__file__)


def pairs(material: Material) -> list[Block]:
    """AUROC and its relatives for every generated and real source."""
    rows = [_pair_row(material, pair) for pair in material.metrics["pairs"]]
    if not rows:
        return [Text("Not shown: a pair needs a generated and a real source among the scores; "
                     "score both.", "missing")]  # fmt: skip
    header = ["Detector", "Generated", "Real", "AUROC (95 % interval)",
              "Average precision", "Reals flagged to catch 95 %",
              "Caught when 5 % flagged"]  # fmt: skip
    return [
        Text(say.meaning()),
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
