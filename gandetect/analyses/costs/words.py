"""What the detectors would cost or save a marketplace, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.costs import numbers
from gandetect.analyses.costs.figure import cost_chart
from gandetect.report.document import Block, Columns, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import (
    FAKE_ROLES,
    REALS,
    cell,
    chosen_on,
    number_interval,
    percent_interval,
)
from gandetect.statistics.cost_model import bayes_threshold
from gandetect.statistics.rows import Row, chosen, grouped
from gandetect.statistics.scores import IN_DISTRIBUTION

say = Prose(__file__)


def costs(results: StudyResults) -> list[Block]:
    """Expected cost of 1,000 uploads with each detector, beside doing without one."""
    rows = results.rows("costs")
    if not rows:
        return results.not_measured("costs")
    first, draw = rows[0], partial(cost_chart, rows, results.present(rows), results.labelled)
    cut = bayes_threshold(first["prevalence"], first["cost_miss"], first["cost_flag"])
    return [
        Text(say.lead(first), "lead"),
        say.figure("costs", draw, results.many_seeds),
        _table(rows, results.labelled),
        Text(say.method(chosen_on([first]), cut), "note"),
        *results.not_measured("costs"),
    ]


def saves(rows: Sequence[Row]) -> bool:
    """Whether each of a detector's rows costs less than doing without it, beyond its interval."""
    nothing = min(rows[0]["let_through"], rows[0]["flag_all"])
    return all(row["ci95"]["cost"][1] < nothing for row in rows)


def worth_having(results: StudyResults) -> str:
    """How many detectors save, and of how many, by role of the fakes."""
    rows = chosen(results.rows("costs"), real=IN_DISTRIBUTION)
    groups = grouped(rows, "role", "detector")
    by_role = {role: [of for (one, _), of in groups.items() if one == role] for role in FAKE_ROLES}
    worth = {role: (sum(map(saves, of)), len(of)) for role, of in by_role.items() if of}
    return say.finding(worth, results.labelled)


def _table(rows: Sequence[Row], labelled: bool) -> Table:
    def shares(key: str, none: str = "–") -> Callable[[Sequence[Row]], str]:
        return lambda group: cell(group, key, percent_interval, none=none)

    columns: Columns = {
        "Detector": lambda group: group[0]["detector"],
        "Fakes": lambda group: say.fakes(group, labelled),
        "Real uploads": lambda group: REALS[group[0]["real"]],
        "Cost": lambda of: cell(of, "cost", _money_interval),
        "Below doing without": say.saving,
        "Fakes caught": shares("caught"),
        "Reals flagged": shares("flagged"),
        "Really fake among stopped": shares("precision", "nothing stopped"),
        "Cost at the best threshold possible": lambda of: cell(of, "oracle_cost", _money_interval),
    }
    costing = ({**row, "cost_ci95": row["ci95"]["cost"]} for row in rows)
    lines = grouped(costing, "detector", "role", "real").values()
    return table(say.caption(), lines, columns, text_columns=3)


def _money_interval(value: float, interval: Sequence[float] | None) -> str:
    return number_interval(value, interval, 0 if value >= 100 else 1)


CHAPTER = Chapter("Set the threshold yourself", "Costs", [costs], worth_having)
ANALYSIS = Analysis("costs", numbers.numbers, numbers.rows, [CHAPTER])
