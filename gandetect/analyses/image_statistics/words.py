"""What sets fakes apart in their pixels: spectra, grey levels and mean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.image_statistics import numbers
from gandetect.analyses.image_statistics.figure import (
    Shown,
    histograms,
    mean_images,
    profiles,
    spectra,
)
from gandetect.report.document import Block, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number, spread
from gandetect.statistics.rows import Row, grouped
from gandetect.statistics.scores import IN_DISTRIBUTION, ordered

say = Prose(__file__)
Draw = Callable[[Shown, Sequence[Shown]], Figure]


def image_statistics(results: StudyResults) -> list[Block]:
    """Four figures and a table."""
    rows = results.metrics.get("image_statistics", [])
    if not rows:
        return [*say.paragraphs("not_measured")]
    by_source = {source: of for (source,), of in grouped(rows, "source").items()}
    order = [IN_DISTRIBUTION, *ordered(set(by_source) - {IN_DISTRIBUTION}, ())]
    shown = _shown(results, order)
    drawn: dict[str, Draw] = {
        "spectra": spectra,
        "spectrum-profiles": profiles,
        "grey-levels": histograms,
        "mean-images": mean_images,
    }
    names = [one.name for one in shown]

    def figure(name: str) -> Block:
        return say.figure(name, lambda: drawn[name](shown[0], shown[1:]), names)

    return [
        Text(say.meaning()),
        *map(figure, drawn),
        table(
            "Each source beside in-distribution reals",
            [by_source[source] for source in order],
            {
                "Source": lambda of: results.named(of[0]["source"]),
                "Images": lambda of: count(of[0]["n"]),
                "Mean grey level": lambda of: _cell(of, "mean_level", 1),
                "High frequencies, dB": lambda of: _cell(of, "high_db", 2),
                "Histogram distance": lambda of: _cell(of, "histogram_distance", 3),
                "Mean image distance": lambda of: _cell(of, "mean_distance", 1),
            },
        ),
        Text(say.how(max(row["n"] for row in rows)), "note"),
    ]


def _shown(results: StudyResults, order: Sequence[str]) -> list[Shown]:
    """The sources of the first seed, in-distribution reals first."""
    stored = numbers.split_by_source(results.inputs.image_statistics)
    first: dict[str, int] = {}
    for source, seed in stored:
        first[source] = min(seed, first.get(source, seed))
    return [Shown(one, results.named(one), stored[one, first[one]]) for one in order]


def finding(results: StudyResults) -> str:
    """How far each source's power in high frequencies is from that of in-distribution reals."""
    by_source = grouped(results.metrics.get("image_statistics", []), "source")
    differences = [
        f"{fmean(row['high_db'] for row in of):+z.1f} dB ({results.named(source)})"
        for (source,), of in by_source.items()
        if source != IN_DISTRIBUTION
    ]
    return say.finding(differences, results.many_seeds)


def _cell(rows: Sequence[Row], key: str, digits: int) -> str:
    """A number with its interval, or with the lowest and the highest of several seeds."""

    def said(value: float, interval: Sequence[float] | None) -> str:
        ends = f" ({' to '.join(number(end, digits) for end in interval)})" if interval else ""
        return number(value, digits) + ends

    if key not in rows[0]:
        return "–"
    if len(rows) == 1:
        return said(rows[0][key], rows[0].get(f"{key}_ci95"))
    return spread([row[key] for row in rows], said)


ANALYSIS = Analysis(
    "image_statistics",
    numbers.numbers,
    numbers.rows,
    [
        Chapter(
            "Look at the images",
            "What sets fakes apart in their pixels",
            [image_statistics],
            finding,
        )
    ],
)
