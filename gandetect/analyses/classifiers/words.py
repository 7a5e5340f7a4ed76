"""Supervised classifiers: how they were trained, what they see, and their figures by split."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.classifiers import figure as draw
from gandetect.analyses.classifiers import numbers
from gandetect.config import ClassifierConfig, PublishedFigure
from gandetect.report.document import Block, Table, Text, slug
from gandetect.report.material import Material, drawn, pasted
from gandetect.report.prose import Prose
from gandetect.report.words import count, detector_name, number, percent, percent_interval, sentence

FIGURES = ("accuracy", "auroc", "precision", "recall", "specificity", "f1")
say = Prose(__file__)
NAMES = {name: name for name in FIGURES} | {"auroc": "AUROC", "f1": "F1"}


def training(material: Material) -> list[Block]:
    """Loss and accuracy by epoch, training and validation, with the epoch that was kept."""
    blocks: list[Block] = []
    for config in material.inputs.experiment.classifiers:
        found = {
            s: c for (name, s), c in material.inputs.classifiers.items() if name == config.name
        }
        if not found:
            seed = material.seeds[0]
            blocks += material.absent(f"classifiers/{config.name}/seed-{seed}")
            continue
        one = next(iter(found.values()))
        blocks.append(
            drawn(
                f"training-{slug(config.name)}",
                lambda found=found: draw.training_curves(found),  # type: ignore[misc]
                f"Training of {config.name}, epoch by epoch; kept was epoch {one.best_epoch} of "
                f"{len(one.history)}.",
                f"{config.name} ({config.recipe}): dotted, the epoch that was kept, the best by "
                f"validation {config.best_by}. Training figures are of augmented images, with "
                "dropout, while the network still changed.",
            )
        )
    return blocks


def batches(material: Material) -> list[Block]:
    """A training batch of each classifier as the network saw it, after augmentation."""
    first = material.seeds[0]
    blocks: list[Block] = []
    for config in material.inputs.experiment.classifiers:
        found = material.inputs.classifiers.get((config.name, first))
        if found is None or not len(found.batch):
            continue
        shown = min(len(found.batch), draw.BATCH_SHOWN)
        fakes = int(found.labels[:shown].sum())
        first_of = f"the first {shown} of " if shown < len(found.batch) else ""
        blocks.append(
            pasted(
                f"batch-{slug(config.name)}",
                draw.batch_grid(found.batch, found.labels),
                f"{shown} training images of {config.name} after augmentation: "
                f"{shown - fakes} real, framed blue, {fakes} generated, framed orange.",
                f"{config.name}: {first_of}one training batch as the network saw it, after "
                "augmentation and before its pixels were scaled; blue frames are real, orange "
                "ones generated.",
            )
        )
    return blocks


def splits(material: Material) -> list[Block]:
    """Accuracy and its relatives on training, validation and test images."""
    rows = [r for r in material.metrics["splits"] if r["detector"] in material.classifiers]
    if not rows:
        return []
    header = ["Classifier", "Split", "Operating point", "Accuracy (95 % interval)", "AUROC",
              "Precision", "Recall", "Specificity", "F1", "n"]  # fmt: skip
    body = [
        [
            detector_name(row, material.many_seeds),
            row["split"],
            row["operating_point"],
            percent_interval(row["accuracy"], row["ci95"]["accuracy"]),
            *(number(row[name]) for name in FIGURES[1:]),
            count(row["n"]),
        ]
        for row in rows
    ]
    return [
        Text(say.splits()),
        Table("Figures by split", header, body, text_columns=3),
        _thresholds(material),
    ]


def confusions(material: Material) -> list[Block]:
    """A confusion matrix for each split, at the native and the youden threshold."""
    first = material.seeds[0]
    blocks: list[Block] = []
    for name in material.classifiers:
        rows = [
            row
            for row in material.metrics["splits"]
            if (row["detector"], row["detector_seed"]) == (name, first)
            and row["operating_point"] in ("native", "youden")
        ]
        if not rows:
            continue
        blocks.append(
            drawn(
                f"splits-{slug(name)}",
                lambda rows=rows: draw.split_confusions(rows),  # type: ignore[misc]
                f"Confusion matrices of {name}, split by split.",
                f"{name}: counts, and shares of the row's truth"
                + (f"; seed {first} only." if material.many_seeds else "."),
            )
        )
    return blocks


def published(material: Material) -> list[Block]:
    """Figures that a source reports beside ours at the native threshold, and what compares."""
    rows = [
        _published_row(material, config, figure)
        for config in material.inputs.experiment.classifiers
        for figure in config.published
    ]
    if not rows:
        return []
    header = ["Classifier", "Figure", "Comparable?", "Published", "Ours"]
    return [
        Text(say.published()),
        Table("Published figures and ours", header, rows, text_columns=3),
    ]


def cross_validation(material: Material) -> list[Block]:
    """Mean and standard deviation over folds, and every fold."""
    rows = material.inputs.folds.get("rows", [])
    if not rows:
        return []
    names = list(dict.fromkeys(row["detector"] for row in rows))
    body = []
    for name in names:
        mine = [row for row in rows if row["detector"] == name]
        summary = [f"{number(_mean(mine, key))} ± {number(_spread(mine, key))}" for key in FIGURES]
        body.append([name, "mean ± sd", *summary, count(sum(row["n"] for row in mine))])
        body += [
            [
                name,
                _fold_name(material, row),
                *(number(row[key]) for key in FIGURES),
                count(row["n"]),
            ]
            for row in mine
        ]
    header = ["Classifier", "Fold", *(sentence(NAMES[name]) for name in FIGURES), "n"]
    return [
        Text(say.cross_validation(material.inputs.folds["folds"])),
        Table("Cross-validation", header, body, text_columns=2),
    ]


def ours(row: Mapping[str, Any], metric: str, positive: str) -> float:
    """One of our figures with the class that a source calls positive.

    >>> row = {"confusion": [[40, 10], [20, 30]], "auroc": 0.7, "accuracy": 0.7, "recall": 0.6}
    >>> ours(row, "recall", "generated"), ours(row, "recall", "real")
    (0.6, 0.8)
    """
    if positive == "generated" or metric in ("accuracy", "auroc"):
        return float(row[metric])
    (rr, rg), (gr, gg) = row["confusion"]
    parts = {
        "precision": (rr, rr + gr),
        "recall": (rr, rr + rg),
        "specificity": (gg, gg + gr),
        "f1": (2 * rr, 2 * rr + rg + gr),
    }
    part, whole = parts[metric]
    return part / whole if whole else 0.0


def _thresholds(material: Material) -> Table:
    bounds = {(r["detector"], r["detector_seed"]): r for r in material.metrics["upper_bound"]}
    body = []
    for row in material.metrics["operating_points"]:
        if row["detector"] not in material.classifiers:
            continue
        bound = bounds.get((row["detector"], row["detector_seed"]))
        cells = [number(row.get(point), 2) for point in ("native", "calibrated", "youden")]
        oracle = "–"
        if bound is not None:
            oracle = f"{number(bound['threshold'], 2)}: accuracy {percent(bound['accuracy'])}"
        body.append([detector_name(row, material.many_seeds), *cells, oracle])
    header = ["Classifier", "Native", "Calibrated", "Youden",
              "Upper bound (chosen on the test images, not attainable)"]  # fmt: skip
    return Table("Thresholds on the log-odds of generated", header, body)


def _published_row(
    material: Material, config: ClassifierConfig, figure: PublishedFigure
) -> list[str]:
    rows = [
        row
        for row in material.metrics["splits"]
        if (row["detector"], row["split"], row["operating_point"])
        == (config.name, figure.split, "native")
    ]
    value = fmean(ours(row, figure.metric, figure.positive) for row in rows) if rows else None
    positive = "" if figure.metric in ("accuracy", "auroc") else f", {figure.positive} positive"
    comparable = "yes" if figure.comparable else "no"
    return [
        config.name,
        f"{figure.split} {NAMES[figure.metric]}{positive}",
        f"{comparable}: {figure.note}" if figure.note else comparable,
        number(figure.value),
        number(value),
    ]


def _fold_name(material: Material, row: Mapping[str, Any]) -> str:
    seed = f", seed {row['detector_seed']}" if material.many_seeds else ""
    return f"fold {row['fold']}{seed}"


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return fmean(row[key] for row in rows)


def _spread(rows: list[dict[str, Any]], key: str) -> float:
    return stdev(row[key] for row in rows) if len(rows) > 1 else 0.0


ANALYSIS = Analysis(
    "classifiers",
    numbers.numbers,
    numbers.rows,
    chapters=[
        Chapter("Look at the images", "What the classifiers see", [batches]),
        Chapter("The training", "Training of the classifiers", [training]),
        Chapter("The training", "The classifiers, split by split", [splits, confusions]),
        Chapter("The training", "Cross-validation", [cross_validation]),
        Chapter("Beside published figures", "Published figures beside ours", [published]),
    ],
)
