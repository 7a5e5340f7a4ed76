"""Detector by source, and how good the fakes were that were caught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gandetect.report.document import Block, Cell, Fold, Heat, Table, Text
from gandetect.report.figures.decisions import cross_evaluation, matrix_sources
from gandetect.report.figures.training import class_spread
from gandetect.report.material import Material, drawn
from gandetect.report.words import (
    POINTS,
    count,
    detector_name,
    listing,
    number,
    percent,
    percent_interval,
    percent_range,
    sentence,
)

YOUDEN = (
    " Youden's is the one that parts a classifier's validation images best: the share of fakes "
    "caught minus the share of reals delayed is at its largest (Youden 1950)."
)
FRAMED = "framed: fakes that a detector was trained on"
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


def matrix(material: Material) -> list[Block]:
    """The cross-evaluation: who answers what correctly, how often."""
    native = material.points[0]
    choosing = "validation" if material.labelled else "calibration"
    shown = [
        f"{row['detector']} on {material.named(row['source'])} {percent(row['mean'])}"
        for row in material.metrics["across_seeds"]
        if row["operating_point"] == native
    ]
    allowed = percent(material.inputs.experiment.evaluation.calibrated_fpr, 0)
    figure = drawn(
        "cross-evaluation",
        lambda: cross_evaluation(material.metrics, material.points, material.named),
        f"Heatmap of the share answered correctly at the native point: {listing(shown)}.",
        f"Share answered correctly, {_covers(material)}; {FRAMED}.",
    )
    each = [_matrix_table(material, point) for point in material.points]
    more = "As one figure, and run by run" if material.many_seeds else "As one figure"
    return [
        Text(
            "Each cell is the share of a source's images that a detector answers correctly: "
            "generated ones called generated, real ones called real. The native operating point is "
            "the threshold of training, a score of 0; the calibrated one lets at most "
            f"{allowed} of the {choosing} reals be called generated, which are in no test group."
            + (YOUDEN if "youden" in material.points else "")
        ),
        *(
            share_heat(material, point, matrix_sources(material.metrics), POINTS[point])
            for point in material.points
        ),
        Fold(more, [figure, *(each if material.many_seeds else [])]),
    ]


def share_heat(material: Material, point: str, sources: Sequence[str], title: str) -> Heat:
    """Share answered correctly by detector (rows) and source (columns), with its interval."""
    of_cell = {
        (row["detector"], row["source"]): row
        for row in material.metrics["across_seeds"]
        if row["operating_point"] == point
    }
    rows = [
        (
            sentence(material.short(name)),
            [_heat_cell(of_cell.get((name, source))) for source in sources],
        )
        for name in material.detectors
        if any((name, source) in of_cell for source in sources)
    ]
    header = ["Detector", *(sentence(material.named(source)) for source in sources)]
    return Heat(
        f"{sentence(title)}: answered correctly, {_covers(material)}; {FRAMED}", header, rows
    )


def _heat_cell(row: dict[str, Any] | None) -> Cell | None:
    if row is None:
        return None
    many = len(row["seeds"])
    n = f"{count(row['n'][0])} images" + (f" of each of {many} runs" if many > 1 else "")
    return Cell(
        percent(row["mean"]),
        percent_range(row["mean"], row["ci95"]),
        row["mean"],
        row["role"] == "own",
        n,
    )


def _covers(material: Material) -> str:
    return "95 % intervals over " + ("runs and images" if material.many_seeds else "images")


def quality(material: Material) -> list[Block]:
    """FID, KID, confidence and class spread of every generator."""
    if material.labelled:
        return []
    opening: list[Block] = [
        Text(
            "A detector that catches bad fakes is no news. FID and KID compare generated images "
            "with real test images in the features of a small classifier that we train on the ten "
            "classes, so they can be compared with each other, not with published values; lower "
            "is better; in brackets the standard deviation of KID over subsets. "
            "Confidence is how sure that classifier is of a fake's class."
        )
    ]
    rows = material.inputs.quality
    if not rows:
        return opening + material.absent("quality.json")
    classifier = material.inputs.classifier
    if "accuracy_in_distribution" in classifier:
        share = percent(classifier["accuracy_in_distribution"])
        n = f" of {count(classifier['n'])} test reals" if "n" in classifier else ""
        opening.append(Text(f"The classifier itself names the class of {share}{n} correctly."))
    return [*opening, _quality_table(material, rows), *_spread(material, rows)]


def _matrix_table(material: Material, point: str) -> Table:
    sources = matrix_sources(material.metrics)
    rows = []
    for detector in material.detectors:
        for seed in material.seeds:
            found = {
                cell["source"]: percent_interval(cell["correct"], cell["ci95"])
                for source in sources
                for cell in material.cells(detector, source, point)
                if cell["detector_seed"] == seed
            }
            if found:
                name = detector_name(
                    {"detector": detector, "detector_seed": seed}, material.many_seeds
                )
                rows.append([name, *(found.get(source, "–") for source in sources)])
    header = ["Detector", *(sentence(material.named(source)) for source in sources)]
    return Table(f"Answered correctly, {POINTS[point]} (95 % Wilson interval)", header, rows)


def _quality_table(material: Material, rows: list[dict[str, Any]]) -> Table:
    header = ["Generator", "Epoch", "FID", "KID (sd)", "Confidence", "Most common class", "n"]
    body = []
    for row in rows:
        shares = row.get("class_shares") or []
        names = class_names(material, len(shares))
        top = max(range(len(shares)), key=shares.__getitem__, default=None)
        kid = number(row.get("kid"), 1)
        if row.get("kid_std") is not None:
            kid += f" ({number(row['kid_std'], 1)})"
        body.append(
            [
                material.title_of((row["gan"], row.get("seed", 0))),
                str(row.get("epoch", "–")),
                number(row.get("fid"), 1),
                kid,
                number(row.get("confidence"), 2),
                "–" if top is None else f"{names[top]}, {percent(shares[top], 0)}",
                count(row["n"]) if "n" in row else "–",
            ]
        )
    return Table("How good the fakes are", header, body)


def _spread(material: Material, rows: list[dict[str, Any]]) -> list[Block]:
    spreads = {
        material.title_of((row["gan"], row.get("seed", 0))): row["class_shares"]
        for row in rows
        if row.get("class_shares")
    }
    if not spreads:
        return material.absent("quality.json")
    classes = class_names(material, len(next(iter(spreads.values()))))
    shown = [
        f"{name}: {listing([f'{c} {percent(s, 0)}' for c, s in zip(classes, shares, strict=True)])}"
        for name, shares in spreads.items()
    ]
    return [
        drawn(
            "class-spread",
            lambda: class_spread(spreads, classes),
            f"Share of each generator's images by class. {'; '.join(shown)}.",
            "A generator that serves one class only has collapsed. Held-out classes were not in "
            "its training images, so it should hardly make any.",
        )
    ]


def class_names(material: Material, n: int) -> list[str]:
    """Names of the classes as the data set gives them, or their numbers."""
    names = list(material.inputs.data.get("classes") or FASHION)
    return [str(names[i]) if i < len(names) else str(i) for i in range(n)]
