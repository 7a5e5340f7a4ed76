"""How a study was computed: when each stage ran, and how many at a time."""

from __future__ import annotations

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.timing.figure import gantt
from gandetect.analyses.timing.numbers import slots, timeline
from gandetect.report.document import Block, Fold, Table, Text
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import stage_times

say = Prose(__file__)


def timing(results: StudyResults) -> list[Block]:
    """A Gantt chart, a sentence, and every stage on demand."""
    if not results.inputs.manifest:
        return results.absent("manifest.json")
    times = stage_times(results.inputs.manifest)
    line, room = timeline(times), slots(results.inputs.manifest)
    if not line.wall:
        return [*say.paragraphs("not_recorded")]
    rows = [[name, started, f"{seconds:,.1f}"] for name, started, seconds in times]
    every = Table("When each stage ran", ["Stage", "Started", "Seconds"], rows, text_columns=2)
    return [
        Text(say.summary(line, room)),
        say.figure("timing", lambda: gantt(line, room), line, room),
        Fold("Every stage with its start and its seconds", [every]),
    ]


def finding(results: StudyResults) -> str:
    """How many stages ran, and for how long."""
    line = timeline(stage_times(results.inputs.manifest)) if results.inputs.manifest else None
    return say.finding(line)


# Not in `metrics.json`: two runs of one study have equal numbers, and took their own time.
CHAPTER = Chapter("Where it comes from", "How it was computed", [timing], finding)
ANALYSIS = Analysis("timing", chapters=[CHAPTER], beyond_scores=True)
