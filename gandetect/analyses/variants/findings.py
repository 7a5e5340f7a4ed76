"""What variants change, in sentences that each stand on an interval."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.variants.effects import FOUR, WANTED
from gandetect.analyses.variants.material import VariantsMaterial, say
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Heading, Items
from gandetect.statistics.rows import Row, grouped

ALPHA = 0.05
# What follows changes that are clear, that would be so alone, and that are not.


def verdict(material: VariantsMaterial) -> list[Block]:
    """Whether any detector holds on all four groups at once, or how far the best one is."""
    whole = [line for line in material.least if line["holds"] is not None]
    surely = [line for line in whole if line["holds_surely"]]
    holding = [line for line in whole if line["holds"] and not line["holds_surely"]]
    best = max(whole, key=lambda line: float(line["least"]), default=None)
    return [
        *say.paragraphs("verdict", material, WANTED, surely, holding, best),
        *say.paragraphs("caution", material),
    ]


def each_variant(material: VariantsMaterial) -> list[Block]:
    """Under each variant a sentence or more for each of its detectors."""
    blocks: list[Block] = []
    for name in material.places:
        lines = [line for line in material.least if line["variant"] == name]
        if name != BASELINE and lines:
            sentences = [(_of_detector(material, line), "") for line in lines]
            blocks += [Heading(name), Items(sentences)]
    return blocks


def _of_detector(material: VariantsMaterial, line: Row) -> str:
    groups = (*FOUR, "further")
    measured = [row for group in groups if (row := material.row(line, "correct", group))]
    moved = [row for row in measured if row["compared"]]
    changes = _changes(material, moved) if moved else say.levels(measured)
    return say.of_detector(material, line, changes)


def _changes(material: VariantsMaterial, rows: Sequence[Row]) -> str:
    """Differences from what it is compared with, clear ones first, of those the largest."""
    ordered = sorted(rows, key=lambda row: (_doubt(row), -abs(row["compared"]["difference"])))
    by_doubt = grouped(({**row, "doubt": _doubt(row)} for row in ordered), "doubt")
    return " ".join(
        say.changes(changes, doubt, place == 0, material.compared)
        for place, ((doubt,), changes) in enumerate(by_doubt.items())
    )


def _doubt(row: Row) -> int:
    """The number of its sentence in `DOUBTS`."""
    low, high = row["compared"]["ci95"]
    if low <= 0 <= high:
        return 2
    return int(row["compared"]["p_holm"] >= ALPHA)
