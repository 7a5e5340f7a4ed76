"""When images are processed: what it costs, and whether a detector answers by the processing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.robustness import numbers
from gandetect.analyses.robustness.figure import KINDS, auroc_by_level, level_words
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material, drawn, not_asked
from gandetect.report.words import count, listing, number, percent, sentence

Row = dict[str, Any]
Rows = list[Row]

NOTICEABLE = 0.1  # change of the AUROC under one-sided processing that is worth a sentence
AS_FAR = 0.8  # of a fall with the fakes alone: what both together must lose to call it as far
ALONE = {"generated": "only the fakes are processed", "real": "only the reals are processed"}
OPERATING_POINTS = ("native", "calibrated")

MEANING = (
    "Images are compressed, blurred, resized and so on before a detector sees them; cuts stay "
    "where they were, and nothing is trained anew. Processed together, fakes and reals still "
    "differ by their origin alone. Processed alone, one side differs by the processing as well: "
    "a ranking that changes then shows that the detector reacts to the processing, whoever made "
    "the image. That is a shortcut, and fakes and reals from different pipelines would look "
    "easier or harder than they are. One change has another reading: where the AUROC falls with "
    "the fakes alone and as far with both, the processing may have wiped off true traces of the "
    "generator."
)


def robustness(material: Material) -> list[Block]:
    """Costs and shortcuts in sentences, curves and tables, or how to get them."""
    found = material.metrics.get("robustness") or {}
    means, runs = (_sorted(material, found.get(key, [])) for key in ("across_seeds", "runs"))
    if not any(row["perturbation"] != "none" for row in means):
        return not_asked(material, "perturbations", '["jpeg", "blur", "noise"]')
    own, own_runs = ([row for row in rows if row["role"] == "own"] for rows in (means, runs))
    return [
        *(Text(text, "lead") for text in _costs(material, own)),
        *(Text(text, "note") for text in _shortcuts(material, means)),
        Text(MEANING),
        *([_curves(material, own, own_runs)] if own else []),
        Table(
            "The level of each processing that moves the AUROC most (both sides processed)",
            ["Detector", "Fakes", "Processing", "AUROC as they are", "Both processed",
             "Change (95 % interval)", "Only fakes", "Only reals"],
            _ranking_rows(material, means),
            text_columns=3,
        ),
        *_answers(material, own, own_runs),
    ]  # fmt: skip


def _sorted(material: Material, rows: Rows) -> Rows:
    """Discriminators first, as everywhere; within a detector the order stays."""
    names = material.detectors
    return sorted(rows, key=lambda row: names.index(row["detector"]))


def _costs(material: Material, own: Rows) -> list[str]:
    """A sentence for each detector and own source: the processing that costs most."""
    texts = []
    for (detector, source), rows in _grouped(own, "detector", "source").items():
        both = [
            row for row in rows if row["perturbation"] != "none" and row["applied_to"] == "both"
        ]
        if not both:
            continue
        who = f"{sentence(material.called(detector))}, images {material.named(source)}"
        falls = [row for row in both if row["change_ci95"][1] < 0]
        if not falls:
            least = min(both, key=lambda row: float(row["change"]))
            texts.append(f"{who}: none of the processing that was tried lowers the AUROC beyond "
                         "chance when fakes and reals both go through it. The lowest is with "
                         f"{_processing(least)} ({_change(least)}).")  # fmt: skip
            continue
        worst = min(falls, key=lambda row: float(row["change"]))
        texts.append(
            f"{who}: {_processing(worst)} costs most, of what is beyond chance. When fakes and "
            f"reals both go through it, the AUROC falls from {number(worst['unperturbed'], 2)} to "
            f"{number(worst['auroc'], 2)} ({_change(worst)})."
        )
    return texts


def _shortcuts(material: Material, means: Rows) -> list[str]:
    """Where processing one side alone moves the ranking noticeably, in every run."""
    hits = [row for row in means if row["applied_to"] in ALONE and _noticeable(row)]
    if not hits:
        return [f"No sign of a shortcut: processing one side alone moved no AUROC by more than "
                f"{NOTICEABLE:g}."]  # fmt: skip
    both = {_of(row): row for row in means if row["applied_to"] == "both"}
    own = [row for row in hits if row["role"] == "own"]
    texts = []
    for (detector, source), rows in _grouped(own, "detector", "source").items():
        lost = [row for row in rows if _perhaps_lost(row, both.get(_of(row)))]
        clear = _sides([row for row in rows if row not in lost], both)
        who = f"{material.called(detector)}, images {material.named(source)}"
        before = f"the AUROC is {number(rows[0]['unperturbed'], 2)} as they are"
        if clear:
            texts.append(f"A sign of a shortcut: {who}. There {before}; {clear}.")
        if lost:
            texts.append(f"A shortcut or lost traces, which these figures do not tell apart: {who}."
                         f" There {before}; {_sides(lost, both)}.")  # fmt: skip
    if len(hits) > len(own):
        texts.append(
            "On fakes of generators that a detector was not trained on, processing one side alone "
            f"moved the AUROC by more than {NOTICEABLE:g}{' as well' if own else ''}."
        )
    return texts


def _sides(rows: Rows, both: dict[Any, Row]) -> str:
    """The AUROC with each processing of one side, and in brackets with both sides processed."""
    parts = []
    for (side,), of_side in _grouped(rows, "applied_to").items():
        areas = []
        for row in _strongest(of_side):
            kind, level = _level(row)
            with_both = number(both[_of(row)]["auroc"], 2)
            areas.append(f"{number(row['auroc'], 2)} with {KINDS.get(kind, kind)} "
                         f"({level_words(kind, level)}; with both {with_both})")  # fmt: skip
        parts.append(f"when {ALONE[side]} it is {listing(areas)}")
    return "; ".join(parts)


def _perhaps_lost(row: Row, both: Row | None) -> bool:
    """Whether a fall with the fakes alone is about as far with both: true traces may be gone."""
    falls = row["applied_to"] == "generated" and float(row["change"]) < 0
    return falls and both is not None and float(both["change"]) <= AS_FAR * float(row["change"])


def _noticeable(row: Row) -> bool:
    """A mean change that is large, and that every run shows: few runs give no useful interval."""
    low, high = row["change_ci95"]
    changes = row["changes"]
    alike = min(changes) > 0 or max(changes) < 0
    chance = len(changes) == 1 and low <= 0 <= high
    return abs(float(row["change"])) > NOTICEABLE and alike and not chance


def _curves(material: Material, means: Rows, runs: Rows) -> Block:
    fakes, reals = (max(row[key] for row in runs) for key in ("n_generated", "n_real"))
    seeds = " Lines: mean over seeds; small dots: single seeds." if material.many_seeds else ""
    chance = "over runs and images" if material.many_seeds else "over images"
    found = {row["perturbation"]: None for row in means if row["perturbation"] != "none"}
    kinds = [KINDS.get(kind, kind) for kind in found]
    return drawn(
        "robustness",
        lambda: auroc_by_level(means, runs),
        f"AUROC over the levels of {listing(kinds)}. {' '.join(_costs(material, means))}",
        f"Own fakes against test reals of trained classes, at most {count(fakes)} against "
        f"{count(reals)}.{seeds} Bars: 95 % intervals of the change, {chance}. Dotted: images as "
        "they are; grey: a coin toss.",
    )


def _ranking_rows(material: Material, means: Rows) -> list[list[str]]:
    table = []
    for (detector, source), rows in _grouped(means, "detector", "source").items():
        for both in _strongest([row for row in rows if row["applied_to"] == "both"]):
            same = [row for row in rows if _level(row) == _level(both)]
            alone = {row["applied_to"]: row for row in same}
            table.append([
                detector, material.named(source, detector), _processing(both),
                number(both["unperturbed"]), number(both["auroc"]), _interval(both),
                *(number(alone[side]["auroc"] if side in alone else None) for side in ALONE),
            ])  # fmt: skip
    return table


def _answers(material: Material, own: Rows, runs: Rows) -> list[Block]:
    """Fakes caught and reals delayed at the cuts, at the same levels as the table above."""
    points = [point for point in OPERATING_POINTS if any(point in row["caught"] for row in runs)]
    if not points:
        return []
    table = []
    for (detector, source), rows in _grouped(own, "detector", "source").items():
        of_this = [row for row in runs if (row["detector"], row["source"]) == (detector, source)]
        chosen = [row for row in rows if row["perturbation"] == "none"]
        chosen += _strongest([row for row in rows if row["applied_to"] == "both"])
        for mean in chosen:
            same = [row for row in of_this if _level(row) == _level(mean)
                    and row["applied_to"] == "both"]  # fmt: skip
            shares = [_mean(same, key, point) for point in points for key in ("caught", "delayed")]
            table.append([detector, material.named(source), _processing(mean), *shares])
    header = [f"{what}, {point}" for point in points for what in ("Fakes caught", "Reals delayed")]
    return [Table("What becomes of the answers when both sides are processed",
                  ["Detector", "Fakes", "Processing", *header], table, text_columns=3)]  # fmt: skip


def _mean(runs: Rows, key: str, point: str) -> str:
    shares = [row[key][point] for row in runs if point in row[key]]
    return percent(sum(shares) / len(shares)) if shares else number(None)


def _strongest(rows: Rows) -> Rows:
    """The level of each perturbation that moves the AUROC most."""
    kinds = _grouped([row for row in rows if row["perturbation"] != "none"], "perturbation")
    chosen = [max(levels, key=lambda row: abs(float(row["change"]))) for levels in kinds.values()]
    order = [*KINDS, *(kind for (kind,) in kinds if kind not in KINDS)]
    return sorted(chosen, key=lambda row: order.index(str(row["perturbation"])))


def _grouped(rows: Rows, *keys: str) -> dict[tuple[str, ...], Rows]:
    groups: dict[tuple[str, ...], Rows] = defaultdict(list)
    for row in rows:
        groups[tuple(str(row[key]) for key in keys)].append(row)
    return dict(groups)


def _level(row: Row) -> tuple[str, float]:
    return str(row["perturbation"]), float(row["level"])


def _of(row: Row) -> tuple[str, str, str, float]:
    return str(row["detector"]), str(row["source"]), *_level(row)


def _processing(row: Row) -> str:
    kind, level = _level(row)
    return "none" if kind == "none" else f"{KINDS.get(kind, kind)}, {level_words(kind, level)}"


def _change(row: Row) -> str:
    low, high = row["change_ci95"]
    return f"change {row['change']:+.2f}, 95 % interval {low:+.2f} to {high:+.2f}"


def _interval(row: Row) -> str:
    low, high = row["change_ci95"]
    return f"{row['change']:+.3f} ({low:+.3f} to {high:+.3f})"


ANALYSIS = Analysis(
    "robustness",
    numbers.numbers,
    numbers.rows,
    chapters=[Chapter("What is behind it", "Processed images", [robustness])],
)
