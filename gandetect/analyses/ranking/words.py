"""AUROC and its relatives for every pair of a generated and a real source."""

from __future__ import annotations

from collections.abc import Callable

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.ranking import numbers
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import number_interval, percent_interval
from gandetect.statistics.rows import Row

say = Prose(__file__)


def pairs(results: StudyResults) -> list[Block]:
    """AUROC and its relatives for every generated and real source."""
    rows = results.metrics["pairs"]
    if not rows:
        return [*say.paragraphs("no_pairs")]
    columns: Columns = {
        "Detector": results.run_of,
        "Generated": lambda pair: results.named(pair["generated"], pair["detector"]),
        "Real": lambda pair: results.named(pair["real"]),
        "AUROC (95 % interval)": _with_interval("auroc", number_interval),
        "Average precision": _with_interval("average_precision", number_interval),
        "Reals flagged to catch 95 %": _with_interval("fpr_at_95_tpr", percent_interval),
        "Caught when 5 % flagged": _with_interval("tpr_at_5_fpr", percent_interval),
    }
    return [Text(say.meaning()), table("Threshold-free figures", rows, columns, text_columns=3)]


def _with_interval(key: str, say: Callable[..., str]) -> Callable[[Row], str]:
    return lambda pair: say(pair[key], pair["ci95"][key])


CHAPTER = Chapter("What is behind it", "AUROC", [pairs], say.finding)
ANALYSIS = Analysis("ranking", numbers.numbers, numbers.rows, [CHAPTER])
