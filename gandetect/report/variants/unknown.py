"""What was unknown to a detector: a generator that it was trained without, a held-out class."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.evaluation.scores import TEST_REALS
from gandetect.report.document import Block, Table, Text
from gandetect.report.figures.variants import classes_by_role
from gandetect.report.material import drawn
from gandetect.report.variants.material import Row, VariantsMaterial
from gandetect.report.words import (
    REALS,
    count,
    listing,
    number_interval,
    per_hundred,
    percent_interval,
)

POINT = "calibrated"  # tables and sentences are at equal false alarms


def left_out(material: VariantsMaterial) -> list[Block]:
    """Generators that a detector was trained without beside those that it knows."""
    rows = material.numbers["left_out"]
    at = [row for row in rows if row["operating_point"] == POINT]
    if not at:
        return []
    protocols = dict.fromkeys(row["protocol"] for row in at)
    return [
        Text(
            "A detector that has seen every generator of a test says nothing about the next one. "
            "Here it was trained without one that the detector of the same name in the study it is "
            "compared with was trained on. A mean over those left out is of these very generators; "
            "another may be easier or harder."
        ),
        *(Text(_of_protocol([row for row in at if row["protocol"] == one])) for one in protocols),
        _left_out_table("Fakes caught at the calibrated point", at),
        *(
            _left_out_table(f"AUROC against {REALS[real]}", chosen)
            for real in TEST_REALS
            if (chosen := [row for row in rows if row["real"] == real])
        ),
    ]


def classes(material: VariantsMaterial) -> list[Block]:
    """False alarms by class where it was trained on and where it was held out."""
    rows = [row for row in material.numbers["classes"] if row["operating_point"] == POINT]
    both = (row["detector"] for row in rows if row["difference"] is not None)
    detectors = list(dict.fromkeys(both))
    rows = [row for row in rows if row["detector"] in detectors]
    if not rows:
        return []
    shown = [f"{row['detector']} on {row['class_name']} {_share(row['trained'])} of 100 when "
             f"trained on, {_share(row['held_out'])} when held out" for row in rows]  # fmt: skip
    alone = {row["covers"] for row in rows if row["covers"]} == {"images"}
    chance = (
        "Newcombe's, over images only: two variants cannot show how trainings vary"
        if alone
        else "Student's over variants, and never narrower than Newcombe's over images"
    )
    return [
        Text(
            "Some variants hold out other classes, with everything trained anew, so a class can be "
            "looked at by detectors that were trained on it and by detectors that never saw it. "
            f"The difference is held out minus trained on; its 95 % interval is {chance}. "
            "Intervals are not corrected for the number of classes: of twenty, one may miss."
        ),
        *(Text(f"{name}: {_of_detector(material, rows, name)}") for name in detectors),
        drawn(
            "held-out-classes",
            lambda: classes_by_role(rows, detectors),
            f"Real images flagged by class at the calibrated point: {'; '.join(shown)}.",
            "Calibrated operating point. Classes from the least to the most flagged when held out. "
            "Grey bar: 95 % interval of the difference, laid around the share when held out.",
        ),
        _class_table(rows),
    ]


def _of_protocol(rows: Sequence[Row]) -> str:
    """How much is caught of the unknown and of the known, and without whom it is least."""
    whole, single = rows[-1], [row for row in rows if row["variant"]]
    low, high = whole["difference"]["ci95"]
    doubt = " (which may be chance)" if low <= 0 <= high else ""
    of = f"on average over {len(single)} trainings, " if len(single) > 1 else ""
    worst = min(single, key=lambda row: float(row["unknown"]["mean"]))
    least = f" Least is caught of {_generators(worst)}: {_hundred(worst['unknown'])} of 100."
    return (
        f"{rows[0]['protocol']}: {of}of 100 fakes of a generator that it was trained without it "
        f"catches {_hundred(whole['unknown'])}, of 100 of those that it knows "
        f"{_hundred(whole['known'])}, a difference of {_points(whole['difference'])}{doubt}."
        f"{least if len(single) > 1 else ''}"
    )


def _left_out_table(title: str, rows: Sequence[Row]) -> Table:
    ranked = rows[0]["metric"] == "auroc"
    told = number_interval if ranked else percent_interval
    body = []
    for row in rows:
        both = [told(row[group]["mean"], row[group]["ci95"]) for group in ("unknown", "known")]
        moved = row["difference"]
        low, high = moved["ci95"]
        change = (f"{moved['mean']:+.3f} ({low:+.3f} to {high:+.3f})" if ranked
                  else _points(moved))  # fmt: skip
        body.append([row["protocol"], _generators(row), *both, change])
    header = ["Detector", "Left out", "Of the one left out", "Of those known",
              "Difference" if ranked else "Difference in points"]  # fmt: skip
    return Table(f"{title} (95 % intervals over {rows[0]['covers']})", header, body, 2)


def _generators(row: Row) -> str:
    if row["left_out"] is None:
        return "each in turn (mean)"
    return listing([source.partition(":")[2] for source in row["left_out"]])


def _points(moved: Row) -> str:
    """A difference of shares in points: ``-12.0 (-20.1 to -4.3)``."""
    mean, low, high = (100 * value for value in (moved["mean"], *moved["ci95"]))
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"


def _hundred(found: Row) -> str:
    return per_hundred(found["mean"], *found["ci95"])


def _of_detector(material: VariantsMaterial, rows: Sequence[Row], name: str) -> str:
    """The mean difference of one detector, and the classes with a clear one."""
    average = next(row for row in material.numbers["classes_on_average"]
                   if (row["detector"], row["operating_point"]) == (name, POINT))  # fmt: skip
    moved = average["difference"]
    more = "more" if moved >= 0 else "less"
    words = f"a class is flagged {abs(100 * moved):.1f} points {more} often when it is held out"
    if average["ci95"] is None:
        interval = "one variant, so no interval over variants"
    else:
        low, high = average["ci95"]
        chance = ", which may be chance" if low <= 0 <= high else ""
        many = len(average["variants"])
        interval = (f"95 % interval over {many} variants: {100 * low:+.1f} to {100 * high:+.1f}"
                    f"{chance}")  # fmt: skip
    return f"{words} ({interval}). {_clear_classes([r for r in rows if r['detector'] == name])}"


def _clear_classes(rows: Sequence[Row]) -> str:
    """Classes whose difference lies above 0 with its whole interval, the largest first.

    An interval over images alone does not count: of two networks one always flags more.
    """
    judged = [row for row in rows if row["covers"] not in (None, "images")]
    if not judged:
        return (
            "Single classes cannot be judged: each was met by one variant on either side, so what "
            "chance in training does is not known."
        )
    clear = sorted(
        (row for row in judged if row["ci95"][0] > 0), key=lambda row: -row["difference"]
    )
    if not clear:
        return "No single class is clearly flagged more often for being held out."
    named = [f"{row['class_name']} ({_share(row['held_out'])} of 100 instead of "
             f"{_share(row['trained'])})" for row in clear]  # fmt: skip
    return f"Clearly flagged more often for being held out: {listing(named)}."


def _class_table(rows: Sequence[Row]) -> Table:
    body = []
    for row in rows:
        sides = [part for side in (row["trained"], row["held_out"])
                 for part in (_share(side), _seen(side))]  # fmt: skip
        moved = {"mean": row["difference"], "ci95": row["ci95"]}
        change = "–" if row["difference"] is None else _points(moved)
        body.append([row["detector"], row["class_name"], *sides, change])
    return Table(
        "Called generated of 100 real images, calibrated",
        ["Detector", "Class", "Trained on", "Variants, images", "Held out", "Variants, images",
         "Difference in points (95 % interval)"],
        body,
        text_columns=2,
    )  # fmt: skip


def _share(side: Row) -> str:
    return "–" if side["mean"] is None else per_hundred(side["mean"])


def _seen(side: Row) -> str:
    return f"{len(side['variants'])}, {count(sum(side['n']))}" if side["variants"] else "–"
