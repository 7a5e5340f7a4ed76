"""Detector by source, and how good the fakes were that were caught."""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.cross_evaluation import numbers
from gandetect.report.document import Block, Cell, Heat, Text
from gandetect.report.heatmaps import share_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults, matrix_sources
from gandetect.report.words import count, sentence
from gandetect.statistics.rows import Row, chosen

say = Prose(__file__)


def matrix(results: StudyResults) -> list[Block]:
    """How to read the matrix of the answer."""
    return [Text(say.meaning(results, results.facts.rule.fpr))]


def share_heat(results: StudyResults, point: str) -> Heat:
    """Share answered correctly by detector (rows) and source (columns), with its interval."""
    sources = matrix_sources(results.metrics)
    at_point = chosen(results.metrics["across_seeds"], operating_point=point)
    rows = {(row["detector"], row["source"]): row for row in at_point}
    return Heat(
        say.caption(results, results.covers(point)),
        ["Detector", *(sentence(results.named(source)) for source in sources)],
        [
            (sentence(results.short(name)), [_heat_cell(rows.get((name, s))) for s in sources])
            for name in results.present(at_point)
        ],
    )


def _heat_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    runs, n = len(row["seeds"]), f"{count(row['n'][0])} images"
    hint = f"{n} of each of {runs} runs" if runs > 1 else n
    return share_cell(row["mean"], row["ci95"], row["role"] == "own", hint)


CHAPTER = Chapter("The answer", "How to read the matrix", [matrix], say.finding)
ANALYSIS = Analysis("cross_evaluation", numbers.numbers, numbers.rows, [CHAPTER])
