"""The answer: what forbids comparing, how much moved, and what moved most."""

from __future__ import annotations

from collections.abc import Sequence

from gandetect.analyses.compare.comparison import Comparison, difference_interval
from gandetect.analyses.compare.reading import Run, own_alarms
from gandetect.report.document import Block, Items, Text
from gandetect.report.prose import Prose
from gandetect.statistics.rows import Row

LARGEST = 3  # moves that are told in a sentence
say = Prose(__file__)


def answer(comparison: Comparison) -> list[Block]:
    """Warnings, then how much moved and what moved most."""
    warnings = [" ".join(comparison.warnings), *own_alarms(comparison.runs)]
    blocks: list[Block] = [Text(text, "warning") for text in warnings if text]
    shares, areas = comparison.summary("correct"), comparison.summary("auroc")
    for row in shares:
        blocks.append(Text(say.headline(comparison.first.label, row), "lead"))
        blocks += _largest(comparison, row)
    unsure = [row["run"] for row in shares if row["compared"] and row["covers"] == "images"]
    if unsure:
        alone = [run.label for run in comparison.runs if len(run.experiment.seeds) == 1]
        blocks.append(Text(say.one_training(alone or unsure), "warning"))
    blocks += [Text(say.ranked(row)) for row in areas if row["compared"]]
    blocks += say.paragraphs("in_some_runs", comparison)
    blocks += say.paragraphs("same_scores", _same_scores(comparison.runs))
    if any(row["compared"] for row in (*shares, *areas)):
        generators = not all(run.labelled for run in comparison.runs)
        blocks += say.paragraphs("how", not comparison.warnings, generators)
    return blocks


def words(_: Comparison) -> list[Block]:
    """What the verdicts mean, and where the methods come from."""
    return [Items([(one.text, "") for one in say.paragraphs("glossary")])]


def _largest(comparison: Comparison, summary: Row) -> list[Block]:
    """The largest moves of a run in words."""
    run = next(run for run in comparison.others if run.label == summary["run"])
    moved = [row for row in comparison.compared("cells", run) if row["moved"]]
    moves = [
        say.move(row, comparison.named(row["source"]), comparison.first.label,
                 difference_interval(row))
        for row in moved[:LARGEST]
    ]  # fmt: skip
    if not moves:
        return []
    return [Text(say.largest(len(moved), LARGEST)), Items([(text, "") for text in moves])]


def _same_scores(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Runs that are another one's copy, each with that one: they show nothing new."""
    first: dict[str, str] = {}
    copies = []
    for run in runs:
        digest = run.digest_of("scores.parquet")
        if digest in first:
            copies.append((run.label, first[digest]))
        elif digest is not None:
            first[digest] = run.label
    return copies
