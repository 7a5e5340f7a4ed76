"""Things to look at: the data, the training, the samples and the mistakes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gandetect.evaluation.scores import ordered
from gandetect.report.document import Block, Heading, Picture, Table, Text, slug
from gandetect.report.figures import images as draw
from gandetect.report.figures.training import training_curves
from gandetect.report.inputs import Mistakes
from gandetect.report.material import Material, drawn, pasted, stored
from gandetect.report.sections.matrix import class_names
from gandetect.report.words import count, listing, number, sentence

CHOOSING_SPLIT = {
    False: "The calibration images choose the operating point and are in no test group",
    True: "The validation images choose the epoch and the thresholds and are in no test group",
}
SPLITS = ("train", "validation", "test", "in-distribution", "held-out", "calibration", "reserved")


def data(material: Material) -> list[Block]:
    """Counts by class and split, duplicates across splits, and samples of each class."""
    return [*_counts(material), *_duplicates(material), *_class_samples(material)]


def training(material: Material) -> list[Block]:
    """Losses, accuracies, FID and KID by epoch, for each GAN."""
    blocks: list[Block] = []
    for gan in material.inputs.experiment.gans:
        found = {s: h for (name, s), h in material.inputs.histories.items() if name == gan.name}
        blocks.append(Heading(gan.name))
        if not found:
            seed = material.inputs.experiment.seeds[0]
            blocks += material.absent(f"gans/{gan.name}/seed-{seed}/history.csv")
            continue
        blocks.append(_training_picture(material, gan.name, found))
    return blocks


def samples(material: Material) -> list[Block]:
    """First, middle and last epoch of each GAN, and the animation."""
    blocks: list[Block] = []
    first = material.inputs.experiment.seeds[0]
    for gan in material.inputs.experiment.gans:
        trained = (gan.name, first)
        blocks.append(Heading(material.title_of(trained)))
        found = material.inputs.samples.get(trained)
        if found is None:
            blocks += material.absent(f"gans/{gan.name}/seed-{first}/samples")
            continue
        epochs = draw.sample_epochs(found)
        words = listing([str(epoch) for epoch in epochs])
        blocks.append(
            drawn(
                f"samples-{slug(gan.name)}",
                lambda found=found: draw.sample_progress(found),  # type: ignore[misc]
                f"Grids of images made by {gan.name} after epoch {words}, from the same noise.",
                f"{gan.name}: the same noise after epoch {words}.",
            )
        )
        if found.animation is not None:
            alt = f"Animation of images made by {gan.name}, epoch {epochs[0]} to {epochs[-1]}."
            blocks.append(stored(material.inputs, found.animation, alt, f"{gan.name}, every epoch"))
    return blocks


def mistakes(material: Material) -> list[Block]:
    """Images that a detector was most sure of and wrong about, by source."""
    first = material.seeds[0]
    blocks: list[Block] = [
        Text(
            "The wrong answers that each detector was most sure of, at the native operating point, "
            "with their scores. Above 0 it says generated, below 0 real; the further from 0, the "
            "surer." + (f" Seed {first} only." if material.many_seeds else "")
        )
    ]
    for detector in material.detectors:
        trained = (detector, first)
        seed = f", seed {first}" if material.many_seeds else ""
        blocks.append(Heading(sentence(material.called(detector)) + seed))
        found = material.inputs.mistakes.get(trained)
        if found is None:
            blocks += material.absent(f"detectors/{detector}/seed-{first}/mistakes.npz")
            continue
        blocks += [
            _mistake_block(material, detector, source, found[source])
            for source in ordered(found, material.own(detector))
        ]
    return blocks


def _mistake_block(material: Material, detector: str, source: str, these: Mistakes) -> Block:
    name = material.named(source, detector)
    if len(these.images) == 0:
        return Text(f"{name}: no mistake among the images that were scored.")
    answer = "real" if source.startswith("generated:") else "generated"
    scores = f"scores {number(these.scores[0], 1)} to {number(these.scores[-1], 1)}"
    return pasted(
        f"mistakes-{slug(detector)}-{slug(source)}",
        draw.mistake_grid(these),
        f"{len(these.images)} images, {name}, that {detector} called {answer}; {scores}.",
        f"{name}, called {answer}",
    )


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
        Text(
            f"Held out as kinds that nobody trains on: {listing(held_out) or 'none'}. "
            f"{CHOOSING_SPLIT[material.labelled]}; training sees the train split only."
        ),
        drawn("class-counts", lambda: draw.class_counts(table),
              f"Images by class and split; totals: {listing(shown)}.",
              "Images by class and split."),
        Table("Images by class and split", ["Class", *table.columns, "all"], rows),
    ]  # fmt: skip


def _duplicates(material: Material) -> list[Block]:
    if "duplicates" not in material.inputs.data:
        return []
    found: dict[str, Any] = material.inputs.data["duplicates"]
    shown = [f"{count(int(n))} in {name}" for name, n in found.items() if n]
    if not shown:
        return [Text("No image occurs in two splits, compared pixel by pixel.")]
    return [Text(f"Images that occur, pixel by pixel, in two splits: {listing(shown)}.")]


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


def _training_picture(material: Material, name: str, found: dict[int, pd.DataFrame]) -> Picture:
    last = next(iter(found.values())).iloc[-1]
    columns = ("discriminator_loss", "generator_loss", "accuracy_real", "accuracy_fake",
               "fid", "kid")  # fmt: skip
    shown = [f"{c.replace('_', ' ')} {number(float(last[c]))}" for c in columns
             if c in last and pd.notna(last[c])]  # fmt: skip
    return drawn(
        f"training-{slug(name)}",
        lambda: training_curves(found),
        f"Training of {name}; after its last epoch ({int(last['epoch'])}): {listing(shown)}.",
        f"{name}, epoch by epoch" + (", a line for each seed." if material.many_seeds else "."),
    )
