"""A whole analysis in one file: how large is each detector's largest score?"""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.tidy import tidy_row
from gandetect.report.document import Table
from gandetect.report.words import number


def numbers(study):
    """``largest`` of every run."""
    largest = [
        {**one.name, "largest": float(max(scores.max() for scores in one.sources.values()))}
        for one in study.subjects
    ]
    return {"largest": largest, "not_measured": {"largest": ["nothing is missing"]}}


def rows(metrics):
    """Each largest score."""
    for row in metrics["largest"]:
        yield tidy_row("largest", row, "largest score", row["largest"])


def largest(results):
    """A table of them."""
    body = [[row["detector"], number(row["largest"], 2)] for row in results.rows("largest")]
    return [Table("Largest scores", ["Detector", "Score"], body)]


def finding(results):
    """The largest of all."""
    return f"The largest is {max(row['largest'] for row in results.rows('largest')):.2f}."


LARGEST = Analysis(
    "largest",
    numbers,
    rows,
    [Chapter("What is behind it", "The largest score", [largest], finding)],
)
