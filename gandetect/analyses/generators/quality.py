"""How good the fakes are: FID, KID, confidence and the spread over classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gandetect.analyses.generators.figure import class_spread
from gandetect.report.document import Block, Columns, Table, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number, percent


def quality(results: StudyResults) -> list[Block]:
    """FID, KID, confidence and class spread of every generator."""
    if results.labelled:
        return []
    rows = results.inputs.quality
    opening = [*say.paragraphs("quality", results.inputs.classifier if rows else {})]
    if not rows:
        return [*opening, *results.absent("quality.json")]
    return [*opening, _quality_table(results, rows), *_spread(results, rows)]


def _quality_table(results: StudyResults, rows: list[dict[str, Any]]) -> Table:
    columns: Columns = {
        "Generator": lambda row: results.title_of((row["gan"], row.get("seed", 0))),
        "Epoch": lambda row: str(row.get("epoch", "–")),
        "FID": lambda row: number(row.get("fid"), 1),
        "KID (sd)": say.kid,
        "Confidence": lambda row: number(row.get("confidence"), 2),
        "Most common class": lambda row: _most_common(results, row.get("class_shares") or []),
        "n": lambda row: count(row["n"]) if "n" in row else "–",
    }
    return table("How good the fakes are", rows, columns)


def _most_common(results: StudyResults, shares: Sequence[float]) -> str:
    top = max(range(len(shares)), key=shares.__getitem__, default=None)
    if top is None:
        return "–"
    return f"{class_names(results, len(shares))[top]}, {percent(shares[top], 0)}"


def _spread(results: StudyResults, rows: list[dict[str, Any]]) -> list[Block]:
    spreads = {
        results.title_of((row["gan"], row.get("seed", 0))): row["class_shares"]
        for row in rows
        if row.get("class_shares")
    }
    if not spreads:
        return results.absent("quality.json")
    classes = class_names(results, len(next(iter(spreads.values()))))
    return [say.figure("class-spread", lambda: class_spread(spreads, classes))]


def class_names(results: StudyResults, n: int) -> list[str]:
    """Names of the classes as the data set gives them, or their numbers."""
    names = list(results.inputs.data.get("classes") or FASHION)
    return [str(names[i]) if i < len(names) else str(i) for i in range(n)]


say = Prose(__file__)
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
