"""Detector by source, and how good the fakes were that were caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.cross_evaluation import numbers
from gandetect.report.document import Block, Cell, Heat, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults, matrix_sources
from gandetect.report.words import (
    POINTS,
    count,
    detector_name,
    percent,
    percent_interval,
    percent_range,
    sentence,
)
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def matrix(results: StudyResults) -> list[Block]:
    """How to read the matrix of the answer, and the same run by run."""
    allowed = results.inputs.experiment.evaluation.calibrated_fpr
    each = results.points if results.many_seeds else []
    return [
        Text(say.meaning(results, allowed)),
        *(_matrix_table(results, point) for point in each),
    ]


def share_heat(results: StudyResults, point: str) -> Heat:
    """Share answered correctly by detector (rows) and source (columns), with its interval."""
    sources = matrix_sources(results.metrics)
    at_point = chosen(results.metrics["across_seeds"], operating_point=point)
    rows = {(row["detector"], row["source"]): row for row in at_point}
    return Heat(
        say.caption(results),
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
    low_to_high = percent_range(row["mean"], row["ci95"])
    return Cell(percent(row["mean"]), low_to_high, row["mean"], row["role"] == "own", hint)


def _matrix_table(results: StudyResults, point: str) -> Table:
    def share(source: str) -> Callable[[Sequence[Row]], str]:
        return lambda of: next(
            (percent_interval(c["correct"], c["ci95"]) for c in chosen(of, source=source)), "–"
        )

    cells = chosen(results.rows("cells"), operating_point=point)
    sources = matrix_sources(results.metrics)
    return table(
        f"Answered correctly, {POINTS[point]} (95 % Wilson interval)",
        grouped(cells, "detector", "detector_seed").values(),
        {
            "Detector": lambda of: detector_name(of[0], results.many_seeds),
            **{sentence(results.named(source)): share(source) for source in sources},
        },
    )


ANALYSIS = Analysis(
    "cross_evaluation",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("The answer", "How to read the matrix", [matrix], say.finding)],
)
