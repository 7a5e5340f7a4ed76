"""Training images beside unseen images of the same classes."""

from __future__ import annotations

from collections.abc import Callable

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.training_gap import numbers
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import number_interval, percent_interval, signed_points
from gandetect.statistics.rows import Row, chosen

say = Prose(__file__)


def gap(results: StudyResults) -> list[Block]:
    """Training images beside unseen images of the same classes."""
    rows = results.metrics["training_gap"]
    if not rows:
        return [*say.paragraphs("no_rows")]

    def share(split: str) -> Callable[[Row], str]:
        return lambda row: percent_interval(row[split]["correct"], row[split]["ci95"])

    def area(split: str) -> Callable[[Row], str]:
        return lambda row: number_interval(*row["auroc_own"][split].values())

    name: Columns = {"Detector": results.run_of}
    shares: Columns = {
        "Operating point": lambda row: row["operating_point"],
        "Correct on training images": share("training"),
        "Correct on unseen images": share("in-distribution"),
        "Difference in points": lambda row: signed_points(
            row["difference"], row["difference_ci95"]
        ),
    }
    areas: Columns = {
        "Against training images": area("training"),
        "Against unseen images": area("in-distribution"),
    }
    ranked = [row for row in chosen(rows, operating_point="native") if row["auroc_own"]]
    caption = "Real images of the training split, and unseen ones; each threshold held fixed"
    return [
        Text(say.meaning()),
        table(caption, rows, name | shares, text_columns=2),
        *([table("AUROC of a detector's own fakes", ranked, name | areas)] if ranked else []),
    ]


CHAPTER = Chapter("Can I trust this?", "Leaks: learnt by heart?", [gap], say.finding)
ANALYSIS = Analysis("training_gap", numbers.numbers, numbers.rows, [CHAPTER])
