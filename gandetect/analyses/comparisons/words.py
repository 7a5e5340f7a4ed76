"""Over several training runs: how far they lie apart, and which detector is better than which."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.comparisons import numbers
from gandetect.analyses.comparisons.figure import runs_by_source
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn
from gandetect.report.words import listing, number, percent, percent_interval, sentence

Row = dict[str, Any]


def runs(material: Material) -> list[Block]:
    """Every run as a dot; with one run, that there is no more to say of other runs."""
    if not material.many_seeds:
        return [
            Text(
                "There is one training run of each network. Every interval here is over images "
                "only: another run might answer quite otherwise. Give several seeds "
                "(seeds = [0, 1, 2, 3, 4]) to learn how much is chance.",
                "note",
            )
        ]
    points = [name for name in material.points if name in ("native", "calibrated")]
    widest = max(material.metrics["across_seeds"], key=_spread)
    low, high = min(widest["correct"]), max(widest["correct"])
    return [
        Text(
            f"Each network was trained {len(material.seeds)} times, with nothing changed but the "
            f"seed. The runs lie furthest apart with {widest['detector']} on what is "
            f"{material.named(widest['source'])}: between {percent(low, 0)} and {percent(high, 0)} "
            f"answered correctly ({widest['operating_point']} point)."
        ),
        drawn(
            "runs",
            lambda: runs_by_source(material.metrics, points, material.named),
            "Share answered correctly by detector and source: the mean over runs with its "
            "interval, and every run. " + _all_runs(material, points),
            f"Dots: the {len(material.seeds)} runs. Line: their mean. Band: 95 % interval for "
            "other runs on other images (hierarchical bootstrap, runs first, then images).",
        ),
        *(_means(material, point) for point in points),
    ]


def comparisons(material: Material) -> list[Block]:
    """Is detector A better than B? Paired, corrected, and in plain words."""
    rows: list[Row] = material.metrics.get("comparisons", [])
    if not rows:
        return []
    if not material.many_seeds:
        return [
            Text(
                "Which detector is better cannot be told from one training run of each: the "
                "differences below are those of these very networks on other images. For an answer "
                "about the methods, give several seeds.",
                "note",
            ),
            _table(material, rows),
        ]
    areas = [row for row in rows if row["metric"] == "auroc"]
    return [
        Text(
            "Compared in pairs, run by run and image by image. A detector is called better only "
            f"where chance can be ruled out: the p-values of all {len(areas)} comparisons by AUROC "
            "are corrected together (Holm) and must stay below 5 %; so are those of each other "
            "measure."
        ),
        *(Text(sentence(text)) for text in _said(material, areas)),
        _table(material, rows),
    ]


def _said(material: Material, areas: list[Row]) -> list[str]:
    """A sentence for each source: who ranks it better than whom, and where nobody can tell."""
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in areas:
        by_source[row["source"]].append(row)
    texts = []
    for source, rows in by_source.items():
        clear = [_clear(row) for row in rows if row["verdict"] is not None]
        unclear = [f"{row['first']} or {row['second']}" for row in rows if row["verdict"] is None]
        parts = [listing(clear)] if clear else []
        if unclear:
            parts.append(f"cannot tell which is better: {'; '.join(unclear)}")
        said = "; ".join(parts)
        texts.append(f"{material.named(source)}, against real images (AUROC): {said}.")
    return texts


def _clear(row: Row) -> str:
    worse = row["second"] if row["verdict"] == row["first"] else row["first"]
    return f"{row['verdict']} is better than {worse} (by {number(abs(row['difference']), 2)})"


def _table(material: Material, rows: list[Row]) -> Table:
    kept = [row for row in rows if row["metric"] in ("auroc", "correct (calibrated)")]
    body = [
        [
            material.named(row["source"]),
            {"auroc": "AUROC"}.get(row["metric"], row["metric"]),
            row["first"],
            row["second"],
            _difference(row),
            *([number(row["p_holm"], 3), _verdict(row)] if material.many_seeds else []),
        ]
        for row in kept
    ]
    verdict = ["p (Holm)", "Better"] if material.many_seeds else []
    header = ["Source", "Measure", "First", "Second", "First minus second", *verdict]
    covers = "runs and images" if material.many_seeds else "images only"
    return Table(f"Differences with 95 % intervals over {covers}", header, body, text_columns=4)


def _verdict(row: Row) -> str:
    return row["verdict"] or "cannot tell"


def _difference(row: Row) -> str:
    low, high = row["ci95"]
    return f"{row['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


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


def _all_runs(material: Material, points: list[str]) -> str:
    rows = [row for row in material.metrics["across_seeds"] if row["operating_point"] == points[-1]]
    return "; ".join(
        f"{row['detector']} on {material.named(row['source'])} {percent(row['mean'])}"
        for row in rows
    )


def _spread(row: Row) -> float:
    return float(max(row["correct"]) - min(row["correct"]))


ANALYSIS = Analysis(
    "comparisons",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("How much is chance", "From run to run", [runs]),
        Chapter("How much is chance", "Which detector is better?", [comparisons]),
    ],
)
