"""What trivial probes can tell: whether a detector had to look at the pictures at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.audit import numbers
from gandetect.analyses.audit.figure import differences
from gandetect.analyses.audit.numbers import warnings_of
from gandetect.analyses.audit.probes import LOOKS_AT
from gandetect.analyses.audit.sides import ACROSS
from gandetect.report.document import Block, Cell, Columns, Heat, Text, table
from gandetect.report.heatmaps import area_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import sentence
from gandetect.statistics.rows import Row, Rows, chosen, grouped, means
from gandetect.statistics.scores import IN_DISTRIBUTION

say = Prose(__file__)


def audit(results: StudyResults) -> list[Block]:
    """Copies and order, probes by generated source, what their hits mean, and detectors beside."""
    checked: Rows = results.metrics.get("audit_checks", [])
    # A row without a seed holds for all of them, and counts as the first.
    probed: Rows = [{"seed": 0, **row} for row in results.metrics.get("audit", [])]
    if not (probed or checked):
        return [*say.paragraphs("not_audited")]
    blocks: list[Block] = [*say.paragraphs("manager", _counts(results))]
    if checked:
        blocks.append(_sets(results, checked))
        blocks += [Text(one, "warning") for one in warnings_of(checked, [])]
    return blocks + (_probes(results, probed) if probed else [])


def _counts(results: StudyResults) -> tuple[int, int]:
    """How many checks of sets, and how many probes, are a warning."""
    checks, probes = (results.metrics.get(key, []) for key in ("audit_checks", "audit"))
    return len(warnings_of(checks, [])), len(warnings_of([], probes))


def _sets(results: StudyResults, checked: Rows) -> Block:
    """A line for each check, a column for each source."""

    def column(source: str) -> Callable[[tuple[str, str]], str]:
        return lambda line: say.checked(chosen(checked, source=source, check=line[0], side=line[1]))

    columns: Columns = {
        "Check": lambda line: line[0] if line[0] == ACROSS else f"{line[0]}, {line[1]} images",
        **{results.named(source): column(source) for (source,) in grouped(checked, "source")},
    }
    return table(say.sets(results.many_seeds), grouped(checked, "check", "side"), columns)


def _probes(results: StudyResults, probed: Rows) -> list[Block]:
    sources = [source for (source,) in grouped(probed, "source")]
    lines = [
        *((f"{probe}: {LOOKS_AT.get(probe, 'the files')}", of)
          for (probe,), of in grouped(probed, "probe").items()),
        *((sentence(results.short(name)), of)
          for (name,), of in grouped(_detectors(results), "detector").items()),
    ]  # fmt: skip
    return [
        Text(say.meaning()),
        Heat(
            say.caption(results.many_seeds),
            ["Probe or detector", *map(results.named, sources)],
            [(name, [_cell(chosen(of, source=one)) for one in sources]) for name, of in lines],
            scale="auroc",
        ),
        *(Text(one) for one in warnings_of([], [row for row in probed if row.get("where")])),
        *_maps(results),
        Text(say.hit()),
        Text(say.bar()),
        Text(say.statistics(), "note"),
    ]


def _maps(results: StudyResults) -> list[Block]:
    """The difference image of each source, of its first seed."""
    first = {one["source"]: one for one in reversed(results.inputs.audit.get("differences", []))}
    named = [(results.named(source), first[source]) for source in sorted(first)]
    return [say.figure("audit-differences", lambda: differences(named))] if named else []


def finding(results: StudyResults) -> str:
    """How many checks and probes are a warning, and the strongest."""
    probed: Rows = results.metrics.get("audit", [])
    areas = means(probed, "auroc", "source", "probe")
    (source, probe), area = max(areas.items(), key=lambda one: one[1], default=(("", ""), None))
    return say.hits(*_counts(results), len(areas), probe, results.named(source), area)


def _detectors(results: StudyResults) -> Rows:
    """Detectors on the fakes that they were trained on, against reals of the trained classes."""
    own = chosen(results.rows("pairs"), role="own", real=IN_DISTRIBUTION)
    return [{**pair, "source": pair["generated"], "ci95": pair["ci95"]["auroc"]} for pair in own]


def _cell(rows: Sequence[Row]) -> Cell | None:
    """The mean AUROC of all seeds, with its interval or the lowest and highest."""
    if not rows:
        return None
    areas = [row["auroc"] for row in rows]
    ends = rows[0]["ci95"] if len(rows) == 1 else [min(areas), max(areas)]
    return area_cell(fmean(areas), ends, any(row.get("warning") for row in rows))


CHAPTER = Chapter(
    "Can I trust this?",
    "Shortcuts: copies, order and trivial probes",
    [audit],
    finding,
    "shortcuts",
)
ANALYSIS = Analysis("audit", numbers.numbers, numbers.tidy_rows, [CHAPTER], beyond_scores=True)
