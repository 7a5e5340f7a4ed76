"""The report of an ablation, from its studies' `metrics.json` and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gandetect.config import canonical_json
from gandetect.config.ablation import base_gans
from gandetect.evaluation.ablation import (
    FOUR,
    GENERATOR,
    STRICT,
    WANTED,
    Generators,
    Part,
    ablate,
    ablation_table,
)
from gandetect.report.ablation_findings import each_ingredient, verdict
from gandetect.report.ablation_material import COLUMNS, SHORT, AblationMaterial, Row
from gandetect.report.document import (
    Block,
    Cell,
    Code,
    Document,
    Heat,
    Items,
    Section,
    Table,
    Text,
)
from gandetect.report.figures.ablation import groups_by_ingredient
from gandetect.report.joined import write_files
from gandetect.report.material import drawn
from gandetect.report.reading import read_scores
from gandetect.report.words import listing, number, percent, percent_range, source_name
from gandetect.runs import load_study, read_json

FILES = ("ablation.json", "ablation.csv", "report.md", "report.html")
MADE_OF = ("metrics.json", "scores.parquet")
SPOKEN = 40  # so many numbers at most are told in place of a picture
# AUROC: which measure, of which group of fakes.
RANKED = {
    ("auroc-in-distribution", "own"): "Own fakes, familiar reals",
    ("auroc-held-out", "own"): "Own fakes, novel reals",
    ("auroc-in-distribution", "other"): "Other GAN's fakes, familiar reals",
    ("auroc-held-out", "other"): "Other GAN's fakes, novel reals",
    ("auroc-in-distribution", "further"): "Further generators, familiar reals",
    ("auroc-held-out", "further"): "Further generators, novel reals",
}


def build_ablation_report(folder: Path, studies: Mapping[str, Path]) -> Path:
    """Write `ablation.json`, `ablation.csv`, figures, `report.md` and `report.html`.

    Args:
        folder: the ablation's own folder, which holds its `study.json`.
        studies: run folders of the baseline, first, and of ingredients by name, somewhere below
            ``folder``; ingredients that were not run yet may be missing.

    Returns the HTML page. Equal inputs give equal bytes. Raises `RunError` when a study has no
    `metrics.json` or no scores.
    """
    experiment = load_study(folder)
    bases = base_gans(experiment)
    further = [gan.name for gan in experiment.gans if gan.role == "source"]
    parts = _read_parts(studies)
    against = {one.name: one.against for one in experiment.ingredients if one.against}
    fpr = experiment.evaluation.calibrated_fpr
    results = ablate(parts, Generators(bases, further), fpr, against)
    places = {name: run.relative_to(folder).as_posix() for name, run in studies.items()}
    material = AblationMaterial(experiment, places, results["rows"], results["least"])
    document = compose(material)
    listed = [{"ingredient": name, "run": place, **material.changes(name)}
              for name, place in places.items()]  # fmt: skip
    numbers = {"ingredients": listed, **results}
    return write_files(folder, "ablation", numbers, ablation_table(results["rows"]), document)


def compose(material: AblationMaterial) -> Document:
    """Write every chapter."""
    sections = [
        Section("The question", question(material)),
        Section("Findings", [*verdict(material), figure(material), *each_ingredient(material)]),
        Section("Every ingredient on every group", tables(material)),
        Section("Further generators", further(material)),
        Section("The ingredients", ingredients(material)),
    ]
    shown = [section for section in sections if section.blocks]
    return Document(f"gandetect ablation: {material.experiment.name}", shown)


def question(material: AblationMaterial) -> list[Block]:
    """What was asked, and what an ablation is."""
    experiment = material.experiment
    seeds, fpr = len(experiment.seeds), experiment.evaluation.calibrated_fpr
    asked = [Text(experiment.question, "lead")] if experiment.question else []
    done, wanted = len(material.places) - 1, len(experiment.ingredients)
    tried = f"{done} ingredients were tried" if done != 1 else "one ingredient was tried"
    if done < wanted:
        tried += f" so far, of {wanted},"
    return [
        *asked,
        Text(
            f"Of {listing(material.bases)} the discriminator is a detector. Here "
            f"{tried} that might make it a better one, each alone beside the baseline without any, "
            "and all on the same images "
            f"({seeds} seed{'s' if seeds > 1 else ''} each). A detector is wanted that answers at "
            f"least {percent(WANTED, 0)} of four groups correctly, all at once: fakes of its own "
            "generator, fakes of the other GAN, real images of the classes that were trained on "
            "(familiar) and of the classes that were held out (novel). A GAN that was trained in "
            "another way makes other fakes of its own, and worse ones are easier to tell. The "
            "threshold is set on calibration reals alone, of which a detector may call "
            f"{percent(fpr, 0)} generated. Whether "
            f"all four are held at once is told at a stricter threshold, {percent(STRICT, 0)}: at "
            f"{percent(fpr, 0)}, accepting {percent(WANTED, 0)} of the familiar reals would be a "
            "toss-up."
        ),
    ]


def figure(material: AblationMaterial) -> Block:
    """Every detector on the four groups."""
    rows = material.of("correct", FOUR)
    shown = [f"{material.titled(row)}, {SHORT[row['group']]}: {percent(row['mean'])}"
             for row in rows]  # fmt: skip
    if len(shown) > SPOKEN:
        shown = [f"its {len(shown)} numbers stand in the tables on every ingredient and group"]
    return drawn(
        "ingredients",
        lambda: groups_by_ingredient(material, rows),
        f"Share answered correctly by ingredient and group. {'; '.join(shown)}.",
        f"Share answered correctly at the calibrated point, {material.covers}. Colour and shape: "
        f"the GAN that a detector is made of. Dashed: {percent(WANTED, 0)}.",
    )


def tables(material: AblationMaterial) -> list[Block]:
    """Shares correct and AUROC in coloured tables, and every difference from the baseline."""
    return [
        *(_share_heat(material, base) for base in material.made_of),
        *(_auroc_heat(material, base) for base in material.made_of),
        _differences(material),
    ]


def further(material: AblationMaterial) -> list[Block]:
    """Each generator that a detector does not know, one by one."""
    rows = material.of("correct", (GENERATOR,))
    names = sorted({row["source"] for row in rows})
    if not names:
        return []
    of_cell = {(row["detector"], row["ingredient"], row["source"]): row for row in rows}
    body = []
    for line in material.least:
        cells = [of_cell.get((line["detector"], line["ingredient"], name)) for name in names]
        if any(cells):
            body.append((material.titled(line), [_share_cell(cell) for cell in cells]))
    header = ["Detector", *(source_name(name) for name in names)]
    return [
        Text(
            "Generators that are sources only, and for a variant the GAN that it is a variant of: "
            "no detector in the row was trained on their images."
        ),
        Heat(f"Fakes caught at the calibrated point, {material.covers}", header, body),
    ]


def ingredients(material: AblationMaterial) -> list[Block]:
    """What each ingredient changes, and where its own report lies."""
    body = []
    for name in material.places:
        changes = material.changes(name)
        keys = [f"{key} = {_shown(changes[key])}" for key in ("gans", "detectors", "classifiers")
                if changes[key]]  # fmt: skip
        body.append([name, changes["about"] or "–", "; ".join(keys) or "nothing"])
    links = [(f"{name}: the study's own report", f"{place}/report.html")
             for name, place in material.places.items()]  # fmt: skip
    return [
        Table("What each ingredient changes", ["Ingredient", "About", "Changes"], body, 3),
        Items(links),
        Code(
            f"gandetect run {material.experiment.name}.toml",
            "The same command goes on where it was interrupted, and makes this report again "
            "(study.toml in this folder is the file, resolved)",
        ),
    ]


def _read_parts(studies: Mapping[str, Path]) -> Iterator[Part]:
    for name, run in studies.items():  # one after the other: scores are many
        yield Part(name, read_json(run / "metrics.json"), read_scores(run / "scores.parquet"))


def _share_heat(material: AblationMaterial, base: str | None) -> Heat:
    groups = [name for name in COLUMNS if material.of("correct", (name,))]
    body = []
    for line in material.detectors_of(base):
        cells = [_share_cell(material.row(line, "correct", name)) for name in groups]
        body.append((material.label(line), [*cells, _least_cell(line)]))
    header = [
        "Ingredient",
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


def _auroc_heat(material: AblationMaterial, base: str | None) -> Heat:
    shown = {key: words for key, words in RANKED.items() if material.of(key[0], (key[1],))}
    body = []
    for line in material.detectors_of(base):
        rows = [material.row(line, *key) for key in shown]
        body.append((material.label(line), [_auroc_cell(row) for row in rows]))
    return Heat(
        f"{material.made(base)}: AUROC, {material.covers}",
        ["Ingredient", *shown.values()],
        body,
        scale="auroc",
    )


def _auroc_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    low, high = row["ci95"]
    hint = source_name(row["source"])
    return Cell(number(row["mean"]), f"{low:.3f} to {high:.3f}", row["mean"], hint=hint)


def _differences(material: AblationMaterial) -> Table:
    body = []
    for row in material.rows:
        if row["measure"] != "correct" or not row["baseline"]:
            continue
        moved = row["baseline"]
        low, high = moved["ci95"]
        body.append([
            material.titled(row),
            moved["ingredient"],
            COLUMNS[row["group"]],
            percent(moved["mean"]),
            percent(row["mean"]),
            f"{100 * moved['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
            f"{moved['p_holm']:.3f}",
        ])  # fmt: skip
    return Table(
        "Share answered correctly at the calibrated point, detector minus what it is compared "
        "with: the baseline's discriminator of the same GAN, or another ingredient's detector",
        ["Detector", "Beside", "Group", "That", "This", "Points (95 % interval)", "p, corrected"],
        body,
        text_columns=3,
    )  # fmt: skip


def _shown(value: Any) -> str:
    """A value as it is read in one line."""
    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")
