"""What sets fakes apart in their pixels: spectra, grey levels and mean images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.figure import Figure

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.image_statistics import figure, numbers
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import cell, count, number_interval
from gandetect.statistics.rows import Row, grouped, means
from gandetect.statistics.scores import IN_DISTRIBUTION, ordered

say = Prose(__file__)
FIGURES: dict[str, Callable[[figure.Shown, Sequence[figure.Shown]], Figure]] = {
    "spectra": figure.spectra,
    "spectrum-profiles": figure.profiles,
    "grey-levels": figure.histograms,
    "mean-images": figure.mean_images,
}


def image_statistics(results: StudyResults) -> list[Block]:
    """Four figures and a table."""
    rows = results.metrics.get("image_statistics", [])
    if not rows:
        return [*say.paragraphs("not_measured")]
    by_source = {source: of for (source,), of in grouped(rows, "source").items()}
    order = [IN_DISTRIBUTION, *ordered(set(by_source) - {IN_DISTRIBUTION}, ())]
    shown = _shown(results, order)
    names = [one.name for one in shown]

    def measured(key: str, digits: int) -> Callable[[Sequence[Row]], str]:
        return lambda of: cell(of, key, partial(number_interval, digits=digits))

    columns: Columns = {
        "Source": lambda of: results.named(of[0]["source"]),
        "Images": lambda of: count(of[0]["n"]),
        "Mean grey level": measured("mean_level", 1),
        "High frequencies, dB": measured("high_db", 2),
        "Histogram distance": measured("histogram_distance", 3),
        "Mean image distance": measured("mean_distance", 1),
    }
    caption = "Each source beside in-distribution reals"
    return [
        Text(say.meaning()),
        *(say.figure(name, partial(draw, shown[0], shown[1:]), names)
          for name, draw in FIGURES.items()),
        table(caption, [by_source[source] for source in order], columns),
        Text(say.how(max(row["n"] for row in rows)), "note"),
    ]  # fmt: skip


def _shown(results: StudyResults, order: Sequence[str]) -> list[figure.Shown]:
    """The sources of the first seed, in-distribution reals first."""
    stored = numbers.split_by_source(results.inputs.image_statistics)
    first = dict(sorted(stored, reverse=True))  # the lowest seed of each is the last
    return [figure.Shown(one, results.named(one), stored[one, first[one]]) for one in order]


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
