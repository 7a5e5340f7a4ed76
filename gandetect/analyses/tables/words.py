"""Of a table of scores: where its numbers come from, and what it cannot answer."""

from __future__ import annotations

from gandetect.analyses.analysis import OPENING, Analysis, Chapter
from gandetect.report.document import Block
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.statistics.scores import Metrics

say = Prose(__file__)


def opening(results: StudyResults) -> list[Block]:
    """Under the title: what the table holds."""
    facts = results.facts
    if not facts.is_table:
        return []
    sources = {cell["source"] for cell in results.metrics["cells"]}
    counts = {
        "detectors": len(results.detectors),
        "seeds": len(results.seeds),
        "generators": sum(source.startswith("generated:") for source in sources),
    }
    return [*say.paragraphs("opening", facts.table, counts, facts.reals)]


def warnings(results: StudyResults) -> list[Block]:
    """What makes the figures doubtful, before any of them."""
    if not results.facts.is_table:
        return []
    return [*say.paragraphs("warnings", results.facts.table, wrong_sign(results.metrics))]


def notes(results: StudyResults) -> list[Block]:
    """What the table lacks, and what was done with its rows."""
    table = results.facts.table
    if not table:
        return []
    return [*say.paragraphs("lacks", table), *say.paragraphs("handled", table)]


def wrong_sign(metrics: Metrics) -> list[str]:
    """Detectors that rank the fakes of every source below real images."""
    best: dict[str, float] = {}
    for pair in metrics["pairs"]:
        best[pair["detector"]] = max(pair["auroc"], best.get(pair["detector"], 0.0))
    return [detector for detector, area in best.items() if area < 0.5]


CHAPTERS = [
    Chapter(OPENING, "", [opening]),
    Chapter("The answer", "", [warnings]),
    Chapter("Can I trust this?", "", [notes]),
]
ANALYSIS = Analysis("tables", chapters=CHAPTERS)
