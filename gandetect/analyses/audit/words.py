"""What trivial probes can tell: whether a detector had to look at the pictures at all."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.audit import numbers
from gandetect.analyses.audit.figure import probes_and_detectors
from gandetect.analyses.audit.numbers import warnings_of
from gandetect.analyses.audit.probes import LOOKS_AT
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import count, listing, number, number_interval, sentence
from gandetect.statistics.scores import IN_DISTRIBUTION

Rows = list[dict[str, Any]]

MEANING = (
    "A probe is a small model on a few numbers of each image, such as how often each grey level "
    "occurs. It knows nothing of what the picture shows. Each is judged on images that it was not "
    "fitted to. A probe is a warning when its AUROC is above 0.6 and, beyond chance, above 0.55."
)
HIT = (
    "What a hit means: the fakes differ from the reals in something trivial, and a detector may "
    "have learnt that and nothing else. It may be a true artefact of how they were made, such as "
    "the checkerboard of transposed convolutions or a background that is not quite black. It "
    "may be an accident of the pipeline: another file format, a compression that only one side "
    "went through, floats against 8 bits. To tell them apart, send reals and fakes through one "
    "more identical step (save both as JPEG of one quality, or resize both) and audit again: "
    "what goes away with it was fragile or an accident. Then look whether the same probe also "
    "hits fakes that were made in another way but went through the same pipeline: an "
    "accident of the pipeline hits both, an artefact of the making need not."
)
BAR = (
    "A detector that does not beat the best probe has shown nothing more than the probe. Beating "
    "it does not prove that the detector looks at something else."
)


def audit(material: Material) -> list[Block]:
    """Probes by generated source, what their hits mean, and the detectors beside them."""
    probed = _probed(material)
    if not probed:
        return [Text("Not shown: no images were audited; run the study again to audit them.",
                     "missing")]  # fmt: skip
    detectors = _detectors(material)
    return [
        Text(MEANING),
        Text(_found(probed), "note"),
        drawn(
            "audit",
            lambda: probes_and_detectors(probed, detectors, material.named),
            f"AUROC of trivial probes. {_alt(probed)}.",
            _caption(material, detectors),
        ),
        Table("Trivial probes", _header(material), _table(material, probed), text_columns=3),
        Text(HIT),
        *(Text(text) for text in _compared(material, probed, detectors)),
        Text(BAR),
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


def _found(probed: Rows) -> str:
    hits = len(warnings_of(probed))
    all_of_them = len(_means(probed, "probe"))
    if not hits:
        return f"None of {count(all_of_them)} probes and sources is a warning."
    return f"{count(hits)} of {count(all_of_them)} pairs of probe and source are a warning."


def _alt(probed: Rows) -> str:
    means = _means(probed, "probe")
    return listing([f"{source}, {probe} {number(area)}" for (source, probe), area in means.items()])


def _caption(material: Material, detectors: Rows) -> str:
    seeds = " A dot for each seed." if material.many_seeds else ""
    beside = (
        " Blue diamonds below the line: detectors on the fakes that they were trained on, against "
        "test reals of trained classes."
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


def _compared(material: Material, probed: Rows, detectors: Rows) -> list[str]:
    """A sentence for each detector and source: the probes that do as well as it does."""
    probes = _means(probed, "probe")
    sentences = []
    for (source, detector), area in _means(detectors, "detector").items():
        own = {probe: value for (of, probe), value in probes.items() if of == source}
        if own:
            sentences.append(_comparison(material, source, detector, area, own))
    return sentences


def _comparison(
    material: Material, source: str, detector: str, area: float, probes: dict[str, float]
) -> str:
    best = max(probes, key=lambda probe: probes[probe])
    as_good = [f"{probe} ({number(value)})" for probe, value in probes.items() if value >= area]
    mean = "a mean AUROC of " if material.many_seeds else "an AUROC of "
    told = (
        f"{sentence(material.named(source))}: {material.called(detector)} tells them from real "
        f"ones with {mean}{number(area)}"
    )
    if as_good:
        probes_do = "this probe does" if len(as_good) == 1 else "these probes do"
        return (
            f"{told}, and {probes_do} as well without looking at the picture: {listing(as_good)}."
        )
    return f"{told}; the best probe, {best}, reaches {number(probes[best])}."


ANALYSIS = Analysis(
    "audit",
    numbers.numbers,
    numbers.tidy_rows,
    chapters=[Chapter("What is behind it", "Shortcuts: what trivial probes can tell", [audit])],
)
