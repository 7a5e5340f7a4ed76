"""Supervised classifiers: how they were trained, what they see, and their figures by split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean, stdev
from typing import Any

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.classifiers import numbers
from gandetect.analyses.classifiers.figure import BATCH_SHOWN, batch_grid, training_curves
from gandetect.config import ClassifierConfig, PublishedFigure
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.heatmaps import confusion_heat
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import count, number, percent_interval, sentence
from gandetect.statistics.rows import Row, chosen, grouped

FIGURES = numbers.METRICS
say = Prose(__file__)
NAMES = {name: name for name in FIGURES} | {"auroc": "AUROC", "f1": "F1"}


def _number_of(key: str) -> Callable[[Row], str]:
    return lambda row: row[key] if isinstance(row[key], str) else number(row[key])


FIGURES_AFTER_ACCURACY: Columns = {sentence(NAMES[key]): _number_of(key) for key in FIGURES[1:]}


def training(results: StudyResults) -> list[Block]:
    """Loss and accuracy by epoch, training and validation, with the epoch that was kept."""
    blocks: list[Block] = []
    for config in results.facts.classifiers:
        trained = results.inputs.classifiers
        runs = {seed: run for (name, seed), run in trained.items() if name == config.name}
        if not runs:
            seed = results.seeds[0]
            blocks += results.absent(f"classifiers/{config.name}/seed-{seed}")
            continue
        draw = partial(training_curves, runs)
        first = next(iter(runs.values()))
        blocks.append(say.figure("training", draw, config, first, of=config.name))
    return blocks


def batches(results: StudyResults) -> list[Block]:
    """A training batch of each classifier as the network saw it."""
    blocks: list[Block] = []
    for config in results.facts.classifiers:
        run = results.inputs.classifiers.get((config.name, results.seeds[0]))
        if run is not None and len(run.batch):
            shown = min(len(run.batch), BATCH_SHOWN)
            about = config.name, shown, int(run.labels[:shown].sum()), len(run.batch)
            grid = batch_grid(run.batch, run.labels)
            blocks.append(say.image("batch", grid, *about, of=config.name))
    return blocks


def splits(results: StudyResults) -> list[Block]:
    """Accuracy and its relatives on training, validation and test images."""
    if not (rows := _split_rows(results)):
        return []
    columns: Columns = {
        "Classifier": results.run_of,
        "Split": lambda row: row["split"],
        "Operating point": lambda row: row["operating_point"],
        "Accuracy (95 % interval)": lambda row: percent_interval(
            row["accuracy"], row["ci95"]["accuracy"]
        ),
        **FIGURES_AFTER_ACCURACY,
        "n": lambda row: count(row["n"]),
    }
    return [Text(say.splits()), table("Figures by split", rows, columns, text_columns=3)]


def confusions(results: StudyResults) -> list[Block]:
    """The confusion matrix of each split, at each threshold."""

    def name(row: Row) -> str:
        return f"{results.run_of(row)}: {row['split']}, {row['operating_point']}"

    rows = _split_rows(results)
    return [confusion_heat(say.confusion(), rows, name)] if rows else []


def _split_rows(results: StudyResults) -> list[Row]:
    return [row for row in results.metrics["splits"] if row["detector"] in results.classifiers]


def published(results: StudyResults) -> list[Block]:
    """Figures that a source reports beside ours at the native threshold, and what compares."""
    rows = [(config, figure) for config in results.facts.classifiers for figure in config.published]
    columns: Columns = {
        "Classifier": lambda row: row[0].name,
        "Figure": lambda row: say.published_figure(row[1], NAMES[row[1].metric]),
        "Comparable?": lambda row: say.comparable(row[1]),
        "Published": lambda row: number(row[1].value),
        "Ours": lambda row: number(_ours(results, *row)),
    }
    compared = table("Published figures and ours", rows, columns, text_columns=3)
    return [Text(say.published()), compared] if rows else []


def cross_validation(results: StudyResults) -> list[Block]:
    """Mean and standard deviation over folds, and every fold."""
    rows = results.inputs.folds.get("rows", [])
    if not rows:
        return []
    columns: Columns = {
        "Classifier": lambda line: line["detector"],
        "Fold": lambda line: line["fold"],
        **{sentence(NAMES[name]): _number_of(name) for name in FIGURES},
        "n": lambda line: count(line["n"]),
    }
    lines = [line for of in grouped(rows, "detector").values() for line in _folds(results, of)]
    return [
        Text(say.cross_validation(results.inputs.folds["folds"])),
        table("Cross-validation", lines, columns, text_columns=2),
    ]


def _folds(results: StudyResults, rows: Sequence[Row]) -> list[Row]:
    """The mean over a classifier's folds, and each fold."""
    values = {key: [row[key] for row in rows] for key in FIGURES}
    spread = {key: stdev(of) if len(of) > 1 else 0.0 for key, of in values.items()}
    return [
        {"detector": rows[0]["detector"], "fold": "mean ± sd", "n": sum(row["n"] for row in rows),
         **{key: f"{number(fmean(of))} ± {number(spread[key])}" for key, of in values.items()}},
        *({**row, "fold": say.fold(row, results.many_seeds)} for row in rows),
    ]  # fmt: skip


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


def _ours(results: StudyResults, config: ClassifierConfig, figure: PublishedFigure) -> float | None:
    native = chosen(results.metrics["splits"], detector=config.name, operating_point="native")
    rows = chosen(native, split=figure.split)
    return fmean(ours(row, figure.metric, figure.positive) for row in rows) if rows else None


CHAPTERS = [
    Chapter("Look at the images", "What the classifiers see", [batches], say.seen, "batches"),
    Chapter(
        "The training",
        "The classifiers",
        [training, splits, confusions, cross_validation],
        say.finding,
    ),
    Chapter(
        "Beside published figures",
        "Published figures beside ours",
        [published],
        say.compared,
        "published",
    ),
]
ANALYSIS = Analysis("classifiers", numbers.numbers, numbers.rows, CHAPTERS, beyond_scores=True)
