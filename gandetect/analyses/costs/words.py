"""What the detectors would cost or save a marketplace, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.calibration.figure import ROLES
from gandetect.analyses.costs import numbers
from gandetect.analyses.costs.figure import cost_chart
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    chosen_on,
    listing,
    number,
    number_interval,
    per_hundred,
    percent_interval,
    sentence,
    spread,
)
from gandetect.statistics.cost_model import bayes_threshold
from gandetect.statistics.rows import grouped

HONEST = {"real:in-distribution": "known classes", "real:held-out": "held-out classes"}
Row = Mapping[str, Any]


def costs(material: Material) -> list[Block]:
    """Expected cost of 1,000 uploads with each detector, beside doing without one."""
    rows = material.rows("costs")
    if not rows:
        return material.not_measured("costs")
    detectors = material.present(rows)
    bounds = (
        "a marker for each run and source"
        if material.many_seeds
        else "bars: 95 % interval over test images"
    )
    header = ["Detector", "Fakes", "Honest uploads", "Cost", "Fakes caught", "Honest delayed",
              "Really fake among stopped", "Cost at the best cut possible"]  # fmt: skip
    groups = grouped(rows, "detector", "role", "real")
    market = _market_words(rows[0])
    return [
        Text(f"{market} {_result_words(rows, detectors)}", "lead"),
        *(Text(_detector_words(material, name, rows)) for name in detectors),
        drawn(
            "costs",
            lambda: cost_chart(rows, detectors),
            f"Expected cost of 1,000 uploads, {_without(rows[0])} without a detector. "
            + "; ".join(_costs_of(name, rows) for name in detectors)
            + ".",
            f"Left of both lines a detector is worth having ({bounds}). Hollow diamonds: the best "
            "cut on the test images themselves, which nobody can attain.",
        ),
        Table(
            "Expected cost of 1,000 uploads (one run and source: 95 % interval over test images; "
            "several: their mean, lowest and highest)",
            header,
            [_row(group) for group in groups.values()],
            text_columns=3,
        ),
        Text(_method_words(rows[0]), "note"),
        *material.not_measured("costs"),
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
    return f"clearly less than {without} in {less or 'none'} of {len(rows)} {each}"


def saves(rows: Sequence[Row]) -> bool:
    """Whether each of a detector's rows costs less than doing without it, beyond its interval."""
    nothing = min(rows[0]["let_through"], rows[0]["delay_all"])
    return all(row["ci95"]["cost"][1] < nothing for row in rows)


def _market_words(row: Row) -> str:
    return (
        f"Of 1,000 uploads {1000 * row['prevalence']:,.6g} are fake. A fake that is missed costs "
        f"{row['cost_miss']:,.6g}, an honest upload that is delayed {row['cost_delay']:,.6g}. "
        f"Without a detector, letting everything through costs {_money(row['let_through'])} and "
        f"delaying everything {_money(row['delay_all'])}; a detector must cost less than the "
        "cheaper of the two to be worth having."
    )


def _result_words(rows: Sequence[Row], detectors: Sequence[str]) -> str:
    parts = []
    for role, (words, *_) in ROLES.items():
        groups = [group for name in detectors if (group := _known(rows, name, role))]
        if groups:
            parts.append(f"on {words} {sum(map(saves, groups))} of {len(groups)}")
    every = " in every run" if len({row["detector_seed"] for row in rows}) > 1 else ""
    return (
        f"Detectors that cost less{every}, beyond the interval, where uploads are of familiar "
        f"kinds: {listing(parts)}."
        if parts
        else ""
    )


def _detector_words(material: Material, name: str, rows: Sequence[Row]) -> str:
    parts = [
        f"On {words} it costs {_costing(group)}, "
        + verdict(group, f"the {_without(group[0])} of doing without it")
        + f"{_stopped(group)}."
        for role, (words, *_) in ROLES.items()
        if (group := _known(rows, name, role))
    ]
    held_out = [
        row
        for row in rows
        if (row["detector"], row["role"], row["real"]) == (name, "own", "real:held-out")
    ]
    if held_out:
        parts.append(
            "With own fakes among honest uploads of held-out classes it costs "
            f"{_costing(held_out)}, {verdict(held_out, 'doing without it')}."
        )
    opening = f"{sentence(material.called(name))}, at the threshold that was cheapest on"
    return f"{opening} {chosen_on(rows)}. {' '.join(parts)}"


def _costs_of(name: str, rows: Sequence[Row]) -> str:
    parts = [
        f"{words} {_costing(group)}"
        for role, (words, *_) in ROLES.items()
        if (group := _known(rows, name, role))
    ]
    return f"{name}: {listing(parts)}"


def _known(rows: Sequence[Row], name: str, role: str) -> list[Row]:
    """A detector's rows in one role, among honest uploads of known classes."""
    wanted = (name, role, "real:in-distribution")
    return [row for row in rows if (row["detector"], row["role"], row["real"]) == wanted]


def _without(row: Row) -> str:
    return _money(min(row["let_through"], row["delay_all"]))


def _costing(group: Sequence[Row]) -> str:
    if len(group) == 1:
        return _money_interval(group[0]["cost"], group[0]["ci95"]["cost"])
    return spread([row["cost"] for row in group], _money_interval)


def _stopped(group: Sequence[Row]) -> str:
    """What is behind the stops: of 100 photos stopped, how many are fake."""
    known = [row["precision"] for row in group if row["precision"] is not None]
    if not known:
        return ": it stops nothing"
    caught = fmean(row["caught"] for row in group)
    delayed = fmean(row["delayed"] for row in group)
    return (
        f": it catches {per_hundred(caught)} of 100 fakes and delays {per_hundred(delayed)} of 100 "
        f"honest photos, and of 100 photos that it stops {per_hundred(fmean(known))} are really "
        "fake"
    )


def _row(group: Sequence[Row]) -> list[str]:
    first = group[0]
    sources = len({row["generated"] for row in group})
    known = [row["precision"] for row in group if row["precision"] is not None]
    return [
        first["detector"],
        ROLES[first["role"]][0] + (f" ({sources} sources)" if sources > 1 else ""),
        HONEST[first["real"]],
        _costing(group),
        spread([row["caught"] for row in group], percent_interval),
        spread([row["delayed"] for row in group], percent_interval),
        spread(known, percent_interval) if known else "nothing stopped",
        spread([row["oracle_cost"] for row in group], _money_interval),
    ]


def _method_words(row: Row) -> str:
    cut = bayes_threshold(row["prevalence"], row["cost_miss"], row["cost_delay"])
    return (
        f"The threshold is the one that costs least on {chosen_on([row])}, none of them in a test "
        "group. Calibrated log-odds would have to exceed "
        f"{number(cut, 2)}, the log of (share of honest uploads x cost of a delay) / (share of "
        "fakes x cost of a miss) (Elkan, The foundations of cost-sensitive learning, 2001). "
        "Intervals are of 95 % and over test images only."
    )


def _money(value: float) -> str:
    return number(value, _digits(value))


def _money_interval(value: float, interval: Sequence[float] | None) -> str:
    return number_interval(value, interval, _digits(value))


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1


ANALYSIS = Analysis(
    "costs",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("Try it", "What it costs, what it saves", [costs])],
)
