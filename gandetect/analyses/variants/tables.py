"""The question, every figure in tables, and what each variant changes."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.variants.effects import FOUR, GENERATOR, WANTED
from gandetect.analyses.variants.figure import groups_by_variant
from gandetect.analyses.variants.material import COLUMNS, SHORT, Row, VariantsMaterial
from gandetect.analyses.variants.measured import STRICT
from gandetect.config import canonical_json
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Cell, Code, Heat, Items, Table, Text
from gandetect.report.material import drawn
from gandetect.report.words import listing, number, percent, percent_range, source_name

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
    experiment = material.experiment
    seeds, fpr = len(experiment.seeds), experiment.evaluation.calibrated_fpr
    lead = [Text(experiment.question, "lead")] if experiment.question else []
    done, wanted = len(material.places) - 1, len(experiment.variants)
    number_of = f"{done} variants" if done != 1 else "One variant"
    so_far = f" so far, of {wanted}," if done < wanted else ""
    detectors = f" The discriminators of {listing(material.bases)} are detectors." if (
        material.bases) else ""  # fmt: skip
    return [
        *lead,
        Text(
            f"{number_of} of the study{so_far} stand{'s' if done == 1 else ''} beside the "
            f"{BASELINE}, the study without variants ({seeds} seed{'s' if seeds > 1 else ''} "
            f"each).{detectors} A detector is wanted that answers at least {percent(WANTED, 0)} of "
            "four groups correctly, all at once: fakes of its own generator, fakes of the other "
            "generator, real test images of the classes that were trained on (in-distribution) and "
            "of those that were not (held-out). A GAN that was trained in another way makes other "
            "fakes of its own, and worse ones are easier to tell."
        ),
        Text(
            f"The threshold is set on calibration reals alone, of which at most {percent(fpr, 0)} "
            "may be called generated. Whether all four groups are held at once is judged at a "
            f"stricter threshold, {percent(STRICT, 0)}: at {percent(fpr, 0)}, accepting "
            f"{percent(WANTED, 0)} of the in-distribution reals would be a toss-up."
        ),
    ]


def figure(material: VariantsMaterial) -> Block:
    """Every detector on the four groups."""
    rows = material.of("correct", FOUR)
    shown = [f"{material.titled(row)}, {SHORT[row['group']]}: {percent(row['mean'])}"
             for row in rows]  # fmt: skip
    if len(shown) > SPOKEN:
        shown = [f"its {len(shown)} numbers stand in the tables on every variant and group"]
    return drawn(
        "variants",
        lambda: groups_by_variant(material, rows),
        f"Share answered correctly by variant and group. {'; '.join(shown)}.",
        f"Share answered correctly at the calibrated point, {material.covers}. Colour and shape: "
        f"the generator that a detector is made of. Dashed: {percent(WANTED, 0)}.",
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
    if not names:
        return []
    of_cell = {(row["detector"], row["variant"], row["source"]): row for row in rows}
    body = []
    for line in material.least:
        cells = [of_cell.get((line["detector"], line["variant"], name)) for name in names]
        if any(cells):
            body.append((material.titled(line), [_share_cell(cell) for cell in cells]))
    header = ["Detector", *(source_name(name) for name in names)]
    return [
        Text(
            "Generators that are sources only, and for a variant of a GAN that GAN as it was: no "
            "detector in the row was trained on their images."
        ),
        Heat(f"Fakes caught at the calibrated point, {material.covers}", header, body),
    ]


def variants(material: VariantsMaterial) -> list[Block]:
    """What each variant changes, and where its own report lies."""
    body = []
    for name in material.places:
        facts = material.facts(name)
        changes = "; ".join(f"{key} = {_shown(value)}" for key, value in facts["changes"].items())
        beside = "–" if name == BASELINE else facts["compared_with"] or BASELINE
        body.append([name, facts["about"] or "–", beside, changes or "nothing"])
    links = [(f"{name}: the study's own report", f"{place}/report.html")
             for name, place in material.places.items()]  # fmt: skip
    header = ["Variant", "About", "Compared with", "Changes"]
    return [
        Table("What each variant changes", header, body, 4),
        Items(links),
        Code(
            f"gandetect run {material.experiment.name}.toml",
            "The same command goes on where it was interrupted, and makes this report again "
            "(study.toml in this folder is the file, resolved)",
        ),
    ]


def _share_heat(material: VariantsMaterial, base: str | None) -> Heat:
    groups = [name for name in COLUMNS if material.of("correct", (name,))]
    body = []
    for line in material.detectors_of(base):
        cells = [_share_cell(material.row(line, "correct", name)) for name in groups]
        body.append((material.label(line), [*cells, _least_cell(line)]))
    header = [
        "Variant",
        *(COLUMNS[name] for name in groups),
        f"Least of the four, at {percent(STRICT, 0)}",
    ]
    return Heat(
        f"{material.made(base)}: answered correctly at the calibrated point, {material.covers}; "
        f"framed: at least {percent(WANTED, 0)} of all four at the stricter threshold",
        header,
        body,
    )


def _share_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    interval = percent_range(row["mean"], row["ci95"])
    return Cell(percent(row["mean"]), interval, row["mean"], hint=source_name(row["source"]))


def _least_cell(row: Row) -> Cell:
    return Cell(percent(row["least"]), SHORT[row["group"]], row["least"], row["holds"] is True)


def _auroc_heat(material: VariantsMaterial, base: str | None) -> Heat:
    shown = {key: words for key, words in RANKED.items() if material.of(key[0], (key[1],))}
    body = []
    for line in material.detectors_of(base):
        rows = [material.row(line, *key) for key in shown]
        body.append((material.label(line), [_auroc_cell(row) for row in rows]))
    return Heat(
        f"{material.made(base)}: AUROC, {material.covers}",
        ["Variant", *shown.values()],
        body,
        scale="auroc",
    )


def _auroc_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    low, high = row["ci95"]
    hint = source_name(row["source"])
    return Cell(number(row["mean"]), f"{low:.3f} to {high:.3f}", row["mean"], hint=hint)


def _differences(material: VariantsMaterial) -> Table:
    body = []
    for row in material.rows:
        if row["measure"] != "correct" or not row["compared"]:
            continue
        moved = row["compared"]
        low, high = moved["ci95"]
        body.append([
            material.titled(row),
            material.titled(moved),
            COLUMNS[row["group"]],
            percent(moved["mean"]),
            percent(row["mean"]),
            f"{100 * moved['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
            f"{moved['p_holm']:.3f}",
        ])  # fmt: skip
    return Table(
        "Share answered correctly at the calibrated point, detector minus the one that it is "
        "compared with",
        ["Detector", "Beside", "Group", "That", "This", "Points (95 % interval)", "p, corrected"],
        body,
        text_columns=3,
    )  # fmt: skip


def _shown(value: Any) -> str:
    """A value as it is read in one line."""
    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")
