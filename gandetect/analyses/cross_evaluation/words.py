"""Detector by source, and how good the fakes were that were caught."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.cross_evaluation import numbers
from gandetect.report.document import Block, Cell, Fold, Heat, Table, Text
from gandetect.report.material import Material, matrix_sources
from gandetect.report.prose import Prose
from gandetect.report.words import (
    POINTS,
    count,
    detector_name,
    percent,
    percent_interval,
    percent_range,
    sentence,
)

FRAMED = "framed: fakes that a detector was trained on"
say = Prose(__file__)


def matrix(material: Material) -> list[Block]:
    """How to read the matrix of the answer, the same at the other points, and run by run."""
    allowed = material.inputs.experiment.evaluation.calibrated_fpr
    others = [point for point in material.points if point != material.point]
    each = [_matrix_table(material, point) for point in material.points]
    return [
        Text(say.meaning(material, allowed)),
        *(share_heat(material, point, POINTS[point]) for point in others),
        *([Fold("Run by run", each)] if material.many_seeds else []),
    ]


def share_heat(material: Material, point: str, title: str) -> Heat:
    """Share answered correctly by detector (rows) and source (columns), with its interval."""
    sources = matrix_sources(material.metrics)
    of_cell = {
        (row["detector"], row["source"]): row
        for row in material.metrics["across_seeds"]
        if row["operating_point"] == point
    }
    rows = [
        (
            sentence(material.short(name)),
            [_heat_cell(of_cell.get((name, source))) for source in sources],
        )
        for name in material.detectors
        if any((name, source) in of_cell for source in sources)
    ]
    header = ["Detector", *(sentence(material.named(source)) for source in sources)]
    return Heat(
        f"{sentence(title)}: answered correctly, {_covers(material)}; {FRAMED}", header, rows
    )


def _heat_cell(row: dict[str, Any] | None) -> Cell | None:
    if row is None:
        return None
    many = len(row["seeds"])
    n = f"{count(row['n'][0])} images" + (f" of each of {many} runs" if many > 1 else "")
    return Cell(
        percent(row["mean"]),
        percent_range(row["mean"], row["ci95"]),
        row["mean"],
        row["role"] == "own",
        n,
    )


def _covers(material: Material) -> str:
    return "95 % intervals over " + ("runs and images" if material.many_seeds else "images")


def _matrix_table(material: Material, point: str) -> Table:
    sources = matrix_sources(material.metrics)
    rows = []
    for detector in material.detectors:
        for seed in material.seeds:
            found = {
                cell["source"]: percent_interval(cell["correct"], cell["ci95"])
                for source in sources
                for cell in material.cells(detector, source, point)
                if cell["detector_seed"] == seed
            }
            if found:
                name = detector_name(
                    {"detector": detector, "detector_seed": seed}, material.many_seeds
                )
                rows.append([name, *(found.get(source, "–") for source in sources)])
    header = ["Detector", *(sentence(material.named(source)) for source in sources)]
    return Table(f"Answered correctly, {POINTS[point]} (95 % Wilson interval)", header, rows)


ANALYSIS = Analysis(
    "cross_evaluation",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("In short", "Every detector against every source", [matrix])],
)
