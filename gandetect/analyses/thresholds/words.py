"""What other thresholds give: the explorer, and scores, curves and confusion in its place."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.thresholds import numbers
from gandetect.analyses.thresholds.explorer import explorer
from gandetect.analyses.thresholds.figure import roc_and_precision_recall, score_distributions
from gandetect.report.document import Block, Table, Text
from gandetect.report.heatmaps import confusion_matrices
from gandetect.report.material import Material, drawn
from gandetect.report.words import count, detector_name, number, percent


def curves(material: Material) -> list[Block]:
    """ROC and precision-recall curves."""
    if not material.metrics["pairs"]:
        return []
    return [
        drawn(
            "roc-precision-recall",
            lambda: roc_and_precision_recall(material.inputs.scores, material.metrics),
            "ROC and precision-recall curves; the AUROCs stand under “Whatever the threshold”.",
            "Dark orange: the fakes that a detector was trained on; light orange: others. Solid: "
            "against in-distribution test reals; dashed: held-out ones. Dotted: a coin "
            "toss." + (" A line for each seed." if material.many_seeds else ""),
        )
    ]


def thresholds(material: Material) -> list[Block]:
    """The threshold explorer, and in static figures what it shows."""
    static = [*distributions(material), *curves(material), *confusion(material)]
    found = explorer(material, static)
    return [found] if found else static


def distributions(material: Material) -> list[Block]:
    """Distributions of scores by source."""
    rows = [_cut_row(material, row) for row in material.metrics["operating_points"]]
    header = ["Detector", "Calibrated threshold", "Reals that chose it", "of them above 0",
              "of them above the calibrated threshold", "Youden's threshold"]  # fmt: skip
    columns = len(header) if "youden" in material.points else len(header) - 1
    return [
        drawn(
            "score-distributions",
            lambda: score_distributions(material.inputs.scores, material.metrics, material.named),
            "Distributions of scores by source; the thresholds stand in the table below.",
            "Everything right of a threshold is called generated. Tick: median. The outermost"
            " bins also hold the scores beyond them (at most 0.5 % of a source at each end)."
            + (f" Seed {material.seeds[0]} only." if material.many_seeds else ""),
        ),
        Table(
            "Where the thresholds lie, and the reals that chose them",
            header[:columns],
            [row[:columns] for row in rows],
        ),
    ]


def confusion(material: Material) -> list[Block]:
    """Confusion matrices of own generated images and all test reals."""
    if material.labelled and not material.has("held-out"):
        return []  # the same as the test split's, which stand above
    first = material.seeds[0]
    rows = [row for row in material.metrics["overall"] if row["detector_seed"] == first]
    rows.sort(key=lambda row: material.detectors.index(row["detector"]))
    if not rows:
        return [Text("Not shown: a detector's own generated images or the test reals are not "
                     "among the scores; score them first.", "missing")]  # fmt: skip
    return [
        drawn(
            "confusion",
            lambda: confusion_matrices(rows, material.points),
            "Confusion matrices; the counts stand in metrics.csv.",
            "Own generated images and all test reals: counts, and shares of the row's truth."
            + (f" Seed {first} only." if material.many_seeds else ""),
        )
    ]


def _cut_row(material: Material, row: dict[str, Any]) -> list[str]:
    name = detector_name(row, material.many_seeds)
    if "calibrated" not in row:
        return [name, "none: no calibration reals scored", "0", "–", "–",
                number(row.get("youden"), 2)]  # fmt: skip
    delayed = row["calibration_delayed"]
    return [
        name,
        number(row["calibrated"], 2),
        count(row["n_calibration"]),
        percent(delayed["native"]),
        percent(delayed["calibrated"]),
        number(row.get("youden"), 2),
    ]


ANALYSIS = Analysis(
    "thresholds",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("Try it", "Set the threshold yourself", [thresholds])],
)
