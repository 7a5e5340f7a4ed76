"""What variants change, in sentences that each stand on an interval."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.variants.effects import FOUR, WANTED
from gandetect.analyses.variants.results import VariantsResults, say
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Heading, Items
from gandetect.statistics.rows import Row, grouped

ALPHA = 0.05
# What follows changes that are clear, that would be so alone, and that are not.


def verdict(results: VariantsResults) -> list[Block]:
    """Whether any detector holds on all four groups at once, or how far the best one is."""
    whole = [line for line in results.least if line["holds"] is not None]
    surely = [line for line in whole if line["holds_surely"]]
    holding = [line for line in whole if line["holds"] and not line["holds_surely"]]
    best = max(whole, key=lambda line: float(line["least"]), default=None)
    return [
        *say.paragraphs("verdict", results, WANTED, surely, holding, best),
        *say.paragraphs("caution", results),
    ]


def each_variant(results: VariantsResults) -> list[Block]:
    """Under each variant a sentence or more for each of its detectors."""
    blocks: list[Block] = []
    for name in results.places:
        lines = [line for line in results.least if line["variant"] == name]
        if name != BASELINE and lines:
            sentences = [(_of_detector(results, line), "") for line in lines]
            blocks += [Heading(name), Items(sentences)]
    return blocks


def _of_detector(results: VariantsResults, line: Row) -> str:
    groups = (*FOUR, "further")
    measured = [row for group in groups if (row := results.row(line, "correct", group))]
    moved = [row for row in measured if row["compared"]]
    changes = _changes(results, moved) if moved else say.levels(measured)
    return say.of_detector(results, line, changes)


def _changes(results: VariantsResults, rows: Sequence[Row]) -> str:
    """Differences from what it is compared with, clear ones first, of those the largest."""
    ordered = sorted(rows, key=lambda row: (_doubt(row), -abs(row["compared"]["difference"])))
    by_doubt = grouped(({**row, "doubt": _doubt(row)} for row in ordered), "doubt")
    return " ".join(
        say.changes(changes, doubt, place == 0, results.compared)
        for place, ((doubt,), changes) in enumerate(by_doubt.items())
    )


def _doubt(row: Row) -> int:
    """The number of its sentence in `DOUBTS`."""
    low, high = row["compared"]["ci95"]
    if low <= 0 <= high:
        return 2
    return int(row["compared"]["p_holm"] >= ALPHA)
