"""Detector by source, and how good the fakes were that were caught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.cross_evaluation import numbers
from gandetect.report.document import Block, Cell, Fold, Heat, Table, Text
from gandetect.report.material import Material, matrix_sources
from gandetect.report.words import (
    POINTS,
    count,
    detector_name,
    percent,
    percent_interval,
    percent_range,
    sentence,
)

YOUDEN = (
    " Youden's is the one that parts a classifier's validation images best: the share of fakes "
    "caught minus the share of reals delayed is at its largest (Youden 1950)."
)


FRAMED = "framed: fakes that a detector was trained on"


def matrix(material: Material) -> list[Block]:
    """The cross-evaluation: who answers what correctly, how often."""
    choosing = "validation" if material.labelled else "calibration"
    allowed = percent(material.inputs.experiment.evaluation.calibrated_fpr, 0)
    each = [_matrix_table(material, point) for point in material.points]
    return [
        Text(
            "Each cell is the share of a source's images that a detector answers correctly: "
            "generated ones called generated, real ones called real. The native operating point is "
            "the threshold of training, a score of 0; the calibrated one lets at most "
            f"{allowed} of the {choosing} reals be called generated, which are in no test group."
            + (YOUDEN if "youden" in material.points else "")
        ),
        *(
            share_heat(material, point, matrix_sources(material.metrics), POINTS[point])
            for point in material.points
        ),
        *([Fold("Run by run", each)] if material.many_seeds else []),
    ]


def share_heat(material: Material, point: str, sources: Sequence[str], title: str) -> Heat:
    """Share answered correctly by detector (rows) and source (columns), with its interval."""
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
    (Chapter("In short", "Every detector against every source", (matrix,)),),
)
