"""What trivial probes can tell: whether a detector had to look at the pictures at all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.audit import numbers
from gandetect.analyses.audit.figure import probes_and_detectors
from gandetect.analyses.audit.numbers import warnings_of
from gandetect.analyses.audit.probes import LOOKS_AT
from gandetect.report.document import Block, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import number, number_interval
from gandetect.statistics.rows import Row, Rows, grouped
from gandetect.statistics.scores import IN_DISTRIBUTION

say = Prose(__file__)


def audit(results: StudyResults) -> list[Block]:
    """Probes by generated source, what their hits mean, and the detectors beside them."""
    # A row without a seed holds for all of them, and counts as the first.
    probed: Rows = [{"seed": 0, **row} for row in results.metrics.get("audit", [])]
    if not probed:
        return [*say.paragraphs("not_audited")]
    detectors, many = _detectors(results), results.many_seeds
    return [
        Text(say.meaning()),
        say.figure(
            "audit",
            lambda: probes_and_detectors(probed, detectors, results.named),
            many,
            bool(detectors),
        ),
        table(
            "Trivial probes",
            grouped(probed, "source", "probe").values(),
            {
                "Source": lambda rows: results.named(rows[0]["source"]),
                "Probe": lambda rows: rows[0]["probe"],
                "Looks at": lambda rows: LOOKS_AT.get(rows[0]["probe"], "the files"),
                f"AUROC ({'lowest to highest seed' if many else '95 % interval'})": _area,
                "Warning": _flag,
            },
            text_columns=3,
        ),
        Text(say.hit()),
        *_compared(results, probed, detectors),
        Text(say.bar()),
    ]


def finding(results: StudyResults) -> str:
    """How many probes are a warning, and the strongest."""
    probed: Rows = [{"seed": 0, **row} for row in results.metrics.get("audit", [])]
    means = _means(probed, "probe")
    (source, probe), area = max(means.items(), key=lambda one: one[1], default=(("", ""), None))
    return say.hits(len(warnings_of(probed)), len(means), probe, results.named(source), area)


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
        for pair in results.metrics["pairs"]
        if pair["role"] == "own" and pair["real"] == IN_DISTRIBUTION
    ]


def _area(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return number_interval(rows[0]["auroc"], rows[0]["ci95"])
    areas = [row["auroc"] for row in rows]
    return number_interval(fmean(areas), [min(areas), max(areas)])


def _flag(rows: Sequence[Row]) -> str:
    hits = sum(row["warning"] for row in rows)
    if len(rows) > 1 and hits:
        return f"in {hits} of {len(rows)} seeds"
    return "yes" if hits else "no"


def _means(rows: Rows, key: str) -> dict[tuple[str, str], float]:
    """Mean AUROC over seeds by source and name, in the order of the rows."""
    return {
        (source, name): fmean(row["auroc"] for row in of)
        for (source, name), of in grouped(rows, "source", key).items()
    }


def _compared(results: StudyResults, probed: Rows, detectors: Rows) -> list[Block]:
    """A sentence for each detector and source: the probes that do as well as it does."""
    probes, blocks = _means(probed, "probe"), list[Block]()
    for (source, detector), area in _means(detectors, "detector").items():
        own = {probe: value for (of, probe), value in probes.items() if of == source}
        if own:
            best = max(own, key=lambda probe: own[probe])
            as_good = [
                f"{probe} ({number(value)})" for probe, value in own.items() if value >= area
            ]
            who = results.named(source), results.called(detector), results.many_seeds
            blocks.append(Text(say.compared(*who, area, as_good, best, own[best])))
    return blocks


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
)
