"""How many labelled images of a new source a threshold needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.k_shot import numbers
from gandetect.analyses.k_shot.figure import k_shot_curves
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    count,
    listing,
    percent_interval,
    spread,
)
from gandetect.statistics.rows import grouped

USEFUL = 0.6  # balanced accuracy; below it even the best cut is little better than a coin toss


CLOSE = 0.01  # a cut this near to the best one, in balanced accuracy, is called as good


def k_shot(material: Material) -> list[Block]:
    """How many labelled images of a new source a cut needs."""
    rows = material.rows("k_shot")
    if not rows:
        return material.not_measured("k_shot")
    shots = sorted({row["k"] for row in rows})
    header = ["Detector", "New source", *(_labels(k) for k in shots), "Best cut possible"]
    groups = grouped(rows, "detector", "source")
    detectors = material.present(rows)
    draws = max(row["draws"] for row in rows)
    whiskers = "lowest to highest run" if material.many_seeds else "the middle 95 % of the draws"
    return [
        Text(_shot_words(rows), "lead"),
        Text(
            "Nothing is trained again: only the cut moves. It is always the cut with the best "
            "balanced accuracy (the mean of fakes caught and honest images passed). With 0 labels "
            "it lies between calibration fakes of the kinds that the detector was trained on and "
            "calibration reals; with more, between that many fakes of the new source, drawn "
            f"{count(draws)} times, and calibration reals. It is judged on the fakes that were not "
            "drawn and on "
            "test reals of known classes. The best cut possible is chosen on the test images "
            "themselves: an upper bound that nobody can attain."
        ),
        drawn(
            "k-shot",
            lambda: k_shot_curves(rows, detectors),
            f"Balanced accuracy by number of labelled fakes. {_shot_words(rows)}",
            f"A line for each new source; whiskers: {whiskers}. Dashes at the right: the best cut "
            "possible.",
        ),
        Table(
            f"Balanced accuracy by labelled fakes of the new source (in brackets: {whiskers})",
            header,
            [_shot_row(material, group, shots) for group in groups.values()],
            text_columns=2,
        ),
        *material.not_measured("k_shot"),
    ]


def _shot_row(
    material: Material, group: Sequence[Mapping[str, Any]], shots: Sequence[int]
) -> list[str]:
    first = group[0]
    cells = []
    for k in shots:
        found = [row for row in group if row["k"] == k]
        if len(found) == 1 and found[0]["low"] is not None:
            (row,) = found
            cells.append(percent_interval(row["balanced_accuracy"], [row["low"], row["high"]]))
        else:
            values = [row["balanced_accuracy"] for row in found]
            cells.append(spread(values, percent_interval) if values else "–")
    best = list({row["detector_seed"]: row["oracle"] for row in group}.values())
    source = material.named(first["source"], first["detector"])
    return [first["detector"], source, *cells, spread(best, percent_interval)]


def _shot_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many labels bring the cut within one point of the best one, counted over pairs."""
    groups = list(grouped(rows, "detector", "source").values())
    best = [fmean(row["oracle"] for row in group) for group in groups]
    beyond = sum(value < USEFUL for value in best)
    parts = [
        f"Of {_pairs(len(groups))} of a detector and a source that is new to it, "
        f"{beyond or 'none'} {'is' if beyond == 1 else 'are'} beyond any cut, which is where even "
        f"the best possible one answers fewer than {100 * USEFUL:.0f} of 100 right (a coin toss "
        "answers 50)."
    ]
    needed = [_needed(group) for group in groups if fmean(r["oracle"] for r in group) >= USEFUL]
    if needed:
        shots = sorted({k for k in needed if k is not None})
        reached = [f"{needed.count(k)} with {_labels(k)}" for k in shots]
        if None in needed:
            reached.append(f"{needed.count(None)} with none of the numbers tried")
        parts.append(
            f"Of {'the other' if beyond else 'these'} {_pairs(len(needed))} the cut comes within "
            f"one point of the best possible in {listing(reached)}."
        )
    return " ".join(parts)


def _needed(group: Sequence[Mapping[str, Any]]) -> int | None:
    """Fewest labels with which the mean cut is as good as the best one; None when none is."""
    best = fmean(row["oracle"] for row in group)
    for k in sorted({row["k"] for row in group}):
        if fmean(row["balanced_accuracy"] for row in group if row["k"] == k) >= best - CLOSE:
            return int(k)
    return None


def _labels(k: int) -> str:
    return "no label" if k == 0 else f"{count(k)} labels"


def _pairs(n: int) -> str:
    return "1 pair" if n == 1 else f"{count(n)} pairs"


ANALYSIS = Analysis(
    "k_shot",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("What is behind it", "How many labelled images does a new source need?", [k_shot])
    ],
)
