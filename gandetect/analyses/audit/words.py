"""What trivial probes can tell: whether a detector had to look at the pictures at all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.audit import numbers
from gandetect.analyses.audit.numbers import warnings_of
from gandetect.analyses.audit.probes import LOOKS_AT
from gandetect.report.document import Block, Cell, Heat, Text
from gandetect.report.heatmaps import area_cell
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import sentence
from gandetect.statistics.rows import Row, Rows, chosen, grouped, means
from gandetect.statistics.scores import IN_DISTRIBUTION

say = Prose(__file__)


def audit(results: StudyResults) -> list[Block]:
    """Probes by generated source, what their hits mean, and the detectors beside them."""
    # A row without a seed holds for all of them, and counts as the first.
    probed: Rows = [{"seed": 0, **row} for row in results.metrics.get("audit", [])]
    if not probed:
        return [*say.paragraphs("not_audited")]
    detectors = _detectors(results)
    sources = list(dict.fromkeys(row["source"] for row in probed))
    lines = [
        *((f"{probe}: {LOOKS_AT.get(probe, 'the files')}", of)
          for (probe,), of in grouped(probed, "probe").items()),
        *((sentence(results.short(name)), of)
          for (name,), of in grouped(detectors, "detector").items()),
    ]  # fmt: skip
    return [
        Text(say.meaning()),
        Heat(
            say.caption(results.many_seeds),
            ["Probe or detector", *map(results.named, sources)],
            [(name, [_cell(chosen(of, source=one)) for one in sources]) for name, of in lines],
            scale="auroc",
        ),
        Text(say.hit()),
        Text(say.bar()),
    ]


def finding(results: StudyResults) -> str:
    """How many probes are a warning, and the strongest."""
    probed: Rows = [{"seed": 0, **row} for row in results.metrics.get("audit", [])]
    areas = means(probed, "auroc", "source", "probe")
    (source, probe), area = max(areas.items(), key=lambda one: one[1], default=(("", ""), None))
    return say.hits(len(warnings_of(probed)), len(areas), probe, results.named(source), area)


def _detectors(results: StudyResults) -> Rows:
    """Detectors on the fakes that they were trained on, against reals of the trained classes."""
    return [
        {
            "detector": pair["detector"],
            "seed": pair["detector_seed"],
            "source": pair["generated"],
            "auroc": pair["auroc"],
            "ci95": pair["ci95"]["auroc"],
        }
        for pair in results.rows("pairs")
        if pair["role"] == "own" and pair["real"] == IN_DISTRIBUTION
    ]


def _cell(rows: Sequence[Row]) -> Cell | None:
    """The mean AUROC of all seeds, with its interval or the lowest and highest."""
    if not rows:
        return None
    areas = [row["auroc"] for row in rows]
    ends = rows[0]["ci95"] if len(rows) == 1 else [min(areas), max(areas)]
    warned = any(row.get("warning") for row in rows)
    return area_cell(fmean(areas), ends, warned)


ANALYSIS = Analysis(
    "audit",
    numbers.numbers,
    numbers.tidy_rows,
    chapters=[
        Chapter(
            "Can I trust this?",
            "Shortcuts: trivial probes",
            [audit],
            finding,
            "shortcuts",
        )
    ],
    beyond_scores=True,
)
