"""What variants change, in sentences that each stand on an interval."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.variants.effects import WANTED
from gandetect.analyses.variants.material import SHORT, Row, VariantsMaterial
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Heading, Items, Text
from gandetect.report.words import count, listing, percent, percent_interval, percent_range

ALPHA = 0.05
# What follows changes that are clear, that would be so alone, and that are not.
DOUBTS = ("", ", each clear alone, but not among {many}",
          ", which may be chance")  # fmt: skip
DONE = {
    "own": "own fakes caught",
    "other": "the other generator's fakes caught",
    "in-distribution": "in-distribution reals accepted",
    "held-out": "held-out reals accepted",
    "further": "the hardest further generator's fakes caught",
}


def verdict(material: VariantsMaterial) -> list[Block]:
    """Whether any detector holds on all four groups at once, or how far the best one is."""
    whole = [line for line in material.least if line["holds"] is not None]
    surely = [line for line in whole if line["holds_surely"]]
    holding = [line for line in whole if line["holds"] and not line["holds_surely"]]
    wanted = percent(WANTED, 0)
    blocks: list[Block] = []
    if surely:
        blocks.append(Text(
            f"At least {wanted} of all four groups at once, with all of their intervals: "
            f"{listing([_least(material, line) for line in surely])}.", "lead"))  # fmt: skip
    if holding:
        blocks.append(Text(
            f"At least {wanted} of all four groups on average, with an interval that goes below: "
            f"{listing([_least(material, line) for line in holding])}.", "lead"))  # fmt: skip
    if whole and not surely and not holding:
        best = max(whole, key=lambda line: float(line["least"]))
        short = 100 * (WANTED - best["least"])
        blocks.append(Text(
            f"No detector answers at least {wanted} of all four groups at once. The nearest is "
            f"{_least(material, best)}: {short:.1f} points short.", "lead"))  # fmt: skip
    return [*blocks, Text(_caution(material), "note")]


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
    rows = [material.row(line, "correct", group) for group in DONE]
    measured = [row for row in rows if row is not None]
    plain = line["base"] in material.bases and material.label(line) == line["variant"]
    head = f"On {line['base']}" if plain else line["detector"]
    moved = [row for row in measured if row["compared"]]
    sentence = _changes(material, moved) if moved else _levels(measured)
    least = f"{_interval(line)} of {SHORT[line['group']]}"
    return f"{head}: {sentence} Least of the four, at the stricter threshold: {least}."


def _changes(material: VariantsMaterial, rows: Sequence[Row]) -> str:
    """Differences from what it is compared with, clear ones first, of those the largest."""
    by_doubt: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (_doubt(row), -abs(row["compared"]["difference"]))):
        moved = row["compared"]
        covers = " over images of one run only" if moved["covers"] == "images" else ""
        beside = moved["variant"]
        compared = "" if beside == BASELINE else f" beside {beside}"
        words = "" if by_doubt else f"95 % interval{covers}{compared} "
        low, high = map(_points, moved["ci95"])
        change = f"{_points(moved['difference'])} points of {DONE[row['group']]}"
        by_doubt.setdefault(DOUBTS[_doubt(row)], []).append(f"{change} ({words}{low} to {high})")
    many = count(material.compared)
    return " ".join(f"{'; '.join(changes)}{doubt.format(many=many)}."
                    for doubt, changes in by_doubt.items())  # fmt: skip


def _doubt(row: Row) -> int:
    """The number of its sentence in `DOUBTS`."""
    low, high = row["compared"]["ci95"]
    if low <= 0 <= high:
        return 2
    return int(row["compared"]["p_holm"] >= ALPHA)


def _levels(rows: Sequence[Row]) -> str:
    """Figures of a detector that is compared with none."""
    levels = [
        f"{percent_interval(row['mean'], row['ci95'])} of {DONE[row['group']]}" for row in rows
    ]
    return f"{'; '.join(levels)} (95 % intervals)."


def _caution(material: VariantsMaterial) -> str:
    alone = len(material.experiment.seeds) == 1
    runs = (
        "There is one training run of each, so the intervals cover the drawing of images only: "
        "what another training would change is not in them. "
        if alone
        else ""
    )
    return (
        f"{runs}Differences are paired, run by run and, where the images are the same, image by "
        "image; they are at the calibrated point. Of twenty 95 % intervals one misses by chance; "
        f"some are clear alone, but not after correction for all {count(material.compared)} "
        "differences (Holm). The thresholds are taken as they were chosen, which makes intervals "
        "of in-distribution reals somewhat too narrow. The best of many looks a little better than "
        "it is, for it was picked on these very images."
    )


def _least(material: VariantsMaterial, line: Row) -> str:
    return f"{material.titled(line)} with {_interval(line)} of {SHORT[line['group']]}"


def _interval(line: Row) -> str:
    return f"{percent(line['least'])} ({percent_range(line['least'], line['ci95'])})"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")
