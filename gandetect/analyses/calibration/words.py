"""Whether a score can be read as a probability, and what moving the cut can mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.calibration import numbers
from gandetect.analyses.calibration.figure import ROLES, reliability_diagrams
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    chosen_on,
    listing,
    number,
    number_interval,
    percent,
    percent_interval,
    spread,
)
from gandetect.statistics.rows import grouped

METHODS = {
    "none": "as scored",
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
}


HONEST = {"real:in-distribution": "known classes", "real:held-out": "held-out classes"}
ALWAYS_HALF = 0.25  # the Brier score of always saying 50 %


def calibration(material: Material) -> list[Block]:
    """Reliability before and after calibration, its measures, and cuts that delay few."""
    rows = material.rows("calibration")
    blocks: list[Block] = []
    if rows:
        blocks += [_calibration_lead(rows), *_reliability(material), _measures(material, rows)]
    blocks += material.not_measured("calibration")
    few = material.rows("low_fpr")
    if few:
        blocks += _low_fpr(material, few)
    return [*blocks, *material.not_measured("low_fpr")]


def _calibration_lead(rows: Sequence[Mapping[str, Any]]) -> Text:
    parts = ["When a detector says 90 %, is it right 90 times of 100?"]
    for method, opening in (
        ("none", "As they come, the probabilities that detectors state are off by"),
        ("platt", f"After a scale and a shift, fitted on {chosen_on(rows)}, they are off by"),
    ):
        errors = {role: _values(rows, role, method, "ece") for role in ROLES}
        named = [f"{points(found)} on {ROLES[role][0]}" for role, found in errors.items() if found]
        if named:
            parts.append(f"{opening} {listing(named)}.")
    brier = _values(rows, "other", "platt", "brier")
    if brier and fmean(brier) >= ALWAYS_HALF:
        parts.append(
            "On other fakes they are then, on average, no better than always saying 50 % "
            f"(Brier score {number(fmean(brier))})."
        )
    return Text(" ".join(parts), "lead")


def _values(rows: Sequence[Mapping[str, Any]], role: str, method: str, measure: str) -> list[float]:
    """One measure of a method against reals of known classes, over runs and sources."""
    return [
        row[measure]
        for row in rows
        if (row["role"], row["method"], row["real"]) == (role, method, "real:in-distribution")
    ]


def points(values: Sequence[float]) -> str:
    """Shares as points of 100, from the lowest to the highest.

    >>> points([0.264, 0.31]), points([0.01])
    ('26.4 to 31.0 points of 100', '1.0 points of 100')
    """
    low, high = f"{100 * min(values):.1f}", f"{100 * max(values):.1f}"
    return f"{low if low == high else f'{low} to {high}'} points of 100"


def _reliability(material: Material) -> list[Block]:
    curves = material.metrics.get("reliability", [])
    methods = [name for name in ("none", "platt", "isotonic")
               if any(curve["method"] == name for curve in curves)]  # fmt: skip
    if not methods:
        return []
    detectors = material.present(curves)
    intervals = "A line for each run." if material.many_seeds else "Bars: 95 % over images."
    return [
        drawn(
            "reliability",
            lambda: reliability_diagrams(curves, detectors, methods),
            "Reliability diagrams before and after calibration: the probability of being "
            f"generated that {listing(detectors)} state, against the share that was; the "
            "errors stand in the table below.",
            "On the dotted line a stated probability is what was so; a point below it is a "
            "detector too ready to call images generated. Bins hold equal mass, real and generated "
            f"counting half each. {intervals}",
        )
    ]


def _measures(material: Material, rows: Sequence[Mapping[str, Any]]) -> Table:
    header = ["Detector", "Fakes", "Reals"]
    header += [f"ECE, {words}" for words in METHODS.values()]
    header += [f"Brier, {METHODS[name]}" for name in ("none", "platt", "isotonic")]
    wanted = [("ece", name) for name in METHODS]
    wanted += [("brier", name) for name in ("none", "platt", "isotonic")]
    body = []
    for (detector, role, real), group in grouped(rows, "detector", "role", "real").items():
        cells = [
            spread([row[measure] for row in group if row["method"] == method], number_interval)
            for measure, method in wanted
        ]
        body.append([detector, f"{ROLES[role][0]}{_how_many(group)}", HONEST[real], *cells])
    several = any(" (" in cell for line in body for cell in line[3:])
    note = " Mean, and the lowest and highest run or source." if several else ""
    return Table(
        "Calibration error (ECE, 15 bins of equal mass; 0 is best, though a sample never shows 0) "
        f"and Brier score (always saying 50 % has 0.25); fitted on {chosen_on(rows)}.{note}",
        header,
        body,
        text_columns=3,
    )


def _low_fpr(material: Material, rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    roles = [role for role in (*ROLES, "in-distribution", "held-out")
             if any(row["role"] == role for row in rows)]  # fmt: skip
    allowed = listing([f"{100 * fpr:g}" for fpr in sorted({r["fpr"] for r in rows})], "or")
    names = {role: f"{words[0]} caught" for role, words in ROLES.items()}
    names |= {"in-distribution": "known classes delayed", "held-out": "held-out classes delayed"}
    body = []
    for (detector, fpr), group in grouped(rows, "detector", "fpr").items():
        cells = [_called([row for row in group if row["role"] == role]) for role in roles]
        body.append([detector, f"{100 * fpr:g} %", *cells])
    return [
        Text(
            f"A marketplace can delay few honest photos. These cuts let only {allowed} of 100 "
            f"reals be delayed, of the {chosen_on(rows)} that chose them; the shares of test reals "
            "say what came of it. "
            f"{_caught_words(rows)}"
        ),
        Table(
            "Caught, when few honest images may be delayed (one run and source: 95 % interval over "
            "test images; several: their mean, lowest and highest)",
            ["Detector", "May be delayed", *(names[role] for role in roles)],
            body,
            text_columns=2,
        ),
    ]


def _caught_words(rows: Sequence[Mapping[str, Any]]) -> str:
    strictest = min(row["fpr"] for row in rows)
    parts = []
    for role in ROLES:
        found = [r["called"] for r in rows if r["role"] == role and r["fpr"] == strictest]
        if found:
            reach = percent(min(found))
            if percent(max(found)) != reach:
                reach = f"{100 * min(found):.1f} to {percent(max(found))}"
            parts.append(f"{reach} of {ROLES[role][0]}")
    return f"At {100 * strictest:g} % the detectors catch {listing(parts)}." if parts else ""


def _called(group: Sequence[Mapping[str, Any]]) -> str:
    if not group:
        return "–"
    if len(group) == 1:
        return percent_interval(group[0]["called"], group[0]["ci95"])
    return spread([row["called"] for row in group], percent_interval)


def _how_many(group: Sequence[Mapping[str, Any]]) -> str:
    sources = len({row["generated"] for row in group})
    return f" ({sources} sources)" if sources > 1 else ""


ANALYSIS = Analysis(
    "calibration",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "Do scores mean what they say?", [calibration])],
)
