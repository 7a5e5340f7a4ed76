"""Over several training runs: how far they lie apart, and which detector is better than which."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.comparisons import numbers
from gandetect.analyses.comparisons.figure import runs_by_source
from gandetect.report.document import Block, Columns, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import number, percent_interval, signed
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def runs(results: StudyResults) -> list[Block]:
    """Every run as a dot; with one run, that there is no more to say of other runs."""
    if not results.many_seeds:
        return [*say.paragraphs("one_run", results), *say.paragraphs("kinds", results)]
    points = [name for name in results.points if name in ("native", "calibrated")]
    rows = results.metrics["across_seeds"]
    widest = max(rows, key=lambda row: max(row["correct"]) - min(row["correct"]))
    draw = partial(runs_by_source, results.metrics, points, results.named)
    return [
        Text(say.widest(len(results.seeds), widest, results.named(widest["source"]))),
        say.figure("runs", draw, len(results.seeds)),
        *say.paragraphs("kinds", results),
        *(_means(results, point) for point in results.points),
    ]


def comparisons(results: StudyResults) -> list[Block]:
    """Is detector A better than B? Paired, corrected, and in plain words."""
    rows = results.metrics.get("comparisons", [])
    if not rows:
        return []
    if not results.many_seeds:
        return [*say.paragraphs("better_unknown", results), _table(results, rows)]
    areas = chosen(rows, metric="auroc")
    blocks: list[Block] = [Text(say.better(len(areas)))]
    for (source,), of_source in grouped(areas, "source").items():
        clear = [_clear(row) for row in of_source if row["verdict"] is not None]
        unclear = [f"{row['first']} or {row['second']}" for row in chosen(of_source, verdict=None)]
        blocks.append(Text(say.by_source(results.named(source), clear, unclear)))
    return [*blocks, _table(results, rows)]


def _clear(row: Row) -> str:
    worse = row["second"] if row["verdict"] == row["first"] else row["first"]
    return f"{row['verdict']} is better than {worse} (by {number(abs(row['difference']), 2)})"


def _table(results: StudyResults, rows: Sequence[Row]) -> Table:
    columns: Columns = {
        "Source": lambda row: results.named(row["source"]),
        "Measure": lambda row: {"auroc": "AUROC"}.get(row["metric"], row["metric"]),
        "First": lambda row: row["first"],
        "Second": lambda row: row["second"],
        "First minus second": lambda row: signed(row["difference"], row["ci95"]),
    }
    if results.many_seeds:
        columns |= {
            "p (Holm)": lambda row: number(row["p_holm"]),
            "Better": lambda row: row["verdict"] or "cannot tell",
        }
    over, calibrated = results.covers(), results.covers("calibrated")
    caption = f"Differences with 95 % intervals over {over}; calibrated: {calibrated}"
    shown = [row for row in rows if row["metric"] in ("auroc", "correct (calibrated)")]
    return table(caption, shown, columns, text_columns=4)


def _means(results: StudyResults, point: str) -> Table:
    rows = chosen(results.metrics["across_seeds"], operating_point=point)
    columns: Columns = {
        "Detector": lambda row: row["detector"],
        "Source": lambda row: results.named(row["source"], row["detector"]),
        "Mean (95 % interval)": lambda row: percent_interval(row["mean"], row["ci95"]),
        "Each run, in %": lambda row: ", ".join(f"{100 * one:.1f}" for one in row["correct"]),
    }
    return table(f"Answered correctly over all runs, {point} point", rows, columns, text_columns=2)


CHAPTER = Chapter(
    "Can I trust this?", "Chance: runs and comparisons", [runs, comparisons], say.finding, "runs"
)
ANALYSIS = Analysis("comparisons", numbers.numbers, numbers.rows, [CHAPTER])
