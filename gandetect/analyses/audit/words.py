"""What trivial probes can tell: whether a detector had to look at the pictures at all."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.audit import numbers
from gandetect.analyses.audit.figure import probes_and_detectors
from gandetect.analyses.audit.numbers import warnings_of
from gandetect.analyses.audit.probes import LOOKS_AT
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.prose import Prose
from gandetect.report.words import number, number_interval
from gandetect.statistics.rows import Rows
from gandetect.statistics.scores import IN_DISTRIBUTION

say = Prose(__file__)


def audit(material: Material) -> list[Block]:
    """Probes by generated source, what their hits mean, and the detectors beside them."""
    probed = _probed(material)
    if not probed:
        return [Text("Not shown: no images were audited; run the study again to audit them.",
                     "missing")]  # fmt: skip
    detectors = _detectors(material)
    return [
        Text(say.meaning()),
        Text(say.hits(len(warnings_of(probed)), len(_means(probed, "probe"))), "note"),
        drawn(
            "audit",
            lambda: probes_and_detectors(probed, detectors, material.named),
            "AUROC of trivial probes; the numbers stand in the table below.",
            _caption(material, detectors),
        ),
        Table("Trivial probes", _header(material), _table(material, probed), text_columns=3),
        Text(say.hit()),
        *_compared(material, probed, detectors),
        Text(say.bar()),
    ]


def _probed(material: Material) -> Rows:
    """Rows of the audit; one without a seed holds for all of them, and counts as the first."""
    return [{"seed": 0, **row} for row in material.metrics.get("audit", [])]


def _detectors(material: Material) -> Rows:
    """Detectors on the fakes that they were trained on, against reals of the trained classes."""
    return [
        {
            "detector": pair["detector"],
            "seed": pair["detector_seed"],
            "source": pair["generated"],
            "auroc": pair["auroc"],
            "ci95": pair["ci95"]["auroc"],
        }
        for pair in material.metrics["pairs"]
        if pair["role"] == "own" and pair["real"] == IN_DISTRIBUTION
    ]


def _caption(material: Material, detectors: Rows) -> str:
    seeds = " A dot for each seed." if material.many_seeds else ""
    beside = (
        " Blue diamonds below the line: detectors on the fakes that they were trained on, against "
        "in-distribution test reals."
        if detectors
        else ""
    )
    return f"Orange: probes that are a warning. Bars: 95 % intervals, over images.{seeds}{beside}"


def _header(material: Material) -> list[str]:
    area = "AUROC (lowest to highest seed)" if material.many_seeds else "AUROC (95 % interval)"
    return ["Source", "Probe", "Looks at", area, "Warning"]


def _table(material: Material, probed: Rows) -> list[list[str]]:
    groups: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in probed:
        groups[row["source"], row["probe"]].append(row)
    return [
        [material.named(source), probe, LOOKS_AT.get(probe, "the files"), _area(rows), _flag(rows)]
        for (source, probe), rows in groups.items()
    ]


def _area(rows: Rows) -> str:
    areas = [row["auroc"] for row in rows]
    interval = rows[0]["ci95"] if len(rows) == 1 else [min(areas), max(areas)]
    return number_interval(fmean(areas), interval)


def _flag(rows: Rows) -> str:
    hits = sum(row["warning"] for row in rows)
    if len(rows) > 1 and hits:
        return f"in {hits} of {len(rows)} seeds"
    return "yes" if hits else "no"


def _means(rows: Rows, key: str) -> dict[tuple[str, str], float]:
    """Mean AUROC over seeds by source and name, in the order of the rows."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        groups[row["source"], row[key]].append(row["auroc"])
    return {name: fmean(areas) for name, areas in groups.items()}


def _compared(material: Material, probed: Rows, detectors: Rows) -> list[Block]:
    """A sentence for each detector and source: the probes that do as well as it does."""
    probes, blocks = _means(probed, "probe"), list[Block]()
    for (source, detector), area in _means(detectors, "detector").items():
        own = {probe: value for (of, probe), value in probes.items() if of == source}
        if own:
            best = max(own, key=lambda probe: own[probe])
            as_good = [
                f"{probe} ({number(value)})" for probe, value in own.items() if value >= area
            ]
            who = material.named(source), material.called(detector), material.many_seeds
            blocks.append(Text(say.compared(*who, area, as_good, best, own[best])))
    return blocks


ANALYSIS = Analysis(
    "audit",
    numbers.numbers,
    numbers.tidy_rows,
    chapters=[Chapter("What is behind it", "Shortcuts: what trivial probes can tell", [audit])],
)
