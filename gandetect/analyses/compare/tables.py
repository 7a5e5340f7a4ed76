"""The figures of the runs side by side: heatmaps, and tables of what moved."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.compare.comparison import Comparison, difference_interval
from gandetect.report.document import Block, Cell, Columns, Heading, Heat, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.words import (
    POINTS,
    count,
    number,
    number_interval,
    number_range,
    percent,
    percent_interval,
    percent_range,
    sentence,
)
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)
SHOWN = 12  # moves in the table that one need not open
REALS = ("real:training", "real:in-distribution", "real:held-out")


def matrices(comparison: Comparison) -> list[Block]:
    """Detector by source at every operating point, the runs below each other."""
    rows = comparison.results["cells"]
    by_point = {point: chosen(rows, operating_point=point) for point in OPERATING_POINTS}
    return [
        Text(say.shares(any(row["seeds"] > 1 for row in rows))),
        *(
            _heat(comparison, of, f"Answered correctly, {POINTS[point]}")
            for point, of in by_point.items()
            if of
        ),
        *_moves(comparison, "cells"),
    ]


def areas(comparison: Comparison) -> list[Block]:
    """AUROC of every generated against every real source, side by side."""
    return [
        Text(say.areas()),
        *(
            _heat(comparison, rows, f"AUROC against {comparison.named(real)}")
            for (real,), rows in grouped(comparison.results["pairs"], "real_source").items()
        ),
        *_moves(comparison, "pairs"),
    ]


def quality(comparison: Comparison) -> list[Block]:
    """FID and KID of every generator of every run."""
    rows = comparison.results["quality"]
    columns: Columns = {
        "Generator": lambda row: row["gan"],
        "Run": lambda row: row["run"],
        "Seeds": lambda row: count(row["seeds"]),
        "FID": lambda row: _range(row, "fid"),
        "KID": lambda row: _range(row, "kid"),
    }
    by_generator = [row for of in grouped(rows, "gan").values() for row in of]
    caption = "How good the fakes are: mean over seeds (smallest to largest)"
    return [
        Text(say.quality()),
        table(caption, by_generator, columns, text_columns=2),
    ] if rows else []  # fmt: skip


def _heat(comparison: Comparison, rows: Sequence[Row], caption: str) -> Heat:
    """Rows are detectors and runs, columns are sources; marked and framed where one moved."""
    sources = sorted({row["source"] for row in rows}, key=_source_order)
    cells = {(row["detector"], row["run"], row["source"]): row for row in rows}
    body = [
        (f"{detector} · {run.label}", of_line)
        for detector in comparison.detectors(rows)
        for run in comparison.runs
        if any(of_line := [_cell(cells.get((detector, run.label, source))) for source in sources])
    ]
    return Heat(
        caption,
        ["Detector · run", *(sentence(comparison.named(source)) for source in sources)],
        body,
        say.marks(comparison.first.label),
        scale="share" if rows[0]["metric"] == "correct" else "auroc",
    )


def _cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    area, value, ci95 = row["metric"] == "auroc", row["value"], row["ci95"]
    text = number(value) if area else percent(value)
    small = number_range(value, ci95) if area else percent_range(value, ci95)
    moved = bool(row.get("moved"))
    mark = "" if not moved else " ▲" if row["difference"] > 0 else " ▼"
    return Cell(text + mark, small, value, framed=moved)


def _moves(comparison: Comparison, name: str) -> list[Block]:
    """For each further run: what moved, and every difference on demand."""
    blocks: list[Block] = []
    for run in comparison.others:
        if not (rows := comparison.compared(name, run)):
            continue
        against = f"{run.label} against {comparison.first.label}"
        blocks.append(Heading(f"What moved: {against}"))
        if moved := [row for row in rows if row["moved"]]:
            caption = say.moved(len(moved), SHOWN, against)
            blocks.append(_table(comparison, moved[:SHOWN], caption))
        else:
            blocks += say.paragraphs("nothing_moved")
        blocks += say.paragraphs("verdicts")
        blocks.append(_table(comparison, rows, f"All differences, the largest first, {against}"))
    return blocks


def _table(comparison: Comparison, rows: Sequence[Row], caption: str) -> Table:
    area = rows[0]["metric"] == "auroc"
    interval = number_interval if area else percent_interval
    columns: Columns = {
        "Detector": lambda row: row["detector"],
        "Source": lambda row: comparison.named(row["source"]),
        "Against": (lambda row: comparison.named(row["real_source"])) if area else None,
        "Operating point": None if area else lambda row: row["operating_point"],
        comparison.first.label: lambda row: interval(row["baseline"], row["baseline_ci95"]),
        rows[0]["run"]: lambda row: interval(row["value"], row["ci95"]),
        f"Difference{'' if area else ' in points'} (95 %)": difference_interval,
        "Moved?": lambda row: "yes" if row["moved"] else "perhaps" if row["beyond"] else "no",
    }
    return table(caption, rows, columns, text_columns=3)


def _range(row: Row, name: str) -> str:
    if row[name] is None:
        return "–"
    digits = 1 if row[name] >= 10 else 3
    return number_interval(row[name], row[f"{name}_range"] if row["seeds"] > 1 else None, digits)


def _source_order(source: str) -> tuple[int, str]:
    return (REALS.index(source) + 1 if source in REALS else 0, source)
