"""The question, every figure in tables, and what each variant changes."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.variants.effects import FOUR, GENERATOR, WANTED
from gandetect.analyses.variants.figure import groups_by_variant
from gandetect.analyses.variants.material import COLUMNS, SHORT, VariantsMaterial, say
from gandetect.analyses.variants.measured import STRICT
from gandetect.config import canonical_json
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Cell, Code, Columns, Heat, Items, Table, Text, table
from gandetect.report.words import (
    number,
    percent,
    percent_range,
    signed_points,
    source_name,
)
from gandetect.statistics.rows import Row, chosen

SPOKEN = 40  # so many numbers at most are told in place of a picture
# AUROC: which measure, of which group of fakes.
RANKED = {
    ("auroc-in-distribution", "own"): "Own fakes, in-distribution reals",
    ("auroc-held-out", "own"): "Own fakes, held-out reals",
    ("auroc-in-distribution", "other"): "Other generator's fakes, in-distribution reals",
    ("auroc-held-out", "other"): "Other generator's fakes, held-out reals",
    ("auroc-in-distribution", "further"): "Further generators, in-distribution reals",
    ("auroc-held-out", "further"): "Further generators, held-out reals",
}


def question(material: VariantsMaterial) -> list[Block]:
    """The question, what a variant is, and by what detectors are judged."""
    fpr = material.experiment.evaluation.calibrated_fpr
    return [*say.paragraphs("question", material, BASELINE, WANTED, STRICT, fpr)]


def figure(material: VariantsMaterial) -> Block:
    """Every detector on the four groups."""
    rows = material.of("correct", FOUR)
    return say.figure(
        "variants", lambda: groups_by_variant(material, rows), material, rows, SPOKEN, WANTED
    )


def tables(material: VariantsMaterial) -> list[Block]:
    """Shares correct and AUROC in coloured tables, and every difference."""
    return [
        *(_share_heat(material, base) for base in material.made_of),
        *(_auroc_heat(material, base) for base in material.made_of),
        _differences(material),
    ]


def further(material: VariantsMaterial) -> list[Block]:
    """Each generator that a detector does not know, one by one."""
    rows = material.of("correct", (GENERATOR,))
    names = sorted({row["source"] for row in rows})
    cells = {(row["detector"], row["variant"], row["source"]): row for row in rows}
    body = [
        (material.titled(line), of_line)
        for line in material.least
        if any(of_line := [_share_cell(cells.get((line["detector"], line["variant"], name)))
                           for name in names])
    ]  # fmt: skip
    header = ["Detector", *map(source_name, names)]
    caption = f"Fakes caught at the calibrated point, {material.covers}"
    return [Text(say.further()), Heat(caption, header, body)] if names else []


def variants(material: VariantsMaterial) -> list[Block]:
    """What each variant changes, and where its own report lies."""

    def changes(name: str) -> str:
        changed = material.facts(name)["changes"].items()
        return "; ".join(f"{key} = {_shown(value)}" for key, value in changed) or "nothing"

    columns: Columns = {
        "Variant": str,
        "About": lambda name: material.facts(name)["about"] or "–",
        "Compared with": lambda name: (
            "–" if name == BASELINE else material.facts(name)["compared_with"] or BASELINE
        ),
        "Changes": changes,
    }
    links = [(f"{name}: the study's own report", f"{place}/report.html")
             for name, place in material.places.items()]  # fmt: skip
    return [
        table("What each variant changes", material.places, columns, 4),
        Items(links),
        Code(f"gandetect run {material.experiment.name}.toml", say.again()),
    ]


def _share_heat(material: VariantsMaterial, base: str | None) -> Heat:
    groups = [name for name in COLUMNS if material.of("correct", (name,))]
    return Heat(
        say.shares(material, base, WANTED),
        ["Variant", *(COLUMNS[name] for name in groups), say.least_of_four(STRICT)],
        [
            (
                material.label(line),
                [*(_share_cell(material.row(line, "correct", name)) for name in groups),
                 Cell(percent(line["least"]), SHORT[line["group"]], line["least"],
                      line["holds"] is True)],
            )
            for line in material.detectors_of(base)
        ],
    )  # fmt: skip


def _share_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    interval = percent_range(row["mean"], row["ci95"])
    return Cell(percent(row["mean"]), interval, row["mean"], hint=source_name(row["source"]))


def _auroc_heat(material: VariantsMaterial, base: str | None) -> Heat:
    shown = {key: words for key, words in RANKED.items() if material.of(key[0], (key[1],))}
    return Heat(
        f"{material.made(base)}: AUROC, {material.covers}",
        ["Variant", *shown.values()],
        [
            (material.label(line), [_auroc_cell(material.row(line, *key)) for key in shown])
            for line in material.detectors_of(base)
        ],
        scale="auroc",
    )


def _auroc_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    low, high = row["ci95"]
    hint = source_name(row["source"])
    return Cell(number(row["mean"]), f"{low:.3f} to {high:.3f}", row["mean"], hint=hint)


def _differences(material: VariantsMaterial) -> Table:
    columns: Columns = {
        "Detector": material.titled,
        "Beside": lambda row: material.titled(row["compared"]),
        "Group": lambda row: COLUMNS[row["group"]],
        "That": lambda row: percent(row["compared"]["mean"]),
        "This": lambda row: percent(row["mean"]),
        "Points (95 % interval)": lambda row: signed_points(
            row["compared"]["difference"], row["compared"]["ci95"]
        ),
        "p, corrected": lambda row: number(row["compared"]["p_holm"]),
    }
    rows = [row for row in chosen(material.rows, measure="correct") if row["compared"]]
    return table(say.differences(), rows, columns, text_columns=3)


def _shown(value: Any) -> str:
    """A value as it is read in one line."""
    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")
