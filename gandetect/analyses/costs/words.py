"""What the detectors would cost or save a marketplace, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.costs import numbers
from gandetect.analyses.costs.figure import cost_chart
from gandetect.report.document import Block, Table, Text, table
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
    first, detectors = rows[0], results.present(rows)
    cut = bayes_threshold(first["prevalence"], first["cost_miss"], first["cost_flag"])
    return [
        Text(say.lead(first), "lead"),
        say.figure(
            "costs", lambda: cost_chart(rows, detectors, results.labelled), results.many_seeds
        ),
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


def _costing(group: Sequence[Row]) -> str:
    if len(group) == 1:
        return _money_interval(group[0]["cost"], group[0]["ci95"]["cost"])
    return cell(group, "cost", _money_interval)


def _table(rows: Sequence[Row], labelled: bool) -> Table:
    def shares(key: str) -> Callable[[Sequence[Row]], str]:
        return lambda group: cell(group, key, percent_interval)

    return table(
        say.caption(),
        grouped(rows, "detector", "role", "real").values(),
        {
            "Detector": lambda group: group[0]["detector"],
            "Fakes": lambda group: say.fakes(group, labelled),
            "Real uploads": lambda group: REALS[group[0]["real"]],
            "Cost": _costing,
            "Below doing without": say.saving,
            "Fakes caught": shares("caught"),
            "Reals flagged": shares("flagged"),
            "Really fake among stopped": lambda group: cell(
                group, "precision", percent_interval, none="nothing stopped"
            ),
            "Cost at the best threshold possible": lambda group: cell(
                group, "oracle_cost", _money_interval
            ),
        },
        text_columns=3,
    )


def _money_interval(value: float, interval: Sequence[float] | None) -> str:
    return number_interval(value, interval, 0 if value >= 100 else 1)


CHAPTER = Chapter("Set the threshold yourself", "Costs", [costs], worth_having)
ANALYSIS = Analysis("costs", numbers.numbers, numbers.rows, [CHAPTER])
