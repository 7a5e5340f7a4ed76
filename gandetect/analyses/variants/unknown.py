"""What was unknown to a detector: a generator that it was trained without, a held-out class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandetect.analyses.variants.results import VariantsResults, say
from gandetect.report.document import Block, Cell, Columns, Heat, Table, Text, table
from gandetect.report.words import (
    REALS,
    count,
    number_interval,
    percent,
    percent_interval,
    signed,
    signed_points,
)
from gandetect.statistics.rows import Row, chosen
from gandetect.statistics.scores import TEST_REALS

POINT = "calibrated"  # tables are at equal false alarms


def left_out(results: VariantsResults) -> list[Block]:
    """Generators that a detector was trained without beside those that it knows."""
    rows = results.numbers["left_out"]
    by_measure = {"Fakes caught at the calibrated point": chosen(rows, operating_point=POINT)}
    by_measure |= {f"AUROC against {REALS[real]}": chosen(rows, real=real) for real in TEST_REALS}
    tables = [_left_out_table(title, of) for title, of in by_measure.items() if of]
    return [Text(say.left_out()), *tables] if tables else []


def classes(results: VariantsResults) -> list[Block]:
    """False alarms by class where it was trained on and where it was held out."""
    rows = chosen(results.numbers["classes"], operating_point=POINT)
    averages = chosen(results.numbers["classes_on_average"], operating_point=POINT)
    heats = [_class_heat(one, chosen(rows, detector=one["detector"])) for one in averages]
    return [Text(say.classes()), *heats] if heats else []


def _left_out_table(title: str, rows: Sequence[Row]) -> Table:
    ranked = rows[0]["metric"] == "auroc"
    level, moved = (number_interval, signed) if ranked else (percent_interval, signed_points)
    points = "" if ranked else " in points"

    def figure(group: str) -> Callable[[Row], str]:
        show = moved if group in ("change", "difference") else level
        return lambda row: show(row[group]["mean"], row[group]["ci95"]) if row[group] else "–"

    columns: Columns = {
        "Detector": lambda row: row["protocol"],
        "Left out": say.generators,
        "Of the one left out": figure("unknown"),
        "Of it, trained on": figure("trained_on"),
        f"Change{points}": figure("change"),
        "Of those known": figure("known"),
        f"Difference{points}": figure("difference"),
    }
    return table(f"{title} (95 % intervals over {rows[0]['covers']})", rows, columns, 2)


def _class_heat(average: Row, rows: Sequence[Row]) -> Heat:
    """The mean over classes, and each class, those with the largest difference first."""
    ordered = sorted(rows, key=lambda row: -(row["difference"] or 0.0))
    return Heat(
        say.flagged(average["detector"]),
        ["Class", "Trained on", "Held out", "Difference in points (95 % interval)"],
        [
            (say.all_classes(len(average["variants"])), [None, None, _moved(average)]),
            *(
                (row["class_name"], [_side(row["trained"]), _side(row["held_out"]), _moved(row)])
                for row in ordered
            ),
        ],
    )


def _side(side: Row) -> Cell | None:
    if side["mean"] is None:
        return None
    seen = f"{len(side['variants'])} variant(s), {count(sum(side['n']))} images"
    return Cell(percent(side["mean"]), seen, side["mean"])


def _moved(row: Row) -> Cell | None:
    if row["difference"] is None:
        return None
    if row["ci95"] is None:
        return Cell(f"{100 * row['difference']:+.1f}")
    clear = row["covers"] != "images" and row["ci95"][0] > 0
    return Cell(signed_points(row["difference"], row["ci95"]), framed=clear)
