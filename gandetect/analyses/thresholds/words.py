"""What other thresholds give: the explorer, and scores, curves and confusion in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.thresholds import numbers
from gandetect.analyses.thresholds.explorer import explorer
from gandetect.analyses.thresholds.figure import roc_and_precision_recall, score_distributions
from gandetect.report.document import Block, Columns, table
from gandetect.report.heatmaps import confusion_matrices
from gandetect.report.material import Material
from gandetect.report.prose import Prose
from gandetect.report.words import count, detector_name, number, percent
from gandetect.statistics.rows import Row, chosen

say = Prose(__file__)


def curves(material: Material) -> list[Block]:
    """ROC and precision-recall curves."""
    scores, metrics = material.inputs.scores, material.metrics
    if not metrics["pairs"]:
        return []
    draw = partial(roc_and_precision_recall, scores, metrics)
    return [say.figure("roc-precision-recall", draw, material.many_seeds)]


def thresholds(material: Material) -> list[Block]:
    """The threshold explorer, and in static figures what it shows."""
    static = [*distributions(material), *curves(material), *confusion(material)]
    found = explorer(material, static)
    return [found] if found else static


def distributions(material: Material) -> list[Block]:
    """Distributions of scores by source."""
    scores, metrics = material.inputs.scores, material.metrics
    draw = partial(score_distributions, scores, metrics, material.named)

    def above(point: str) -> Callable[[Row], str]:
        return lambda row: (
            percent(row["calibration_delayed"][point]) if "calibrated" in row else "–"
        )

    columns: Columns = {
        "Detector": lambda row: detector_name(row, material.many_seeds),
        "Calibrated threshold": lambda row: (
            number(row["calibrated"], 2) if "calibrated" in row else say.not_calibrated()
        ),
        "Reals that chose it": lambda row: count(row.get("n_calibration", 0)),
        "of them above 0": above("native"),
        "of them above the calibrated threshold": above("calibrated"),
        "Youden's threshold": (lambda row: number(row.get("youden"), 2))
        if "youden" in material.points
        else None,
    }
    caption = "Where the thresholds lie, and the reals that chose them"
    return [
        say.figure("score-distributions", draw, _first_seed(material)),
        table(caption, metrics["operating_points"], columns),
    ]


def confusion(material: Material) -> list[Block]:
    """Confusion matrices of own generated images and all test reals."""
    if material.labelled and not material.has("held-out"):
        return []  # the same as the test split's, which stand above
    first = chosen(material.rows("overall"), detector_seed=material.seeds[0])
    if not first:
        return [*say.paragraphs("no_confusion")]
    draw = partial(confusion_matrices, first, across="operating_point", down="detector")
    return [say.figure("confusion", draw, _first_seed(material))]


def _first_seed(material: Material) -> int | None:
    """The seed that is drawn where there are several."""
    return material.seeds[0] if material.many_seeds else None


ANALYSIS = Analysis(
    "thresholds",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("Try it", "Set the threshold yourself", [thresholds])],
)
