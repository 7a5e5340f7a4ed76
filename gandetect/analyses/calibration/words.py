"""Whether a score can be read as a probability, and what is caught when few reals are flagged."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.calibration import numbers
from gandetect.analyses.calibration.figure import reliability_diagrams
from gandetect.report.document import Block, Picture, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.prose import Prose
from gandetect.report.words import (
    FAKE_ROLES,
    REAL_ROLES,
    REALS,
    chosen_on,
    images,
    number_interval,
    percent_interval,
    sentence,
    spread,
)
from gandetect.statistics.rows import Row, chosen, grouped
from gandetect.statistics.scores import IN_DISTRIBUTION

METHODS = {
    "none": "as scored",
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
}
SHOWN = ("none", "platt", "isotonic")  # drawn, and with their Brier score
ALWAYS_HALF = 0.25  # the Brier score of always saying 50 %
say = Prose(__file__)


def calibration(material: Material) -> list[Block]:
    """Reliability before and after calibration, its measures, and cuts that flag few reals."""
    rows, few = material.rows("calibration"), material.rows("low_fpr")
    measured: list[Block] = []
    if rows:
        measured = [
            _lead(rows, material.labelled),
            *_reliability(material),
            _measures(rows, material.labelled),
        ]
    return [
        *measured,
        *material.not_measured("calibration"),
        *(_low_fpr(few, material.labelled) if few else []),
        *material.not_measured("low_fpr"),
    ]


def _lead(rows: Sequence[Row], labelled: bool) -> Text:
    known = chosen(rows, real=IN_DISTRIBUTION)
    as_scored, mapped = (
        {role: [row["ece"] for row in of] for role in FAKE_ROLES
         if (of := chosen(known, role=role, method=method))}
        for method in ("none", "platt")
    )  # fmt: skip
    brier = [row["brier"] for row in chosen(known, role="other", method="platt")]
    half = fmean(brier) if brier and fmean(brier) >= ALWAYS_HALF else None
    return Text(say.lead(as_scored, mapped, chosen_on(rows), half, labelled), "lead")


def _reliability(material: Material) -> list[Picture]:
    curves = material.metrics.get("reliability", [])
    methods = [name for name in SHOWN if chosen(curves, method=name)]
    if not methods:
        return []
    detectors = material.present(curves)
    intervals = "A line for each run." if material.many_seeds else "Bars: 95 % over images."
    return [
        drawn(
            "reliability",
            lambda: reliability_diagrams(curves, detectors, methods, material.labelled),
            "Reliability diagrams before and after calibration: the probability of being generated "
            "that each detector states, against the share that was; the errors stand in the table "
            "below.",
            "On the dotted line a stated probability is what was so; a point below it is a "
            "detector too ready to call images generated. Bins hold equal mass, real and generated "
            f"counting half each. {intervals}",
        )
    ]


def _measures(rows: Sequence[Row], labelled: bool) -> Table:
    wanted = [("ece", name) for name in METHODS] + [("brier", name) for name in SHOWN]
    body = []
    for (detector, role, real), group in grouped(rows, "detector", "role", "real").items():
        cells = [
            spread([row[measure] for row in chosen(group, method=method)], number_interval)
            for measure, method in wanted
        ]
        sources = len({row["generated"] for row in group})
        many = f" ({sources} sources)" if sources > 1 else ""
        body.append([detector, f"{sentence(images(role, labelled))}{many}", REALS[real], *cells])
    several = any(" (" in cell for line in body for cell in line[3:])
    note = " Mean, and the lowest and highest run or source." if several else ""
    names = {"ece": "ECE", "brier": "Brier"}
    return Table(
        "Calibration error (ECE, 15 bins of equal mass; 0 is best, though a sample never shows 0) "
        f"and Brier score (always saying 50 % has 0.25); fitted on {chosen_on(rows)}.{note}",
        ["Detector", "Fakes", "Reals",
         *(f"{names[measure]}, {METHODS[method]}" for measure, method in wanted)],
        body,
        text_columns=3,
    )  # fmt: skip


def _low_fpr(rows: Sequence[Row], labelled: bool) -> list[Block]:
    roles = [role for role in (*FAKE_ROLES, *REAL_ROLES) if chosen(rows, role=role)]
    fprs = sorted({row["fpr"] for row in rows})
    body = [
        [detector, f"{100 * fpr:g} %", *(_called(chosen(group, role=role)) for role in roles)]
        for (detector, fpr), group in grouped(rows, "detector", "fpr").items()
    ]
    caught = {
        role: [row["called"] for row in of]
        for role in FAKE_ROLES
        if (of := chosen(rows, role=role, fpr=fprs[0]))
    }
    header = [f"{sentence(images(role, labelled))} {'flagged' if role in REAL_ROLES else 'caught'}"
              for role in roles]  # fmt: skip
    return [
        Text(
            say.low_fpr(
                [f"{100 * fpr:g}" for fpr in fprs], chosen_on(rows), fprs[0], caught, labelled
            )
        ),
        Table(
            "Caught, when few reals may be flagged (one run and source: 95 % interval over test "
            "images; several: their mean, lowest and highest)",
            ["Detector", "May be flagged", *header],
            body,
            text_columns=2,
        ),
    ]


def _called(group: Sequence[Row]) -> str:
    if not group:
        return "–"
    if len(group) == 1:
        return percent_interval(group[0]["called"], group[0]["ci95"])
    return spread([row["called"] for row in group], percent_interval)


ANALYSIS = Analysis(
    "calibration",
    numbers.numbers,
    numbers.rows,
    [Chapter("What is behind it", "Do scores mean what they say?", [calibration])],
)
