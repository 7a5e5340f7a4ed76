"""The data: counts by class and split, duplicates across splits, and samples."""

from __future__ import annotations

import pandas as pd

from gandetect.analyses.analysis import Analysis, Chapter
from gandetect.analyses.data import numbers
from gandetect.analyses.data.files import files, say
from gandetect.analyses.generators.quality import class_names
from gandetect.report import images as draw
from gandetect.report.document import Block, Table, Text
from gandetect.report.material import Material
from gandetect.report.style import drawn
from gandetect.report.words import count, listing, sentence

SPLITS = ("train", "validation", "test", "in-distribution", "held-out", "calibration", "reserved")


def data(material: Material) -> list[Block]:
    """Counts by class and split, duplicates across splits, and samples of each class."""
    return [*_counts(material), *_duplicates(material), *_class_samples(material)]


def _counts(material: Material) -> list[Block]:
    counts = material.inputs.data.get("counts")
    if not counts:
        return material.absent("data.json")
    table = pd.DataFrame.from_dict(counts, orient="index").fillna(0).astype(int)
    classes = [name for name in material.inputs.data.get("classes", []) if name in table.index]
    known = [split for split in SPLITS if split in table]
    # In the data set's own order, then whatever else was counted.
    table = table.loc[
        classes + [name for name in table.index if name not in classes],
        known + [split for split in table if split not in known],
    ]
    rows = [[str(name), *map(count, row), count(sum(row))]
            for name, row in zip(table.index, table.to_numpy().tolist(), strict=True)]  # fmt: skip
    totals = [int(table[split].sum()) for split in table]
    rows.append(["all", *map(count, totals), count(sum(totals))])
    held_out = [str(name) for name in material.inputs.data.get("held_out", [])]
    shown = [f"{split} {count(total)}" for split, total in zip(table, totals, strict=True)]
    return [
        Text(say.splits(held_out, material.labelled)),
        drawn("class-counts", lambda: draw.class_counts(table),
              f"Images by class and split; totals: {listing(shown)}.",
              "Images by class and split."),
        Table("Images by class and split", ["Class", *table.columns, "all"], rows),
    ]  # fmt: skip


def _duplicates(material: Material) -> list[Block]:
    if "duplicates" not in material.inputs.data:
        return []
    found = material.inputs.data["duplicates"].items()
    return [Text(say.duplicates([f"{count(int(n))} in {name}" for name, n in found if n]))]


def _class_samples(material: Material) -> list[Block]:
    found = {key: images for key, images in material.inputs.class_samples.items() if len(images)}
    if not found:
        return material.absent("data-samples.npz")
    numbered = class_names(material, 1 + max((int(k) for k in found if k.isdigit()), default=0))
    names = {str(number): name for number, name in enumerate(numbered)}
    shown = listing([names.get(key, key) for key in found])
    kind = "images" if material.labelled else "real images"
    return [
        drawn(
            "class-samples",
            lambda: draw.class_samples(found, names),
            f"A row of {kind} for each class: {shown}.",
            f"{sentence(kind)} of each class.",
        )
    ]


ANALYSIS = Analysis(
    "data",
    numbers.numbers,
    chapters=[Chapter("Look at the images", "The data at a glance", [data, files])],
)
