"""The data: counts by class and split, duplicates across splits, and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.data import numbers
from gandetect.analyses.data.files import files, say
from gandetect.analyses.generators.quality import class_names
from gandetect.report.document import Block, Columns, Text, table
from gandetect.report.images import class_samples
from gandetect.report.results import StudyResults
from gandetect.report.words import count

SPLITS = ("train", "validation", "test", "in-distribution", "held-out", "calibration", "reserved")


def data(results: StudyResults) -> list[Block]:
    """Counts by class and split, images from elsewhere, and samples of each."""
    return [*_counts(results), *_sources(results), *_class_samples(results)]


def _sources(results: StudyResults) -> list[Block]:
    def split(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda facts: count(facts["splits"].get(name, 0))

    columns: Columns = {
        "Source": lambda facts: facts["name"],
        "Counts as": lambda facts: facts["label"],
        **{name: split(name) for name in ("train", "validation", "test")},
        "Left out": lambda facts: count(len(facts["left_out"])),
    }
    facts = results.inputs.sources
    return [table("Images from elsewhere", facts, columns, text_columns=2)] if facts else []


def _counts(results: StudyResults) -> list[Block]:
    facts = results.inputs.data
    if not facts.get("counts"):
        return results.absent("data.json")
    counts = pd.DataFrame.from_dict(facts["counts"], orient="index").fillna(0).astype(int)
    # In the data set's own order, then whatever else was counted.
    classes, splits = facts.get("classes", []), SPLITS
    counts = counts.loc[_ordered(counts.index, classes), _ordered(counts.columns, splits)]
    totals = counts.sum()
    lines = [*counts.iterrows(), ("all", totals)]

    def images(split: str) -> Callable[[tuple[Any, pd.Series[int]]], str]:
        return lambda line: count(int(line[1][split]))

    columns: Columns = {
        "Class": lambda line: str(line[0]),
        **{split: images(split) for split in map(str, counts)},
        "all": lambda line: count(int(line[1].sum())),
    }
    if ruled_out := facts.get("ruled_out"):
        of_lines = {**ruled_out, "all": sum(ruled_out.values())}
        columns["ruled out by group"] = lambda line: count(of_lines.get(str(line[0]), 0))
    held_out = [str(name) for name in facts.get("held_out", [])]
    told = held_out, facts.get("validation", []), results.labelled, "reserved" in counts
    return [
        Text(say.splits(*told)),
        table("Images by class and split", lines, columns),
    ]


def _ordered(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """The known ones in their order, then all others in theirs."""
    names = list(names)
    return [name for name in known if name in names] + [n for n in names if n not in known]


def leaks(results: StudyResults) -> list[Block]:
    """Images that stand in two splits, exactly or nearly."""
    facts, overlap = results.inputs.data, results.inputs.overlap
    blocks: list[Block] = []
    if "duplicates" in facts:
        counted = facts["duplicates"].items()
        shared = [f"{count(int(n))} in {name}" for name, n in counted if n]
        blocks += say.paragraphs("duplicates", shared)
    if overlap.get("counts"):
        columns: Columns = {
            "Split": lambda row: row["split"],
            "Also in": lambda row: row["other"],
            "Exactly or nearly": lambda row: row["kind"],
            "Images": lambda row: count(row["n"]),
        }
        blocks.append(table("Test images that other splits hold", overlap["counts"], columns, 3))
    return blocks


def _class_samples(results: StudyResults) -> list[Block]:
    stored = results.inputs.class_samples.items()
    samples = {key: images for key, images in stored if len(images)}
    if not samples:
        return results.absent("data-samples.npz")
    most = max((int(key) for key in samples if key.isdigit()), default=0)
    names = {str(place): name for place, name in enumerate(class_names(results, 1 + most))}
    names |= {key: key.partition(":")[2] for key in samples if ":" in key}
    shown = [names.get(key, key) for key in samples]
    return [say.image("class-samples", class_samples(samples, names), shown, results.labelled)]


CHAPTERS = [
    Chapter("Look at the images", "The data at a glance", [data, files], say.finding),
    Chapter("Can I trust this?", "Leaks: images in two splits", [leaks], say.leak, "leaks"),
]
ANALYSIS = Analysis("data", numbers.numbers, chapters=CHAPTERS, beyond_scores=True)
