"""AUROC and its relatives for every pair of a generated and a real source."""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.ranking import numbers
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import detector_name, number, number_interval, percent

say = Prose(__file__)


def pairs(results: StudyResults) -> list[Block]:
    """AUROC and its relatives for every generated and real source."""
    rows = results.metrics["pairs"]
    if not rows:
        return [*say.paragraphs("no_pairs")]
    columns: Columns = {
        "Detector": lambda pair: detector_name(pair, results.many_seeds),
        "Generated": lambda pair: results.named(pair["generated"], pair["detector"]),
        "Real": lambda pair: results.named(pair["real"]),
        "AUROC (95 % interval)": lambda pair: number_interval(pair["auroc"], pair["ci95"]["auroc"]),
        "Average precision": lambda pair: number(pair["average_precision"]),
        "Reals flagged to catch 95 %": lambda pair: percent(pair["fpr_at_95_tpr"]),
        "Caught when 5 % flagged": lambda pair: percent(pair["tpr_at_5_fpr"]),
    }
    return [Text(say.meaning()), table("Threshold-free figures", rows, columns, text_columns=3)]


ANALYSIS = Analysis(
    "ranking",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "AUROC", [pairs], say.finding)],
)
