"""When images are processed: what it costs, and whether a detector answers by the processing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.robustness import numbers
from gandetect.analyses.robustness.figure import KINDS, auroc_by_level, processing
from gandetect.analyses.robustness.numbers import POINTS
from gandetect.report.document import Block, Columns, Table, Text, table
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults, not_asked
from gandetect.report.words import number, percent, signed
from gandetect.statistics.rows import Row, chosen, grouped

NOTICEABLE = 0.1  # change of the AUROC under one-sided processing that is worth a sentence
AS_FAR = 0.8  # of a fall with the fakes alone: what both together must lose to call it as far
ALONE = ("generated", "real")
say = Prose(__file__)


def robustness(results: StudyResults) -> list[Block]:
    """Costs and shortcuts in sentences, curves and tables, or how to get them."""
    stored = results.metrics.get("robustness") or {}
    means, runs = (results.sorted(stored.get(key, [])) for key in ("across_seeds", "runs"))
    if not any(row["perturbation"] != "none" for row in means):
        return not_asked(results, "perturbations", '["jpeg 75", "blur 1", "noise 5"]')
    own, own_runs = (chosen(rows, role="own") for rows in (means, runs))
    return [
        *_costs(results, own),
        *_shortcuts(results, means),
        Text(say.meaning()),
        *([_curves(results, own, own_runs)] if own else []),
        _ranking(results, means),
        *_answers(results, own, own_runs),
    ]


def finding(results: StudyResults) -> str:
    """The processing that costs most when both sides go through it."""
    means = (results.metrics.get("robustness") or {}).get("across_seeds", [])
    both = [row for row in chosen(means, role="own", applied_to="both")
            if row["perturbation"] != "none"]  # fmt: skip
    worst = min(both, key=lambda row: float(row["change"]), default=None)
    return say.finding(results, worst, _processing(worst) if worst else "")


def _costs(results: StudyResults, own: Sequence[Row]) -> list[Block]:
    """A sentence for each detector and own source: the processing that costs most."""
    blocks: list[Block] = []
    for (detector, source), rows in grouped(own, "detector", "source").items():
        both = [row for row in chosen(rows, applied_to="both") if row["perturbation"] != "none"]
        if both:
            falls = [row for row in both if row["change_ci95"][1] < 0]
            worst = min(falls or both, key=lambda row: float(row["change"]))
            who = f"{results.called(detector)}, images {results.named(source)}"
            blocks += say.paragraphs("cost", who, worst, _processing(worst))
    return blocks


def _shortcuts(results: StudyResults, means: Sequence[Row]) -> list[Block]:
    """Where processing one side alone moves the ranking noticeably, in every run."""
    hits = [row for row in means if row["applied_to"] in ALONE and _noticeable(row)]
    if not hits:
        return [*say.paragraphs("no_shortcut", NOTICEABLE)]
    both = {_of(row): row for row in means if row["applied_to"] == "both"}
    own = chosen(hits, role="own")
    blocks: list[Block] = []
    for (detector, source), rows in grouped(own, "detector", "source").items():
        lost = [row for row in rows if _perhaps_lost(row, both.get(_of(row)))]
        clear = _sides([row for row in rows if row not in lost], both)
        who = f"{results.called(detector)}, images {results.named(source)}"
        before = rows[0]["unperturbed"]
        blocks += say.paragraphs("shortcut", who, before, clear, _sides(lost, both))
    if len(hits) > len(own):
        blocks += say.paragraphs("others", NOTICEABLE, bool(own))
    return blocks


def _sides(rows: Sequence[Row], both: Mapping[Any, Row]) -> dict[str, list[str]]:
    """The AUROC with each processing of one side, and in brackets with both sides processed."""
    return {
        side: [
            say.area(row, _processing(row).replace(", ", " (", 1), both[_of(row)])
            for row in _strongest(of_side)
        ]
        for (side,), of_side in grouped(rows, "applied_to").items()
    }


def _perhaps_lost(row: Row, both: Row | None) -> bool:
    """Whether a fall with the fakes alone is about as far with both: true traces may be gone."""
    falls = row["applied_to"] == "generated" and float(row["change"]) < 0
    return falls and both is not None and float(both["change"]) <= AS_FAR * float(row["change"])


def _noticeable(row: Row) -> bool:
    """A mean change that is large, and that every run shows: few runs give no useful interval."""
    low, high = row["change_ci95"]
    changes = row["changes"]
    alike = min(changes) > 0 or max(changes) < 0
    perhaps_chance = len(changes) == 1 and low <= 0 <= high
    return abs(float(row["change"])) > NOTICEABLE and alike and not perhaps_chance


def _curves(results: StudyResults, means: Sequence[Row], runs: Sequence[Row]) -> Block:
    fakes, reals = (max(row[key] for row in runs) for key in ("n_generated", "n_real"))
    draw = partial(auroc_by_level, means, runs)
    return say.figure("robustness", draw, fakes, reals, results.many_seeds)


def _ranking(results: StudyResults, means: Sequence[Row]) -> Table:
    areas = {(*_of(row), row["applied_to"]): row["auroc"] for row in means}

    def only(side: str) -> Callable[[Row], str]:
        return lambda row: number(areas.get((*_of(row), side)))

    rows = [
        row
        for of in grouped(chosen(means, applied_to="both"), "detector", "source").values()
        for row in _strongest(of)
    ]
    columns: Columns = {
        "Detector": lambda row: row["detector"],
        "Fakes": lambda row: results.named(row["source"], row["detector"]),
        "Processing": _processing,
        "AUROC as they are": lambda row: number(row["unperturbed"]),
        "Both processed": lambda row: number(row["auroc"]),
        "Change (95 % interval)": lambda row: signed(row["change"], row["change_ci95"]),
        "Only fakes": only("generated"),
        "Only reals": only("real"),
    }
    caption = "The level of each processing that moves the AUROC most (both sides processed)"
    return table(caption, rows, columns, text_columns=3)


def _answers(results: StudyResults, own: Sequence[Row], runs: Sequence[Row]) -> list[Block]:
    """Fakes caught and reals flagged at the thresholds, at the same levels as the table above."""
    points = [point for point in POINTS if any(point in row["caught"] for row in runs)]
    if not points:
        return []
    rows = [
        row
        for of in grouped(chosen(own, applied_to="both"), "detector", "source").values()
        for row in (*chosen(of, perturbation="none"), *_strongest(of))
    ]

    def share(key: str, point: str) -> Callable[[Row], str]:
        def cell(mean: Row) -> str:
            same = [row for row in chosen(runs, applied_to="both") if _of(row) == _of(mean)]
            shares = [row[key][point] for row in same if point in row[key]]
            return percent(fmean(shares)) if shares else number(None)

        return cell

    columns: Columns = {
        "Detector": lambda row: row["detector"],
        "Fakes": lambda row: results.named(row["source"]),
        "Processing": _processing,
    }
    for point in points:
        columns |= {f"Fakes caught, {point}": share("caught", point),
                    f"Reals flagged, {point}": share("flagged", point)}  # fmt: skip
    caption = "What becomes of the answers when both sides are processed"
    return [table(caption, rows, columns, text_columns=3)]


def _strongest(rows: Sequence[Row]) -> list[Row]:
    """The level of each perturbation that moves the AUROC most."""
    kinds = grouped([row for row in rows if row["perturbation"] != "none"], "perturbation")
    strongest = [max(levels, key=lambda row: abs(float(row["change"])))
                 for levels in kinds.values()]  # fmt: skip
    order = [*KINDS, *(kind for (kind,) in kinds if kind not in KINDS)]
    return sorted(strongest, key=lambda row: order.index(str(row["perturbation"])))


def _of(row: Row) -> tuple[str, str, str, float]:
    return (str(row["detector"]), str(row["source"]), str(row["perturbation"]),
            float(row["level"]))  # fmt: skip


def _processing(row: Row) -> str:
    kind = str(row["perturbation"])
    return kind if kind == "none" else processing(kind, float(row["level"]))


CHAPTER = Chapter("Can I trust this?", "Shortcuts: processed images", [robustness], finding)
ANALYSIS = Analysis("robustness", numbers.numbers, numbers.rows, [CHAPTER], beyond_scores=True)
