"""The answer: what forbids comparing, how much moved, and what moved most."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.compare.comparison import Comparison, Row, difference_interval
from gandetect.analyses.compare.reading import Run, own_alarms
from gandetect.report.document import Block, Items, Text
from gandetect.report.words import listing, percent

LARGEST = 3  # moves that are told in a sentence


def answer(comparison: Comparison) -> list[Block]:
    """Warnings, then how much moved and what moved most."""
    warnings = " ".join(comparison.warnings)
    blocks: list[Block] = [Text(warnings, "warning")] if warnings else []
    blocks += [Text(text, "warning") for text in own_alarms(comparison.runs)]
    for row in comparison.summary("correct"):
        blocks += [Text(_headline(comparison, row), "lead"), *_largest(comparison, row)]
    unsure = [row["run"] for row in comparison.summary("correct")
              if row["compared"] and row["covers"] == "images"]  # fmt: skip
    if unsure:
        blocks.append(Text(_one_training(comparison, unsure), "warning"))
    blocks += [Text(_ranked(row)) for row in comparison.summary("auroc") if row["compared"]]
    blocks += [Text(text) for text in _alone(comparison)]
    blocks += [Text(text, "note") for text in (*_same_scores(comparison.runs), *_how(comparison))]
    return blocks


def words(_: Comparison) -> list[Block]:
    """What the verdicts mean, and where the methods come from."""
    return [Items([(text, "") for text in (
        "Interval of a difference: the distances from two figures to the bounds of their own "
        "intervals, squared and added. Newcombe: Interval Estimation for the Difference Between "
        "Independent Proportions. Statistics in Medicine 17, 1998 (method 10); Zou, Donner: "
        "Construction of Confidence Limits about Effect Measures. Statistics in Medicine 27, 2008.",
        "Corrected for their number: who looks at a hundred differences finds five beyond their "
        "95 % intervals by chance. A difference counts as moved only where chance would hardly "
        "make a single one of them all so large (at 5 %). Holm: A Simple Sequentially Rejective "
        "Multiple Test Procedure. Scandinavian Journal of Statistics 6, 1979.",
        "Seed: the number that training's chance is drawn from. The same settings with another "
        "seed give another network.",
        "Held-out classes: kinds of image that no network saw in training.",
    )])]  # fmt: skip


def _headline(comparison: Comparison, row: Row) -> str:
    label, first = row["run"], comparison.first.label
    n, moved = row["compared"], row["moved"]
    if not n:
        return f"{label} and {first} have no figure in common, so nothing can be compared."
    found = {0: "none", n: "all"}.get(moved, str(moved))
    verb = "has" if moved == 1 else "have"
    chance = "chance" if row["covers"] != "images" else "the chance of drawing images"
    return (
        f"{label} against {first}: of {n} shares answered correctly, {found} {verb} moved by more "
        f"than {chance} explains. Without regard to their number, {row['beyond']} of the {n} lie "
        f"beyond their 95 % interval, where chance alone would bring about {row['by_chance']:.1f} "
        "(more, now and then, as figures of one detector move together)."
    )


def _largest(comparison: Comparison, summary: Row) -> list[Block]:
    """The largest moves of a run in words."""
    run = next(run for run in comparison.others if run.label == summary["run"])
    moved = [row for row in comparison.compared("cells", run) if row["moved"]]
    told = [
        f"{row['detector']} on {comparison.named(row['source'])}, {row['operating_point']} point: "
        f"{percent(row['baseline'])} correct in {comparison.first.label}, {percent(row['value'])} "
        f"in {run.label}, which is {difference_interval(row)} points"
        for row in moved[:LARGEST]
    ]
    if not told:
        return []
    which = f"The {LARGEST} largest of {len(moved)} moves" if len(moved) > LARGEST else "What moved"
    return [
        Text(f"{which}, with the 95 % interval of the change:"),
        Items([(text, "") for text in told]),
    ]


def _ranked(row: Row) -> str:
    n, moved = row["compared"], row["moved"]
    found = {0: f"none of {n} figures has", 1: f"1 of {n} figures has"}.get(
        moved, f"{moved} of {n} figures have"
    )
    return (
        f"How well {row['run']} ranks generated above real images, whatever the threshold (AUROC): "
        f"{found} moved by more than chance explains."
    )


def _one_training(comparison: Comparison, unsure: Sequence[str]) -> str:
    alone = [run.label for run in comparison.runs if len(run.experiment.seeds) == 1]
    return (
        f"{listing(alone or unsure)} trained each network once, and one training does not show how "
        "far another with the very same settings would lie off: that may be more than these moves. "
        "So a move tells these very networks apart, and not yet the settings. Give several seeds "
        "(seeds = [0, 1, 2, 3, 4]) to learn that."
    )


def _alone(comparison: Comparison) -> list[str]:
    """Detectors and sources that not every run has; nothing is left out in silence."""
    told = []
    for row in comparison.results["alone"]:
        name = comparison.named(row["name"]) if row["kind"] == "source" else row["name"]
        told.append(f"{row['kind']} {name} (only in {listing(row['runs'])})")
    return [f"Not every run has: {'; '.join(told)}."] if told else []


def _same_scores(runs: Sequence[Run]) -> list[str]:
    """Runs that are another one's copy: they show nothing new."""
    told = []
    first: dict[str, str] = {}
    for run in runs:
        digest = run.digest_of("scores.parquet")
        if digest is None:
            continue
        if digest in first:
            told.append(f"{run.label} holds the very same scores as {first[digest]}.")
        first.setdefault(digest, run.label)
    return told


def _how(comparison: Comparison) -> list[str]:
    """What moves figures together, or apart, besides a setting."""
    texts: list[str] = []
    if not any(row["compared"] for row in comparison.results["summary"]):
        return texts
    if not comparison.warnings:
        texts.append(
            "All runs answered the same real test images, and easy images are easy for all: the "
            "intervals do not use that, so they are rather too wide than too narrow."
        )
    if not all(run.labelled for run in comparison.runs):
        texts.append(
            "Every run's generators make images of their own, so a figure on generated images "
            "moves with the generator as well as with the detector."
        )
    return texts
