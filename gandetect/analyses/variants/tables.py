"""The question, every figure in tables, and what each variant changes."""

from __future__ import annotations

from typing import Any

from gandetect.analyses.variants.effects import FOUR, GENERATOR, WANTED
from gandetect.analyses.variants.figure import groups_by_variant
from gandetect.analyses.variants.measured import STRICT
from gandetect.analyses.variants.results import COLUMNS, SHORT, VariantsResults, say
from gandetect.config import canonical_json
from gandetect.config.variants import BASELINE
from gandetect.report.document import Block, Cell, Code, Columns, Heat, Items, Table, Text, table
from gandetect.report.heatmaps import area_cell, share_cell
from gandetect.report.words import (
    number,
    percent,
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


def question(results: VariantsResults) -> list[Block]:
    """The question, what a variant is, and by what detectors are judged."""
    fpr = results.experiment.evaluation.calibrated_fpr
    return [*say.paragraphs("question", results, BASELINE, WANTED, STRICT, fpr)]


def figure(results: VariantsResults) -> Block:
    """Every detector on the four groups."""
    rows = results.of("correct", FOUR)
    return say.figure(
        "variants", lambda: groups_by_variant(results, rows), results, rows, SPOKEN, WANTED
    )


def tables(results: VariantsResults) -> list[Block]:
    """Shares correct and AUROC in coloured tables, and every difference."""
    return [
        *(_share_heat(results, base) for base in results.made_of),
        *(_auroc_heat(results, base) for base in results.made_of),
        _differences(results),
    ]


def further(results: VariantsResults) -> list[Block]:
    """Each generator that a detector does not know, one by one."""
    rows = results.of("correct", (GENERATOR,))
    names = sorted({row["source"] for row in rows})
    cells = {(row["detector"], row["variant"], row["source"]): row for row in rows}
    body = [
        (results.titled(line), of_line)
        for line in results.least
        if any(of_line := [_share_cell(cells.get((line["detector"], line["variant"], name)))
                           for name in names])
    ]  # fmt: skip
    header = ["Detector", *map(source_name, names)]
    caption = f"Fakes caught at the calibrated point, {results.covers}"
    return [Text(say.further()), Heat(caption, header, body)] if names else []


def variants(results: VariantsResults) -> list[Block]:
    """What each variant changes, and where its own report lies."""

    def changes(name: str) -> str:
        changed = results.facts(name)["changes"].items()
        return "; ".join(f"{key} = {_shown(value)}" for key, value in changed) or "nothing"

    columns: Columns = {
        "Variant": str,
        "About": lambda name: results.facts(name)["about"] or "–",
        "Compared with": lambda name: (
            "–" if name == BASELINE else results.facts(name)["compared_with"] or BASELINE
        ),
        "Changes": changes,
    }
    links = [(f"{name}: the study's own report", f"{place}/report.html")
             for name, place in results.places.items()]  # fmt: skip
    return [
        table("What each variant changes", results.places, columns, 4),
        Items(links),
        Code(f"gandetect run {results.experiment.name}.toml", say.again()),
    ]


def _share_heat(results: VariantsResults, base: str | None) -> Heat:
    groups = [name for name in COLUMNS if results.of("correct", (name,))]
    return Heat(
        say.shares(results, base, WANTED),
        ["Variant", *(COLUMNS[name] for name in groups), say.least_of_four(STRICT)],
        [
            (
                results.label(line),
                [*(_share_cell(results.row(line, "correct", name)) for name in groups),
                 Cell(percent(line["least"]), SHORT[line["group"]], line["least"],
                      line["holds"] is True)],
            )
            for line in results.detectors_of(base)
        ],
    )  # fmt: skip


def _share_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    return share_cell(row["mean"], row["ci95"], hint=source_name(row["source"]))


def _auroc_heat(results: VariantsResults, base: str | None) -> Heat:
    shown = {key: words for key, words in RANKED.items() if results.of(key[0], (key[1],))}
    return Heat(
        f"{results.made(base)}: AUROC, {results.covers}",
        ["Variant", *shown.values()],
        [
            (results.label(line), [_auroc_cell(results.row(line, *key)) for key in shown])
            for line in results.detectors_of(base)
        ],
        scale="auroc",
    )


def _auroc_cell(row: Row | None) -> Cell | None:
    if row is None:
        return None
    return area_cell(row["mean"], row["ci95"], hint=source_name(row["source"]))


def _differences(results: VariantsResults) -> Table:
    columns: Columns = {
        "Detector": results.titled,
        "Beside": lambda row: results.titled(row["compared"]),
        "Group": lambda row: COLUMNS[row["group"]],
        "That": lambda row: percent(row["compared"]["mean"]),
        "This": lambda row: percent(row["mean"]),
        "Points (95 % interval)": lambda row: signed_points(
            row["compared"]["difference"], row["compared"]["ci95"]
        ),
        "p, corrected": lambda row: number(row["compared"]["p_holm"]),
    }
    rows = [row for row in chosen(results.rows, measure="correct") if row["compared"]]
    return table(say.differences(), rows, columns, text_columns=3)


def _shown(value: Any) -> str:
    """A value as it is read in one line."""
    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")
