"""The figures of the runs side by side: heatmaps, and tables of what moved."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.compare.comparison import Comparison, Row, difference_interval
from gandetect.report.document import Block, Cell, Heading, Heat, Table, Text
from gandetect.report.prose import Prose
from gandetect.report.words import (
    POINTS,
    count,
    number,
    number_interval,
    percent,
    percent_interval,
    percent_range,
    sentence,
)
from gandetect.statistics.operating_points import OPERATING_POINTS

say = Prose(__file__)
SHOWN = 12  # moves in the table that one need not open
REALS = ("real:training", "real:in-distribution", "real:held-out")


def matrices(comparison: Comparison) -> list[Block]:
    """Detector by source at every operating point, the runs below each other."""
    rows = comparison.results["cells"]
    points = [
        point for point in OPERATING_POINTS if any(r["operating_point"] == point for r in rows)
    ]
    return [
        Text(say.shares(any(row["seeds"] > 1 for row in rows))),
        *(
            _heat(
                comparison,
                [row for row in rows if row["operating_point"] == point],
                f"Answered correctly, {POINTS.get(point, point)}",
            )
            for point in points
        ),
        *_moves(comparison, "cells"),
    ]


def areas(comparison: Comparison) -> list[Block]:
    """AUROC of every generated against every real source, side by side."""
    rows = comparison.results["pairs"]
    reals = dict.fromkeys(row["real_source"] for row in rows)
    return [
        Text(say.areas()),
        *(
            _heat(
                comparison,
                [row for row in rows if row["real_source"] == real],
                f"AUROC against {comparison.named(real)}",
            )
            for real in reals
        ),
        *_moves(comparison, "pairs"),
    ]


def quality(comparison: Comparison) -> list[Block]:
    """FID and KID of every generator of every run."""
    rows = comparison.results["quality"]
    if not rows:
        return []
    body = [
        [row["gan"], row["run"], count(row["seeds"]), _range(row, "fid"), _range(row, "kid")]
        for gan in dict.fromkeys(row["gan"] for row in rows)
        for row in rows
        if row["gan"] == gan
    ]
    return [
        Text(say.quality()),
        Table("How good the fakes are: mean over seeds (smallest to largest)",
              ["Generator", "Run", "Seeds", "FID", "KID"], body, text_columns=2),
    ]  # fmt: skip


def _heat(comparison: Comparison, rows: Sequence[Row], caption: str) -> Heat:
    """Rows are detectors and runs, columns are sources; marked and framed where one moved."""
    sources = sorted({row["source"] for row in rows}, key=_source_order)
    found = {(row["detector"], row["run"], row["source"]): row for row in rows}
    body = [
        (f"{detector} · {run.label}",
         [_cell(found.get((detector, run.label, source))) for source in sources])
        for detector in comparison.detectors(rows)
        for run in comparison.runs
        if any((detector, run.label, source) in found for source in sources)
    ]  # fmt: skip
    first = comparison.first.label
    return Heat(
        caption,
        ["Detector · run", *(sentence(comparison.named(source)) for source in sources)],
        body,
        f"▲ or ▼ and a frame: moved up or down against {first} by more than chance explains.",
        scale="share" if rows[0]["metric"] == "correct" else "auroc",
    )


def _cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    area, moved = row["metric"] == "auroc", bool(row.get("moved"))
    low, high = row["ci95"]
    text = number(row["value"]) if area else percent(row["value"])
    small = f"{low:.3f} to {high:.3f}" if area else percent_range(row["value"], row["ci95"])
    mark = "" if not moved else " ▲" if row["difference"] > 0 else " ▼"
    return Cell(text + mark, small, row["value"], framed=moved)


def _moves(comparison: Comparison, table: str) -> list[Block]:
    """For each further run: what moved, and every difference on demand."""
    blocks: list[Block] = []
    for run in comparison.others:
        rows = comparison.compared(table, run)
        if not rows:
            continue
        against = f"{run.label} against {comparison.first.label}"
        blocks.append(Heading(f"What moved: {against}"))
        moved = [row for row in rows if row["moved"]]
        if moved:
            shown = f"The {SHOWN} largest of {len(moved)}" if len(moved) > SHOWN else "All"
            caption = f"{shown} that moved by more than chance explains, {against}"
            blocks.append(_table(comparison, moved[:SHOWN], caption))
        else:
            blocks.append(Text("Nothing moved by more than chance explains."))
        blocks += say.paragraphs("verdicts")
        blocks.append(_table(comparison, rows, f"All differences, the largest first, {against}"))
    return blocks


def _table(comparison: Comparison, rows: Sequence[Row], caption: str) -> Table:
    label, area = rows[0]["run"], rows[0]["metric"] == "auroc"
    second = "Against" if area else "Operating point"
    body = [
        [
            row["detector"],
            comparison.named(row["source"]),
            comparison.named(row["real_source"]) if area else row["operating_point"],
            _value(row, "baseline"),
            _value(row),
            difference_interval(row),
            _verdict(row),
        ]
        for row in rows
    ]
    unit = "Difference (95 %)" if area else "Difference in points (95 %)"
    header = ["Detector", "Source", second, comparison.first.label, label, unit, "Moved?"]
    return Table(caption, header, body, text_columns=3)


def _value(row: Row, side: str = "value") -> str:
    show = number_interval if row["metric"] == "auroc" else percent_interval
    return show(row[side], row["ci95" if side == "value" else "baseline_ci95"])


def _verdict(row: Row) -> str:
    if row["moved"]:
        return "yes"
    return "perhaps" if row["beyond"] else "no"


def _range(row: Row, name: str) -> str:
    if row[name] is None:
        return "–"
    digits = 1 if row[name] >= 10 else 3
    return number_interval(row[name], row[f"{name}_range"] if row["seeds"] > 1 else None, digits)


def _source_order(source: str) -> tuple[int, str]:
    return (REALS.index(source) + 1 if source in REALS else 0, source)
