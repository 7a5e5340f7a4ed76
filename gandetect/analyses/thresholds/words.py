"""What other thresholds give: the explorer, and scores, curves and confusion in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.thresholds import numbers
from gandetect.analyses.thresholds.explorer import explorer
from gandetect.analyses.thresholds.figure import roc_and_precision_recall, score_distributions
from gandetect.report.document import Block, Columns, table
from gandetect.report.heatmaps import confusion_heat
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number, percent
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def curves(results: StudyResults) -> list[Block]:
    """ROC and precision-recall curves."""
    if not results.metrics["pairs"]:
        return []
    draw = partial(roc_and_precision_recall, results.inputs.scores, results.metrics)
    return [say.figure("roc-precision-recall", draw, results.many_seeds, _known(results))]


def thresholds(results: StudyResults) -> list[Block]:
    """The threshold explorer."""
    block = explorer(results)
    return [block] if block else []


def promises(results: StudyResults) -> list[Block]:
    """What calibrated thresholds promise of new reals, for everybody and for a statistician."""
    rows = [row for row in results.rows("operating_points") if "expected_flagged" in row]
    blocks: list[Block] = []
    for of in grouped(rows, "n_calibration", "expected_flagged").values():
        blocks += say.paragraphs("promise", results, of)
    return [*blocks, *results.not_measured("operating_points")]


def distributions(results: StudyResults) -> list[Block]:
    """Distributions of scores by source."""
    draw = partial(score_distributions, results.inputs.scores, results.metrics, results.named)

    def above(point: str) -> Callable[[Row], str]:
        return lambda row: (
            percent(of[point]) if point in (of := row.get("calibration_flagged", {})) else "–"
        )

    def youden(row: Row) -> str:
        return number(row.get("youden"), 2)

    def upper_bound(row: Row) -> str:
        name = {key: row[key] for key in ("detector", "detector_seed")}
        return next(map(say.upper_bound, chosen(results.rows("upper_bound"), **name)), "–")

    columns: Columns = {
        "Detector": results.run_of,
        # Rounded up, so that who gives it to `gandetect score --at` flags no more than promised.
        "Calibrated threshold": lambda row: (
            number(ceil(100 * row["calibrated"]) / 100, 2)
            if "calibrated" in row
            else say.not_calibrated(row)
        ),
        "Reals that chose it": lambda row: count(row.get("n_calibration", 0)),
        "of them above 0": above("native"),
        "of them above the calibrated threshold": above("calibrated"),
        "Youden's threshold": youden if "youden" in results.points else None,
        "Upper bound: best on fakes and these test reals (not attainable)": upper_bound,
    }
    caption = "Where the thresholds lie, and the reals that chose them"
    return [
        say.figure("score-distributions", draw, results.seeds[0] if results.many_seeds else None),
        table(caption, results.metrics["operating_points"], columns),
    ]


def confusion(results: StudyResults) -> list[Block]:
    """Confusion matrices of own generated images and all test reals."""
    if results.labelled and not results.has("held-out"):
        return []  # the same as the test split's, which stand above
    if not (rows := results.rows("overall")):
        return [*say.paragraphs("no_confusion")]

    def name(row: Row) -> str:
        return f"{results.run_of(row)}, {row['operating_point']}"

    return [confusion_heat(say.confusion(_known(results)), rows, name)]


def _known(results: StudyResults) -> bool:
    """Whether anybody has said what the detectors were trained on."""
    return any(results.own(name) is not None for name in results.detectors)


CHAPTERS = [
    Chapter("Set the threshold yourself", "", [promises, thresholds]),
    Chapter(
        "Set the threshold yourself",
        "Scores and curves",
        [distributions, curves, confusion],
        say.finding,
    ),
]
ANALYSIS = Analysis("thresholds", numbers.numbers, numbers.rows, CHAPTERS)
