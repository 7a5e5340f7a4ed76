"""What the detectors would cost or save a marketplace, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.costs import numbers
from gandetect.analyses.costs.figure import cost_chart
from gandetect.report.document import Block, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import (
    FAKE_ROLES,
    REALS,
    chosen_on,
    number_interval,
    percent_interval,
    spread,
)
from gandetect.statistics.cost_model import bayes_threshold
from gandetect.statistics.rows import Row, chosen, grouped
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION

say = Prose(__file__)


def costs(results: StudyResults) -> list[Block]:
    """Expected cost of 1,000 uploads with each detector, beside doing without one."""
    rows = results.rows("costs")
    if not rows:
        return results.not_measured("costs")
    first, detectors = rows[0], results.present(rows)
    cut = bayes_threshold(first["prevalence"], first["cost_miss"], first["cost_delay"])
    return [
        Text(say.lead(first), "lead"),
        *(Text(_detector_words(results, name, rows)) for name in detectors),
        say.figure(
            "costs",
            lambda: cost_chart(rows, detectors, results.labelled),
            results.many_seeds,
        ),
        _table(rows, results.labelled),
        Text(say.method(chosen_on([first]), cut), "note"),
        *results.not_measured("costs"),
    ]


def verdict(rows: Sequence[Row], without: str) -> str:
    """How a detector's rows compare with the cheaper policy without one, in words.

    A row, one run and source, costs less where its interval lies below that policy's cost.
    """
    nothing = min(rows[0]["let_through"], rows[0]["delay_all"])
    bounds = [row["ci95"]["cost"] for row in rows]
    less, more = sum(high < nothing for _, high in bounds), sum(low > nothing for low, _ in bounds)
    if len(rows) == 1:
        compared = "less than" if less else "more than" if more else "not clearly less than"
        return f"{compared} {without}"
    if len({row["generated"] for row in rows}) == 1:
        each = "runs"
    else:
        one_run = len({row["detector_seed"] for row in rows}) == 1
        each = "sources" if one_run else "pairs of a run and a source"
    return f"clearly less than {without} in {say.share_of(less, len(rows))} {each}"


def saves(rows: Sequence[Row]) -> bool:
    """Whether each of a detector's rows costs less than doing without it, beyond its interval."""
    nothing = min(rows[0]["let_through"], rows[0]["delay_all"])
    return all(row["ci95"]["cost"][1] < nothing for row in rows)


def worth_having(results: StudyResults) -> str:
    """How many detectors save, and of how many, by role of the fakes."""
    rows = chosen(results.rows("costs"), real=IN_DISTRIBUTION)
    groups = grouped(rows, "role", "detector")
    by_role = {role: [of for (one, _), of in groups.items() if one == role] for role in FAKE_ROLES}
    worth = {role: (sum(map(saves, of)), len(of)) for role, of in by_role.items() if of}
    return say.finding(worth, results.labelled)


def _detector_words(results: StudyResults, name: str, rows: Sequence[Row]) -> str:
    parts = {}
    for role in FAKE_ROLES:
        group = chosen(rows, detector=name, role=role, real=IN_DISTRIBUTION)
        if group:
            nothing = say.money(min(group[0]["let_through"], group[0]["delay_all"]))
            parts[role] = _summed(group, f"the {nothing} of doing without it")
    held_out = chosen(rows, detector=name, role="own", real=HELD_OUT)
    return say.detector(
        results.called(name),
        chosen_on(rows),
        parts,
        _summed(held_out, "doing without it") if held_out else None,
        results.labelled,
    )


def _summed(group: Sequence[Row], without: str) -> dict[str, Any]:
    known = [row["precision"] for row in group if row["precision"] is not None]
    return {
        "cost": _costing(group),
        "verdict": verdict(group, without),
        "caught": fmean(row["caught"] for row in group),
        "delayed": fmean(row["delayed"] for row in group),
        "precision": fmean(known) if known else None,
    }


def _costing(group: Sequence[Row]) -> str:
    if len(group) == 1:
        return _money_interval(group[0]["cost"], group[0]["ci95"]["cost"])
    return spread([row["cost"] for row in group], _money_interval)


def _table(rows: Sequence[Row], labelled: bool) -> Table:
    def shares(key: str) -> Callable[[Sequence[Row]], str]:
        return lambda group: spread([row[key] for row in group], percent_interval)

    return table(
        say.caption(),
        grouped(rows, "detector", "role", "real").values(),
        {
            "Detector": lambda group: group[0]["detector"],
            "Fakes": lambda group: say.fakes(group, labelled),
            "Real uploads": lambda group: REALS[group[0]["real"]],
            "Cost": _costing,
            "Fakes caught": shares("caught"),
            "Reals flagged": shares("delayed"),
            "Really fake among stopped": _stopped,
            "Cost at the best threshold possible": lambda group: spread(
                [row["oracle_cost"] for row in group], _money_interval
            ),
        },
        text_columns=3,
    )


def _stopped(group: Sequence[Row]) -> str:
    known = [row["precision"] for row in group if row["precision"] is not None]
    return spread(known, percent_interval) if known else "nothing stopped"


def _money_interval(value: float, interval: Sequence[float] | None) -> str:
    return number_interval(value, interval, 0 if value >= 100 else 1)


ANALYSIS = Analysis(
    "costs",
    numbers.numbers,
    numbers.rows,
    [Chapter("Set the threshold yourself", "Costs", [costs], worth_having)],
)
