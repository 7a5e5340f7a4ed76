"""Over several training runs: how far they lie apart, and which detector is better than which."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.comparisons import numbers
from gandetect.analyses.comparisons.figure import runs_by_source
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.prose import Prose
from gandetect.report.words import number, percent_interval, signed
from gandetect.statistics.rows import Row, chosen, grouped

say = Prose(__file__)


def runs(material: Material) -> list[Block]:
    """Every run as a dot; with one run, that there is no more to say of other runs."""
    if not material.many_seeds:
        return [*say.paragraphs("one_run")]
    points = [name for name in material.points if name in ("native", "calibrated")]
    widest = max(
        material.metrics["across_seeds"], key=lambda row: max(row["correct"]) - min(row["correct"])
    )
    return [
        Text(say.widest(len(material.seeds), widest, material.named(widest["source"]))),
        drawn(
            "runs",
            lambda: runs_by_source(material.metrics, points, material.named),
            "Share answered correctly by detector and source: the mean over runs with its "
            "interval, and every run; the numbers stand in the tables below.",
            f"Dots: the {len(material.seeds)} runs. Line: their mean. Band: 95 % interval for "
            "other runs on other images (hierarchical bootstrap, runs first, then images).",
        ),
        *(_means(material, point) for point in points),
    ]


def comparisons(material: Material) -> list[Block]:
    """Is detector A better than B? Paired, corrected, and in plain words."""
    rows = material.metrics.get("comparisons", [])
    if not rows:
        return []
    if not material.many_seeds:
        return [*say.paragraphs("better_unknown"), _table(material, rows)]
    areas = chosen(rows, metric="auroc")
    blocks: list[Block] = [Text(say.better(len(areas)))]
    for (source,), of_source in grouped(areas, "source").items():
        clear = [_clear(row) for row in of_source if row["verdict"] is not None]
        unclear = [f"{row['first']} or {row['second']}" for row in chosen(of_source, verdict=None)]
        blocks.append(Text(say.by_source(material.named(source), clear, unclear)))
    return [*blocks, _table(material, rows)]


def _clear(row: Row) -> str:
    worse = row["second"] if row["verdict"] == row["first"] else row["first"]
    return f"{row['verdict']} is better than {worse} (by {number(abs(row['difference']), 2)})"


def _table(material: Material, rows: Sequence[Row]) -> Table:
    verdict = ["p (Holm)", "Better"] if material.many_seeds else []
    kept = [row for row in rows if row["metric"] in ("auroc", "correct (calibrated)")]
    body = [
        [
            material.named(row["source"]),
            {"auroc": "AUROC"}.get(row["metric"], row["metric"]),
            row["first"],
            row["second"],
            signed(row["difference"], row["ci95"]),
            *(
                [number(row["p_holm"], 3), row["verdict"] or "cannot tell"]
                if material.many_seeds
                else []
            ),
        ]
        for row in kept
    ]
    header = ["Source", "Measure", "First", "Second", "First minus second", *verdict]
    covers = "runs and images" if material.many_seeds else "images only"
    return Table(f"Differences with 95 % intervals over {covers}", header, body, text_columns=4)


def _means(material: Material, point: str) -> Table:
    rows = [row for row in material.metrics["across_seeds"] if row["operating_point"] == point]
    body = [
        [
            row["detector"],
            material.named(row["source"], row["detector"]),
            percent_interval(row["mean"], row["ci95"]),
            ", ".join(f"{100 * value:.0f}" for value in row["correct"]),
        ]
        for row in rows
    ]
    header = ["Detector", "Source", "Mean (95 % interval)", "Each run, in %"]
    return Table(f"Answered correctly over all runs, {point} point", header, body, text_columns=2)


ANALYSIS = Analysis(
    "comparisons",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("How much is chance", "From run to run", [runs]),
        Chapter("How much is chance", "Which detector is better?", [comparisons]),
    ],
)
