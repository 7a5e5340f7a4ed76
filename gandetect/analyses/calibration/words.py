"""Whether a score can be read as a probability, and what is caught when few reals are flagged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.calibration import numbers
from gandetect.analyses.calibration.figure import reliability_diagrams
from gandetect.report.document import Block, Picture, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import (
    FAKE_ROLES,
    REAL_ROLES,
    REALS,
    cell,
    chosen_on,
    percent_interval,
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


def calibration(results: StudyResults) -> list[Block]:
    """Reliability before and after calibration, its measures, and cuts that flag few reals."""
    rows, few = results.rows("calibration"), results.rows("low_fpr")
    blocks: list[Block] = []
    if rows:
        blocks += [_lead(rows, results.labelled), *_reliability(results)]
        blocks.append(_measures(rows, results.labelled))
    blocks += results.not_measured("calibration")
    blocks += _low_fpr(few, results.labelled) if few else []
    return [*blocks, *results.not_measured("low_fpr")]


def _lead(rows: Sequence[Row], labelled: bool) -> Text:
    known = chosen(rows, real=IN_DISTRIBUTION)
    as_scored, mapped = (
        {role: [row["ece"] for row in of] for role in FAKE_ROLES
         if (of := chosen(known, role=role, method=method))}
        for method in ("none", "platt")
    )  # fmt: skip
    brier = [row["brier"] for row in chosen(known, role="other", method="platt")]
    bad = sum(one >= ALWAYS_HALF for one in brier)
    worse = (bad, len(brier)) if bad else None
    return Text(say.lead(as_scored, mapped, chosen_on(rows), worse, labelled), "lead")


def _reliability(results: StudyResults) -> list[Picture]:
    curves = results.metrics.get("reliability", [])
    methods = [name for name in SHOWN if chosen(curves, method=name)]
    if not methods:
        return []
    detectors = results.present(curves)
    return [
        say.figure(
            "reliability",
            lambda: reliability_diagrams(curves, detectors, methods, results.labelled),
            results.many_seeds,
        )
    ]


def _measures(rows: Sequence[Row], labelled: bool) -> Table:
    def measured(measure: str, method: str) -> Callable[[Sequence[Row]], str]:
        return lambda group: cell(chosen(group, method=method), measure)

    groups = grouped(rows, "detector", "role", "real").values()
    several = any(
        len({(row["generated"], row["detector_seed"]) for row in of}) > 1 for of in groups
    )
    return table(
        say.measures(chosen_on(rows), several),
        groups,
        {
            "Detector": lambda group: group[0]["detector"],
            "Fakes": lambda group: say.fakes(group, labelled),
            "Reals": lambda group: REALS[group[0]["real"]],
            **{f"ECE, {METHODS[name]}": measured("ece", name) for name in METHODS},
            **{f"Brier, {METHODS[name]}": measured("brier", name) for name in SHOWN},
        },
        text_columns=3,
    )


def _low_fpr(rows: Sequence[Row], labelled: bool) -> list[Block]:
    def called(role: str) -> Callable[[Sequence[Row]], str]:
        return lambda group: cell(chosen(group, role=role), "called", percent_interval, "ci95")

    roles = [role for role in (*FAKE_ROLES, *REAL_ROLES) if chosen(rows, role=role)]
    fprs = sorted({row["fpr"] for row in rows})
    caught = {
        role: [row["called"] for row in of]
        for role in FAKE_ROLES
        if (of := chosen(rows, role=role, fpr=fprs[0]))
    }
    shown = [f"{100 * fpr:g}" for fpr in fprs]
    return [
        Text(say.low_fpr(shown, chosen_on(rows), fprs[0], caught, labelled)),
        table(
            say.few_flagged(),
            grouped(rows, "detector", "fpr").values(),
            {
                "Detector": lambda group: group[0]["detector"],
                "May be flagged": lambda group: f"{100 * group[0]['fpr']:g} %",
                **{say.called(role, role in REAL_ROLES, labelled): called(role) for role in roles},
            },
            text_columns=2,
        ),
    ]


ANALYSIS = Analysis(
    "calibration",
    numbers.numbers,
    numbers.rows,
    [Chapter("What is behind it", "Probability calibration", [calibration], say.finding)],
)
