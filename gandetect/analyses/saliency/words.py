"""Which parts of an image move each detector's score, and what such maps do not prove."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.saliency import numbers
from gandetect.analyses.saliency.figure import Mapped, saliency_maps
from gandetect.report.document import Block, Fold, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import number, number_interval, percent, sentence, spread
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scores import ordered

say = Prose(__file__)


def saliency(results: StudyResults) -> list[Block]:
    """A figure for each detector, the table, and what it does not prove."""
    rows = results.rows("saliency")
    if not rows:
        return [*say.paragraphs("not_measured")]
    first = results.seeds[0]
    windows = next(
        one[key][0].size
        for one in results.inputs.saliency.values()
        for key in one
        if key.endswith("/maps")
    )
    return [
        Text(say.meaning(first if results.many_seeds else None)),
        *_figures(results, first),
        table(
            "What moves the scores",
            grouped(rows, "detector", "source").values(),
            {
                "Detector": lambda of: results.short(of[0]["detector"]),
                "Source": lambda of: results.named(of[0]["source"], of[0]["detector"]),
                "Largest change": lambda of: _cell(of, "largest", 2),
                "At the border": _at_border,
                "Like pixels": lambda of: _cell(of, "like_pixels", 2),
                "Like shuffled weights": lambda of: _cell(of, "like_shuffled", 2),
            },
            text_columns=2,
        ),
        Text(say.how(max(row["n"] for row in rows), windows), "note"),
        Text(say.caution()),
    ]


def finding(results: StudyResults) -> str:
    """Which detector looks at the border most, and whose maps tell least of its training."""
    rows = results.rows("saliency")
    return say.finding(_border(results, rows), _like_shuffled(results, rows))


def _figures(results: StudyResults, seed: int) -> list[Block]:
    """The first detector's maps in sight, the others' on demand."""
    blocks: list[Block] = []
    for detector in results.detectors:
        stored = numbers.split_by_source(results.inputs.saliency.get((detector, seed), {}))
        kept = {
            kind: getattr(results.inputs, kind).get((detector, seed), {}) for kind in numbers.KINDS
        }
        order = [one for one in ordered(stored, results.own(detector))
                 if all(one in of for of in kept.values())]  # fmt: skip
        if not order:
            continue
        shown = [
            Mapped(
                results.named(source, detector),
                stored[source],
                {kind: of[source] for kind, of in kept.items()},
            )
            for source in order
        ]
        called, names = results.called(detector), [one.name for one in shown]
        picture = say.figure("saliency", partial(saliency_maps, shown), called, names, of=detector)
        blocks.append(Fold(sentence(called), [picture]) if blocks else picture)
    return blocks


def _border(results: StudyResults, rows: Sequence[Row]) -> dict[str, Any] | None:
    """The detector that looks at the border the most, mean over sources and seeds."""
    known = [row for row in rows if row["border"] is not None]
    shares = {name: fmean(row["border"] for row in of)
              for (name,), of in grouped(known, "detector").items()}  # fmt: skip
    if not shares:
        return None
    name = max(shares, key=lambda one: shares[one])
    windows = fmean(row["border_windows"] for row in known)
    return {"detector": results.called(name), "share": shares[name], "windows": windows}


def _like_shuffled(results: StudyResults, rows: Sequence[Row]) -> dict[str, Any] | None:
    """The detector whose maps tell least of its training, mean over sources and seeds."""
    known = [row for row in rows if row["like_shuffled"] is not None]
    values = {name: fmean(row["like_shuffled"] for row in of)
              for (name,), of in grouped(known, "detector").items()}  # fmt: skip
    if not values:
        return None
    name = max(values, key=lambda one: values[one])
    return {"detector": results.called(name), "value": values[name]}


def _cell(rows: Sequence[Row], key: str, digits: int) -> str:
    """A number with its interval, or with the lowest and the highest of several seeds."""
    known = [row for row in rows if row[key] is not None]
    if not known:
        return "–"

    def said(value: float, interval: Sequence[float] | None) -> str:
        return number_interval(value, interval, digits)

    if len(known) == 1:
        return said(known[0][key], known[0].get(f"{key}_ci95"))
    return spread([row[key] for row in known], said)


def _at_border(rows: Sequence[Row]) -> str:
    known = [row for row in rows if row["border"] is not None]
    if not known:
        return number(None)
    return f"{percent(fmean(row['border'] for row in known), 0)} of the change"


ANALYSIS = Analysis(
    "saliency",
    numbers.numbers,
    numbers.rows,
    [Chapter("Look at the images", "What moves a detector's score", [saliency], finding)],
)
