"""Confusion matrices as a coloured table."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gandetect.report.document import Cell, Heat
from gandetect.report.words import count, percent
from gandetect.statistics.rows import Row

HEADER = ("real, called real", "real, called generated",
          "generated, called real", "generated, called generated")  # fmt: skip


def confusion_heat(caption: str, rows: Iterable[Row], name: Callable[[Row], str]) -> Heat:
    """Counts, and shares of the truth, of rows with a ``confusion``; ``name`` says a row."""

    def cells(row: Row) -> list[Cell]:
        shares = [(n, n / sum(truth)) for truth in row["confusion"] for n in truth]
        return [Cell(count(n), percent(share), share) for n, share in shares]

    return Heat(caption, ["Answers", *HEADER], [(name(row), cells(row)) for row in rows])
