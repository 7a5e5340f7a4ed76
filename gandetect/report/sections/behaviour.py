"""Behind the answers: ranking, curves, scores, confusion, and what was learnt by heart."""

from __future__ import annotations

from typing import Any

from gandetect.report.document import Block, Table, Text
from gandetect.report.explorer import explorer
from gandetect.report.figures.decisions import confusion_matrices
from gandetect.report.figures.scores import roc_and_precision_recall, score_distributions
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    count,
    detector_name,
    listing,
    number,
    number_interval,
    percent,
    percent_interval,
)


def pairs(material: Material) -> list[Block]:
    """AUROC and its relatives for every generated and real source."""
    rows = [_pair_row(material, pair) for pair in material.metrics["pairs"]]
    if not rows:
        return [Text("Not shown: a pair needs a generated and a real source among the scores; "
                     "score both.", "missing")]  # fmt: skip
    header = ["Detector", "Generated", "Real", "AUROC (95 % interval)",
              "Average precision", "Reals delayed to catch 95 %",
              "Caught when 5 % delayed"]  # fmt: skip
    return [
        Text(
            "These figures do not depend on where the cut is made. AUROC is the chance that a "
            "generated image gets a higher score than a real one: 0.5 is a coin toss, 1 is "
            "perfect, and below 0.5 the detector takes fakes for more real than the real ones. "
            "Intervals are DeLong's, on the logit scale, over images only. Average precision "
            "depends on how many images each side has."
        ),
        Table("Threshold-free figures", header, rows, text_columns=3),
    ]


def curves(material: Material) -> list[Block]:
    """ROC and precision-recall curves."""
    areas = [_area_words(material, pair) for pair in material.metrics["pairs"]]
    if not areas:
        return []
    return [
        drawn(
            "roc-precision-recall",
            lambda: roc_and_precision_recall(material.inputs.scores, material.metrics),
            f"ROC and precision-recall curves. AUROC: {listing(areas)}.",
            "Dark orange: the fakes that a detector was trained on; light orange: others. Solid: "
            "against test reals of trained classes; dashed: of held-out classes. Dotted: a coin "
            "toss." + (" A line for each seed." if material.many_seeds else ""),
        )
    ]


def thresholds(material: Material) -> list[Block]:
    """The threshold explorer, and in static figures what it shows."""
    static = [*distributions(material), *curves(material), *confusion(material)]
    found = explorer(material, static)
    return [found] if found else static


def distributions(material: Material) -> list[Block]:
    """Distributions of scores by source."""
    rows = [_cut_row(material, row) for row in material.metrics["operating_points"]]
    thresholds = "; ".join(f"{row[0]} calibrated at {row[1]}" for row in rows)
    header = ["Detector", "Calibrated threshold", "Reals that chose it", "of them above 0",
              "of them above the calibrated threshold", "Youden's threshold"]  # fmt: skip
    columns = len(header) if "youden" in material.points else len(header) - 1
    return [
        drawn(
            "score-distributions",
            lambda: score_distributions(material.inputs.scores, material.metrics, material.named),
            f"Distributions of scores by source. Thresholds: native at 0; {thresholds}.",
            "Everything right of a threshold is called generated. Tick: median. The outermost"
            " bins also hold the scores beyond them (at most 0.5 % of a source at each end)."
            + (f" Seed {material.seeds[0]} only." if material.many_seeds else ""),
        ),
        Table(
            "Where the thresholds lie, and the reals that chose them",
            header[:columns],
            [row[:columns] for row in rows],
        ),
    ]


def confusion(material: Material) -> list[Block]:
    """Confusion matrices of own generated images and all test reals."""
    if material.labelled and not material.has("held-out"):
        return []  # the same as the test split's, which stand above
    first = material.seeds[0]
    rows = [row for row in material.metrics["overall"] if row["detector_seed"] == first]
    rows.sort(key=lambda row: material.detectors.index(row["detector"]))
    if not rows:
        return [Text("Not shown: a detector's own generated images or the test reals are not "
                     "among the scores; score them first.", "missing")]  # fmt: skip
    shown = []
    for row in rows:
        (rr, rg), (gr, gg) = row["confusion"]
        shown.append(
            f"{row['detector']} {row['operating_point']}: {count(rr)} reals answered real and "
            f"{count(rg)} generated, {count(gr)} fakes answered real and {count(gg)} generated"
        )
    return [
        drawn(
            "confusion",
            lambda: confusion_matrices(rows, material.points),
            f"Confusion matrices. {'; '.join(shown)}.",
            "Own generated images and all test reals: counts, and shares of the row's truth."
            + (f" Seed {first} only." if material.many_seeds else ""),
        )
    ]


def gap(material: Material) -> list[Block]:
    """Training images beside unseen images of the same classes."""
    rows = [_gap_row(material, row) for row in material.metrics["gap"]]
    if not rows:
        return [Text("Not shown: real:training or real:in-distribution is not among the scores; "
                     "score both.", "missing")]  # fmt: skip
    header = ["Detector", "Operating point", "Correct on training images",
              "Correct on unseen images", "Difference in points"]  # fmt: skip
    ranked = [
        _ranked_row(material, row)
        for row in material.metrics["gap"]
        if row["operating_point"] == "native" and row["auroc_own"]
    ]
    areas = ["Detector", "Against training images", "Against unseen images"]
    return [
        Text(
            "A detector sees its training images again and again and may know them by heart. "
            "Where training images are answered correctly more often than unseen images of the "
            "same classes, part of what it knows does not generalise. Points are percentage "
            "points, with Newcombe's interval."
        ),
        Table("Real images seen in training and unseen ones", header, rows, text_columns=2),
        *([Table("AUROC of a detector's own fakes", areas, ranked)] if ranked else []),
    ]


def _pair_row(material: Material, pair: dict[str, Any]) -> list[str]:
    return [
        detector_name(pair, material.many_seeds),
        material.named(pair["generated"], pair["detector"]),
        material.named(pair["real"]),
        number_interval(pair["auroc"], pair["ci95"]["auroc"]),
        number(pair["average_precision"]),
        percent(pair["fpr_at_95_tpr"]),
        percent(pair["tpr_at_5_fpr"]),
    ]


def _area_words(material: Material, pair: dict[str, Any]) -> str:
    name = detector_name(pair, material.many_seeds)
    generated = material.named(pair["generated"], pair["detector"])
    return f"{name}, {generated} against {material.named(pair['real'])} {number(pair['auroc'])}"


def _cut_row(material: Material, row: dict[str, Any]) -> list[str]:
    name = detector_name(row, material.many_seeds)
    if "calibrated" not in row:
        return [name, "none: no calibration reals scored", "0", "–", "–",
                number(row.get("youden"), 2)]  # fmt: skip
    delayed = row["calibration_delayed"]
    return [
        name,
        number(row["calibrated"], 2),
        count(row["n_calibration"]),
        percent(delayed["native"]),
        percent(delayed["calibrated"]),
        number(row.get("youden"), 2),
    ]


def _gap_row(material: Material, row: dict[str, Any]) -> list[str]:
    train, test = row["training"], row["in-distribution"]
    low, high = row["difference_ci95"]
    return [
        detector_name(row, material.many_seeds),
        row["operating_point"],
        percent_interval(train["correct"], train["ci95"]),
        percent_interval(test["correct"], test["ci95"]),
        f"{100 * row['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
    ]


def _ranked_row(material: Material, row: dict[str, Any]) -> list[str]:
    areas = [row["auroc_own"][name] for name in ("training", "in-distribution")]
    return [
        detector_name(row, material.many_seeds),
        *(number_interval(area["auroc"], area["ci95"]) for area in areas),
    ]
