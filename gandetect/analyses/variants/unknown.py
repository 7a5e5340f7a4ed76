"""What was unknown to a detector: a generator that it was trained without, a held-out class."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.variants.material import Row, VariantsMaterial
from gandetect.report.document import Block, Cell, Heat, Table, Text
from gandetect.report.words import REALS, count, listing, number_interval, percent, percent_interval
from gandetect.statistics.scores import TEST_REALS

POINT = "calibrated"  # tables are at equal false alarms


def left_out(material: VariantsMaterial) -> list[Block]:
    """Generators that a detector was trained without beside those that it knows."""
    rows = material.numbers["left_out"]
    tables = [("Fakes caught at the calibrated point", POINT)]
    tables += [(f"AUROC against {REALS[real]}", real) for real in TEST_REALS]
    found = [
        _left_out_table(title, chosen)
        for title, key in tables
        if (chosen := [row for row in rows if key in (row["operating_point"], row["real"])])
    ]
    if not found:
        return []
    return [
        Text(
            "A detector that has seen every generator of a test says nothing about the next one. "
            "Here it was trained without one that the detector of the same name in the study it is "
            "compared with was trained on. The change is between these two, on the same fakes; the "
            "difference is between the generator that it does not know and those that it knows. A "
            "mean is of these very generators; another may be easier or harder."
        ),
        *found,
    ]


def classes(material: VariantsMaterial) -> list[Block]:
    """False alarms by class where it was trained on and where it was held out."""
    rows = [row for row in material.numbers["classes"] if row["operating_point"] == POINT]
    averages = {row["detector"]: row for row in material.numbers["classes_on_average"]
                if row["operating_point"] == POINT}  # fmt: skip
    if not averages:
        return []
    return [
        Text(
            "Some variants hold out other classes, with everything trained anew, so a class can be "
            "looked at by detectors that were trained on it and by detectors that never saw it. "
            "The difference is held out minus trained on. Its 95 % interval is Student's over "
            "variants, and never narrower than Newcombe's over images; with one variant on either "
            "side it is Newcombe's alone, and what chance in training does is not in it. Intervals "
            "are not corrected for the number of classes: of twenty, one may miss."
        ),
        *(
            _class_heat(average, [row for row in rows if row["detector"] == name])
            for name, average in averages.items()
        ),
    ]


def _left_out_table(title: str, rows: Sequence[Row]) -> Table:
    ranked = rows[0]["metric"] == "auroc"
    interval = number_interval if ranked else percent_interval
    body = []
    scale, digits = (1, 3) if ranked else (100, 1)
    for row in rows:
        cells = []
        for group in ("unknown", "trained_on", "change", "known", "difference"):
            one = row[group]
            if one is None:
                cells.append("–")
            elif group in ("change", "difference"):
                cells.append(_signed(one["mean"], one["ci95"], scale, digits))
            else:
                cells.append(interval(one["mean"], one["ci95"]))
        names = [source.partition(":")[2] for source in row["left_out"] or ()]
        body.append([row["protocol"], listing(names) or "each in turn (mean)", *cells])
    points = "" if ranked else " in points"
    header = ["Detector", "Left out", "Of the one left out", "Of it, trained on",
              f"Change{points}", "Of those known", f"Difference{points}"]  # fmt: skip
    return Table(f"{title} (95 % intervals over {rows[0]['covers']})", header, body, 2)


def _class_heat(average: Row, rows: Sequence[Row]) -> Heat:
    """The mean over classes, and each class, those with the largest difference first."""
    many = len(average["variants"])
    over = f"mean over {many} variants" if many > 1 else "mean over one variant, so no interval"
    body: list[tuple[str, list[Cell | None]]] = [
        (f"All classes ({over})", [None, None, _moved(average)])
    ]
    for row in sorted(rows, key=lambda row: -(row["difference"] or 0.0)):
        body.append(
            (row["class_name"], [_side(row["trained"]), _side(row["held_out"]), _moved(row)])
        )
    return Heat(
        f"{average['detector']}: real images called generated, calibrated; framed: more often "
        "when held out, with its whole interval over variants",
        ["Class", "Trained on", "Held out", "Difference in points (95 % interval)"],
        body,
    )


def _side(side: Row) -> Cell | None:
    if side["mean"] is None:
        return None
    seen = f"{len(side['variants'])} variant(s), {count(sum(side['n']))} images"
    return Cell(percent(side["mean"]), seen, side["mean"])


def _moved(row: Row) -> Cell | None:
    if row["difference"] is None:
        return None
    clear = row["covers"] not in (None, "images") and row["ci95"][0] > 0
    return Cell(_signed(row["difference"], row["ci95"]), framed=clear)


def _signed(
    mean: float, interval: Sequence[float] | None, scale: int = 100, digits: int = 1
) -> str:
    """A difference of shares in points: ``-12.0 (-20.1 to -4.3)``."""
    numbers = [f"{scale * value:+.{digits}f}" for value in (mean, *(interval or ()))]
    return f"{numbers[0]} ({' to '.join(numbers[1:])})" if interval else numbers[0]
