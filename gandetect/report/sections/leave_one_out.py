"""A generator that was kept from its detector: how much of it is caught all the same."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from gandetect.report.document import Block, Fold, Table, Text
from gandetect.report.figures.leave_one_out import unknown_beside_known
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    POINTS,
    REALS,
    listing,
    number_interval,
    per_hundred,
    percent_interval,
)
from gandetect.statistics.scores import IN_DISTRIBUTION

Row = dict[str, Any]


def leave_one_out(material: Material) -> list[Block]:
    """Unknown beside known generators: in words, drawn, and in tables; nothing without them."""
    protocols: dict[str, list[Row]] = defaultdict(list)
    for row in material.metrics.get("leave_one_out", []):
        protocols[row["protocol"]].append(row)
    if not protocols:
        return []
    rows = [row for found in protocols.values() for row in found]
    points = [name for name in material.points if _at(rows, name)]
    point = material.point if material.point in points else points[0]
    reals = list(dict.fromkeys(row["real"] for row in rows if row["real"]))
    each = ", dots: each run" if material.many_seeds else ""
    return [
        Text(
            "A detector that has seen every generator of a test says nothing about the next one. "
            "Here each detector was trained without one generator, and then met it."
        ),
        *(Text(_said(material, name, found, point)) for name, found in protocols.items()),
        drawn(
            "leave-one-out",
            lambda: unknown_beside_known(protocols, point, IN_DISTRIBUTION),
            f"Fakes caught ({point}) of the generator left out, and of those known: "
            f"{listing([_short(row) for row in _at(rows, point)])}.",
            f"Line: mean, band: 95 % interval over {rows[0]['covers']}{each}. A mean over those "
            "left out is of these very generators; another may be easier or harder.",
        ),
        _caught(rows, point),
        *(_areas(rows, real) for real in reals),
        *_folded([_caught(rows, name) for name in points if name != point]),
    ]


def _said(material: Material, protocol: str, rows: list[Row], point: str) -> str:
    """How much is caught of the unknown and of the known, and without whom it is least."""
    at = _at(rows, point)
    whole, single = at[-1], [row for row in at if row["left_out"]]
    allowed = per_hundred(material.inputs.experiment.evaluation.calibrated_fpr)
    where = (
        f"with at most {allowed} of 100 honest photos delayed"
        if point == "calibrated"
        else f"at the {point} threshold"
    )
    of = f" on average over {len(single)} generators left out," if len(single) > 1 else ""
    said = (
        f"{protocol},{of} {where}: of 100 fakes of a generator that it does not know it catches "
        f"{_hundred(whole['unknown'])}, of 100 of those that it knows {_hundred(whole['known'])}; "
        f"{_difference(whole['difference'])}."
    )
    if len(single) == 1:
        return said
    worst = min(single, key=lambda row: float(row["unknown"]["mean"]))
    return (
        f"{said} Least is caught of {_generator(worst)}, when that is left out: "
        f"{_hundred(worst['unknown'])} of 100."
    )


def _difference(found: Row) -> str:
    low, high = found["ci95"]
    if low <= 0 <= high:
        return f"that it loses or wins by not knowing cannot be told ({_points(found)} of 100)"
    word = "loses" if high < 0 else "wins"
    return f"it {word} by not knowing ({_points(found)} of 100)"


def _points(found: Row) -> str:
    """A difference of shares in fakes of 100: ``-12.0 (-20.1 to -4.3)``."""
    mean, low, high = (100 * value for value in (found["mean"], *found["ci95"]))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"


def _caught(rows: list[Row], point: str) -> Table:
    body = [
        [
            *_head(row),
            *(percent_interval(row[group]["mean"], row[group]["ci95"])
              for group in ("unknown", "known")),
            _points(row["difference"]),
        ]
        for row in _at(rows, point)
    ]  # fmt: skip
    return _table(f"Fakes caught, {POINTS[point]}", rows, body, "in 100")


def _areas(rows: list[Row], real: str) -> Table:
    body = [
        [
            *_head(row),
            *(number_interval(row[group]["mean"], row[group]["ci95"])
              for group in ("unknown", "known")),
            _signed(row["difference"]),
        ]
        for row in rows
        if row["real"] == real
    ]  # fmt: skip
    return _table(f"AUROC against what is {REALS[real]}", rows, body, "AUROC")


def _table(title: str, rows: list[Row], body: list[list[str]], unit: str) -> Table:
    header = ["Detector", "Left out", "Of the one left out", "Of those known",
              f"Difference ({unit})"]  # fmt: skip
    caption = f"{title} (95 % intervals over {rows[0]['covers']})"
    return Table(caption, header, body, text_columns=2)


def _folded(tables: list[Table]) -> list[Block]:
    return [Fold("The same at the other thresholds", tables)] if tables else []


def _signed(found: Row) -> str:
    low, high = found["ci95"]
    return f"{found['mean']:+.3f} ({low:+.3f} to {high:+.3f})"


def _at(rows: list[Row], point: str) -> list[Row]:
    return [row for row in rows if row["operating_point"] == point]


def _head(row: Row) -> list[str]:
    return [row["protocol"], _generator(row)]


def _generator(row: Row) -> str:
    out = row["left_out"]
    return "each in turn (mean)" if out is None else str(out).partition(":")[2]


def _hundred(found: Row) -> str:
    return per_hundred(found["mean"], *found["ci95"])


def _short(row: Row) -> str:
    known = per_hundred(row["known"]["mean"])
    return f"{row['protocol']}, {_generator(row)}: {_hundred(row['unknown'])} and {known} of 100"
