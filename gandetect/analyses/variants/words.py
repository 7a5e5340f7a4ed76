"""The chapters on variants: the question, findings, every figure in tables, the changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gandetect.analyses.side_by_side import ALPHA
from gandetect.analyses.variants.effects import FOUR, GENERATOR, WANTED
from gandetect.analyses.variants.figure import groups_by_variant
from gandetect.analyses.variants.measured import STRICT
from gandetect.analyses.variants.results import VariantsResults
from gandetect.config import canonical_json
from gandetect.config.variants import BASELINE
from gandetect.report.document import (
    Block,
    Cell,
    Code,
    Columns,
    Heading,
    Heat,
    Items,
    Table,
    Text,
    table,
)
from gandetect.report.heatmaps import area_cell, share_cell
from gandetect.report.prose import Prose
from gandetect.report.words import (
    REALS,
    count,
    number,
    number_interval,
    percent,
    percent_interval,
    signed,
    signed_points,
    source_name,
)
from gandetect.statistics.rows import Row, chosen, grouped
from gandetect.statistics.scores import TEST_REALS

say = Prose(__file__)
POINT = "calibrated"  # tables are at equal false alarms
SPOKEN = 40  # so many numbers at most are told in place of a picture
# Groups of images as columns.
COLUMNS = {
    "own": "Own fakes",
    "own-other-seed": "Own generator, another run",
    "other": "Other generator's fakes",
    "in-distribution": "In-distribution reals",
    "held-out": "Held-out reals",
    "further": "Further generators (lowest)",
}
# AUROC: of which group of fakes, by which measure.
RANKED = {
    (group, f"auroc-{real}"): f"{fakes}, {real} reals"
    for group, fakes in (("own", "Own fakes"), ("other", "Other generator's fakes"),
                         ("further", "Further generators"))
    for real in ("in-distribution", "held-out")
}  # fmt: skip


def question(results: VariantsResults) -> list[Block]:
    """The question, what a variant is, and by what detectors are judged."""
    fpr = results.experiment.evaluation.calibrated_fpr
    return [*say.paragraphs("question", results, BASELINE, WANTED, STRICT, fpr)]


def findings(results: VariantsResults) -> list[Block]:
    """Whether any detector holds on all four groups at once, a figure, and what variants change."""
    whole = [line for line in results.least if line["holds"] is not None]
    surely = chosen(whole, holds_surely=True)
    holding = chosen(whole, holds=True, holds_surely=False)
    best = max(whole, key=lambda line: float(line["least"]), default=None)
    blocks: list[Block] = [
        *say.paragraphs("verdict", results, WANTED, surely, holding, best),
        *say.paragraphs("caution", results),
        figure(results),
    ]
    for name in results.places:
        lines = chosen(results.least, variant=name)
        if name != BASELINE and lines:
            blocks += [Heading(name), Items([(_of_detector(results, one), "") for one in lines])]
    return blocks


def figure(results: VariantsResults) -> Block:
    """Every detector on the four groups."""
    rows = results.of("correct", FOUR)
    draw = partial(groups_by_variant, results, rows)
    return say.figure("variants", draw, results, rows, SPOKEN, WANTED)


def _of_detector(results: VariantsResults, line: Row) -> str:
    """Its changes, clear ones first, of those the largest; or levels if it has no counterpart."""
    measured = [row for group in (*FOUR, "further") if (row := results.row(line, "correct", group))]
    moved = [{**row, "doubt": _doubt(row["compared"])} for row in measured if row["compared"]]
    moved.sort(key=lambda row: (row["doubt"], -abs(row["compared"]["difference"])))
    changes = " ".join(
        say.changes(rows, doubt, place == 0, results.compared)
        for place, ((doubt,), rows) in enumerate(grouped(moved, "doubt").items())
    )
    return say.of_detector(results, line, changes or say.levels(measured))


def _doubt(moved: Row) -> int:
    """0 for a change that is clear, 1 for one that would be so alone, 2 for what may be chance."""
    low, high = moved["ci95"]
    return 2 if low <= 0 <= high else int(moved["p_holm"] >= ALPHA)


def tables(results: VariantsResults) -> list[Block]:
    """Shares correct and AUROC in coloured tables, and every difference."""
    columns: Columns = {
        "Detector": results.titled,
        "Beside": lambda row: results.titled(row["compared"]),
        "Group": lambda row: COLUMNS[row["group"]],
        "That": lambda row: percent(row["compared"]["mean"]),
        "This": lambda row: percent(row["mean"]),
        "Points (95 % interval)": lambda row: _points(row["compared"]),
        "p, corrected": lambda row: number(row["compared"]["p_holm"]),
    }
    return [
        *(_share_heat(results, base) for base in results.made_of),
        *(_auroc_heat(results, base) for base in results.made_of),
        table(say.differences(), results.compared, columns, text_columns=3),
    ]


def _share_heat(results: VariantsResults, base: str | None) -> Heat:
    groups = [name for name in COLUMNS if results.of("correct", (name,))]
    body = []
    for line in chosen(results.least, base=base):
        cells = [_cell(results.row(line, "correct", name)) for name in groups]
        least, framed = line["least"], line["holds"] is True
        small = say.short(line["group"])
        body.append((results.label(line), [*cells, Cell(percent(least), small, least, framed)]))
    header = ["Variant", *(COLUMNS[name] for name in groups), say.least_of_four(STRICT)]
    return Heat(say.shares(results, base, WANTED), header, body)


def _auroc_heat(results: VariantsResults, base: str | None) -> Heat:
    shown = {key: words for key, words in RANKED.items() if results.of(key[1], (key[0],))}
    body = [
        (results.label(line), [_cell(results.row(line, measure, group), area_cell)
                               for group, measure in shown])
        for line in chosen(results.least, base=base)
    ]  # fmt: skip
    caption = f"{results.made(base)}: AUROC, {results.covers(False)}"
    return Heat(caption, ["Variant", *shown.values()], body, scale="auroc")


def _cell(row: Row | None, cell: Callable[..., Cell] = share_cell) -> Cell | None:
    return None if row is None else cell(row["mean"], row["ci95"], hint=source_name(row["source"]))


def _points(row: Row) -> str:
    return signed_points(row["difference"], row["ci95"])


def further(results: VariantsResults) -> list[Block]:
    """Each generator that a detector does not know, one by one."""
    rows = results.of("correct", (GENERATOR,))
    names = sorted({row["source"] for row in rows})
    cells = {(row["detector"], row["variant"], row["source"]): _cell(row) for row in rows}
    body = [
        (results.titled(line), of_line)
        for line in results.least
        if any(of_line := [cells.get((line["detector"], line["variant"], name)) for name in names])
    ]
    header = ["Detector", *map(source_name, names)]
    caption = f"Fakes caught at the calibrated point, {results.covers()}"
    return [Text(say.further()), Heat(caption, header, body)] if names else []


def left_out(results: VariantsResults) -> list[Block]:
    """Generators that a detector was trained without beside those that it knows."""
    rows = results.numbers["left_out"]
    by_measure = {"Fakes caught at the calibrated point": chosen(rows, operating_point=POINT)}
    by_measure |= {f"AUROC against {REALS[real]}": chosen(rows, real=real) for real in TEST_REALS}
    by_group = [_left_out_table(title, of) for title, of in by_measure.items() if of]
    return [Text(say.left_out()), *by_group] if by_group else []


def _left_out_table(title: str, rows: Sequence[Row]) -> Table:
    ranked = rows[0]["metric"] == "auroc"
    level, moved = (number_interval, signed) if ranked else (percent_interval, signed_points)
    points = "" if ranked else " in points"

    def figure_of(group: str, show: Callable[..., str] = level) -> Callable[[Row], str]:
        return lambda row: show(row[group]["mean"], row[group]["ci95"]) if row[group] else "–"

    columns: Columns = {
        "Detector": lambda row: row["protocol"],
        "Left out": say.generators,
        "Of the one left out": figure_of("unknown"),
        "Of it, trained on": figure_of("trained_on"),
        f"Change{points}": figure_of("change", moved),
        "Of those known": figure_of("known"),
        f"Difference{points}": figure_of("difference", moved),
    }
    return table(f"{title} (95 % intervals over {rows[0]['covers']})", rows, columns, 2)


def classes(results: VariantsResults) -> list[Block]:
    """False alarms by class where it was trained on and where it was held out."""
    averages = chosen(results.numbers["classes_on_average"], operating_point=POINT)
    heats = [_class_heat(results, one) for one in averages]
    return [Text(say.classes()), *heats] if heats else []


def _class_heat(results: VariantsResults, average: Row) -> Heat:
    """The mean over classes, and each class, those with the largest difference first."""
    detector = average["detector"]
    rows = chosen(results.numbers["classes"], operating_point=POINT, detector=detector)
    rows.sort(key=lambda row: -(row["difference"] or 0.0))
    header = ["Class", "Trained on", "Held out", "Difference in points (95 % interval)"]
    body: list[tuple[str, list[Cell | None]]] = [
        (say.all_classes(len(average["variants"])), [None, None, _moved(average)]),
        *((row["class_name"], [_side(row["trained"]), _side(row["held_out"]), _moved(row)])
          for row in rows),
    ]  # fmt: skip
    return Heat(say.flagged(detector), header, body)


def _side(side: Row) -> Cell | None:
    if side["mean"] is None:
        return None
    seen = f"{len(side['variants'])} variant(s), {count(sum(side['n']))} images"
    return Cell(percent(side["mean"]), seen, side["mean"])


def _moved(row: Row) -> Cell | None:
    if row["difference"] is None:
        return None
    if row["ci95"] is None:
        return Cell(f"{100 * row['difference']:+.1f}")
    return Cell(_points(row), framed=row["covers"] != "images" and row["ci95"][0] > 0)


def variants(results: VariantsResults) -> list[Block]:
    """What each variant changes, and where its own report lies."""
    facts = {name: results.facts(name) for name in results.places}
    columns: Columns = {
        "Variant": str,
        "About": lambda name: facts[name]["about"] or "–",
        "Compared with": lambda name: (
            "–" if name == BASELINE else facts[name]["compared_with"] or BASELINE
        ),
        "Changes": lambda name: (
            "; ".join(f"{key} = {_shown(value)}" for key, value in facts[name]["changes"].items())
            or "nothing"
        ),
    }
    links = [(f"{name}: the study's own report", f"{place}/report.html")
             for name, place in results.places.items()]  # fmt: skip
    return [
        table("What each variant changes", results.places, columns, 4),
        Items(links),
        Code(f"gandetect run {results.experiment.name}.toml", say.again()),
    ]


def _shown(value: Any) -> str:
    """A value as it is read in one line."""
    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")
