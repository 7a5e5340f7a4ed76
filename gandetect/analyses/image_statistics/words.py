"""What sets fakes apart in their pixels: spectra, grey levels and mean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

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
from gandetect.report.words import cell, count, number_interval
from gandetect.statistics.rows import Row, grouped, means
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

    def shown_as(key: str, digits: int) -> Callable[[Sequence[Row]], str]:
        return lambda of: cell(of, key, partial(number_interval, digits=digits))

    return [
        Text(say.meaning()),
        *map(figure, drawn),
        table(
            "Each source beside in-distribution reals",
            [by_source[source] for source in order],
            {
                "Source": lambda of: results.named(of[0]["source"]),
                "Images": lambda of: count(of[0]["n"]),
                "Mean grey level": lambda of: cell(
                    of, "mean_level", partial(number_interval, digits=1)
                ),
                "High frequencies, dB": lambda of: cell(
                    of, "high_db", partial(number_interval, digits=2)
                ),
                "Histogram distance": lambda of: cell(
                    of, "histogram_distance", partial(number_interval, digits=3)
                ),
                "Mean image distance": lambda of: cell(
                    of, "mean_distance", partial(number_interval, digits=1)
                ),
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
    rows = results.metrics.get("image_statistics", [])
    means_db = means((row for row in rows if "high_db" in row), "high_db", "source")
    differences = [f"{db:+z.1f} dB ({results.named(source)})" for (source,), db in means_db.items()]
    return say.finding(differences, results.many_seeds)


CHAPTER = Chapter(
    "Look at the images", "What sets fakes apart in their pixels", [image_statistics], finding
)
ANALYSIS = Analysis(
    "image_statistics", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True
)
