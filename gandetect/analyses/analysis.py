"""What an analysis is: numbers from scores, rows of a table, and chapters of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gandetect.statistics.rows import Row
from gandetect.statistics.scores import Metrics

if TYPE_CHECKING:
    from gandetect.analyses.study import ScoredStudy
    from gandetect.report.document import Block
    from gandetect.report.results import StudyResults

OPENING = ""  # the part under the title, before the first chapter
# The parts of the report, in order.
PARTS = (
    "The answer",
    "Set the threshold yourself",
    "Look at the images",
    "Can I trust this?",
    "What is behind it",
    "The training",
    "Beside published figures",
    "Where it comes from",
)


@dataclass(frozen=True)
class Chapter:
    """Pieces of a part of the report, open without a title, else closed until asked for.

    Each piece returns blocks; one that fails costs no other. ``finding`` says in one line what a
    closed chapter holds; ``anchor`` is its address in the page, by default its analysis's name.
    """

    part: str
    title: str
    pieces: Sequence[Callable[[StudyResults], Iterable[Block]]]
    finding: Callable[[StudyResults], str] = lambda _: ""
    anchor: str = ""


@dataclass(frozen=True)
class Analysis:
    """One question to the scores of a study.

    ``numbers`` returns keys of `metrics.json`, and ``rows`` the same numbers as `tidy.tidy_row`
    makes them; both are pure. What could not be measured is no row: `numbers` may return
    ``not_measured``, a list of sentences by key. What needs images or trainings is
    ``beyond_scores``: it has no chapter where there is nothing but a table of scores.
    """

    name: str
    numbers: Callable[[ScoredStudy], Metrics] = lambda _: {}
    rows: Callable[[Metrics], Iterable[Row]] = lambda _: ()
    chapters: Sequence[Chapter] = ()
    beyond_scores: bool = False
