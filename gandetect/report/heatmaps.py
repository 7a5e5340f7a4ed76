"""Cells of coloured tables: shares, AUROCs and confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gandetect.report.document import Cell, Heat
from gandetect.report.words import count, number, number_range, percent, percent_range
from gandetect.statistics.rows import Row

HEADER = ("real, called real", "real, called generated",
          "generated, called real", "generated, called generated")  # fmt: skip


def share_cell(share: float, ci95: Sequence[float], framed: bool = False, hint: str = "") -> Cell:
    """A share above its interval."""
    return Cell(percent(share), percent_range(share, ci95), share, framed, hint)


def area_cell(area: float, ci95: Sequence[float], framed: bool = False, hint: str = "") -> Cell:
    """An AUROC above its interval."""
    return Cell(number(area), number_range(ci95), area, framed, hint)


def confusion_heat(caption: str, rows: Iterable[Row], name: Callable[[Row], str]) -> Heat:
    """Counts, and shares of the truth, of rows with a ``confusion``; ``name`` says a row."""

    def cells(row: Row) -> list[Cell]:
        shares = [(n, n / sum(truth)) for truth in row["confusion"] for n in truth]
        return [Cell(count(n), percent(share), share) for n, share in shares]

    return Heat(caption, ["Answers", *HEADER], [(name(row), cells(row)) for row in rows])
