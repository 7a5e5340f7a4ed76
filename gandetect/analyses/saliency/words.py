"""Which parts of an image move each detector's score, and what such maps do not prove."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.saliency import numbers
from gandetect.analyses.saliency.figure import Mapped, saliency_maps
from gandetect.report.document import Block, Columns, Fold, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import cell, number, number_interval, percent, sentence
from gandetect.statistics.rows import Row, grouped, means
from gandetect.statistics.scores import ordered

say = Prose(__file__)
two_digits = partial(number_interval, digits=2)


def saliency(results: StudyResults) -> list[Block]:
    """A figure for each detector, the table, and what it does not prove."""
    rows = results.rows("saliency")
    if not rows:
        return [*say.paragraphs("not_measured")]
    first = results.seeds[0]
    maps = (stored for one in results.inputs.saliency.values() for stored in one.items())
    windows = next(values[0].size for name, values in maps if name.endswith("/maps"))
    columns: Columns = {
        "Detector": lambda of: results.short(of[0]["detector"]),
        "Source": lambda of: results.named(of[0]["source"], of[0]["detector"]),
        "Largest change": lambda of: cell(of, "largest", two_digits),
        "At the border": _at_border,
        "Like pixels": lambda of: cell(of, "like_pixels", two_digits),
        "Like shuffled weights": lambda of: cell(of, "like_shuffled", two_digits),
    }
    lines = grouped(rows, "detector", "source").values()
    return [
        Text(say.meaning(first if results.many_seeds else None)),
        *_figures(results, first),
        table("What moves the scores", lines, columns, text_columns=2),
        Text(say.how(max(row["n"] for row in rows), windows), "note"),
        Text(say.caution()),
    ]


def finding(results: StudyResults) -> str:
    """How much detectors look at the border, and how little maps tell of their training."""
    rows = results.rows("saliency")
    windows = fmean(row["border_windows"] for row in rows) if rows else None
    return say.finding(_range(rows, "border"), windows, _range(rows, "like_shuffled"))


def _figures(results: StudyResults, seed: int) -> list[Block]:
    """The first detector's maps in sight, the others' on demand."""
    blocks: list[Block] = []
    for detector in results.detectors:
        run = detector, seed
        stored = numbers.split_by_source(results.inputs.saliency.get(run, {}))
        kept = {kind: getattr(results.inputs, kind).get(run, {}) for kind in numbers.KINDS}
        shown = [
            Mapped(results.named(source, detector), stored[source],
                   {kind: of[source] for kind, of in kept.items()})
            for source in ordered(stored, results.own(detector))
            if all(source in of for of in kept.values())
        ]  # fmt: skip
        if not shown:
            continue
        called, names = results.called(detector), [one.name for one in shown]
        picture = say.figure("saliency", partial(saliency_maps, shown), called, names, of=detector)
        blocks.append(Fold(sentence(called), [picture]) if blocks else picture)
    return blocks


def _range(rows: Sequence[Row], key: str) -> list[float]:
    """The least and the largest mean of a detector over sources and seeds; nothing without."""
    values = means([row for row in rows if row[key] is not None], key, "detector").values()
    return [min(values), max(values)] if values else []


def _at_border(rows: Sequence[Row]) -> str:
    known = [row for row in rows if row["border"] is not None]
    if not known:
        return number(None)
    return f"{percent(fmean(row['border'] for row in known), 0)} of the change"


CHAPTER = Chapter("Look at the images", "What moves a detector's score", [saliency], finding)
ANALYSIS = Analysis("saliency", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True)
