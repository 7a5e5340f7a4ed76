"""The report of a sweep over held-out classes, from its studies' `metrics.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandetect.config import Experiment
from gandetect.errors import RunError
from gandetect.evaluation.sweep import Chosen, compare_choices, sweep_table
from gandetect.report.document import Block, Code, Document, Items, Section, Table, Text
from gandetect.report.figures.sweep import SHARES, delayed_when_left_out, shares_by_choice
from gandetect.report.joined import write_files
from gandetect.report.material import detector_names, drawn
from gandetect.report.words import POINTS, count, listing, per_hundred, percent, sentence
from gandetect.runs import load_study, read_json

Row = Mapping[str, Any]
FILES = ("sweep.json", "sweep.csv", "report.md", "report.html")


@dataclass(frozen=True)
class SweepMaterial:
    """What the chapters are written from: the choices, where they lie, and the numbers."""

    experiment: Experiment
    choices: Sequence[Chosen]
    folders: Sequence[str]  # of the choices, relative to the sweep's folder
    results: Mapping[str, Sequence[Row]]

    @property
    def detectors(self) -> list[str]:
        """Names of all detectors: discriminators, then classifiers."""
        return detector_names(self.choices[0].metrics)

    @property
    def points(self) -> list[str]:
        """Operating points that the report shows, native first."""
        found = {row["operating_point"] for row in self.results["shares"]}
        return [point for point in ("native", "calibrated") if point in found]

    @property
    def point(self) -> str:
        """The operating point of sentences and figures: at equal false alarms if possible."""
        return self.points[-1]

    def at(self, table: str, point: str) -> list[Row]:
        """Rows of one table of the numbers at one operating point, detector by detector."""
        rows = [row for row in self.results[table] if row["operating_point"] == point]
        return sorted(rows, key=lambda row: self.detectors.index(row["detector"]))


def build_sweep_report(folder: Path, studies: Sequence[Path]) -> Path:
    """Write `sweep.json`, `sweep.csv`, figures, `report.md` and `report.html` of a sweep.

    Args:
        folder: the sweep's own folder, which holds its `study.json`.
        studies: run folders of the choices, in their order, somewhere below ``folder``.

    Returns the HTML page. Equal inputs give equal bytes. Raises `RunError` when a study has no
    `metrics.json`, or one without false alarms by class.
    """
    choices = [_read_choice(run) for run in studies]
    places = [run.relative_to(folder).as_posix() for run in studies]
    results = compare_choices(choices)
    material = SweepMaterial(load_study(folder), choices, places, results)
    document = compose(material)
    listed = [
        {"choice": number, "held_out": list(choice.held_out), "run": place}
        for number, (choice, place) in enumerate(zip(choices, places, strict=True), start=1)
    ]
    numbers = {"choices": listed, **results}
    return write_files(folder, "sweep", numbers, sweep_table(results), document)


def compose(material: SweepMaterial) -> Document:
    """Write every chapter."""
    sections = [
        Section("The question", question(material)),
        Section("The answer", answer(material)),
        Section("Each class, trained on and left out", classes(material)),
        Section("How much depends on the choice", dependence(material)),
        Section("The choices", chosen(material)),
    ]
    return Document(f"gandetect sweep: {material.experiment.name}", sections)


def question(material: SweepMaterial) -> list[Block]:
    """What was asked, and what a sweep is."""
    seeds = len(material.experiment.seeds)
    asked = [Text(material.experiment.question, "lead")] if material.experiment.question else []
    return [
        *asked,
        Text(
            "A study holds out some classes, and its answer may depend on which. Here the whole "
            f"study was done {len(material.choices)} times, each time with other classes held out "
            f"and everything trained anew ({seeds} seed{'s' if seeds > 1 else ''} each). So every "
            "class can be looked at twice: by detectors that were trained on it and by detectors "
            "that never saw it."
        ),
    ]


def answer(material: SweepMaterial) -> list[Block]:
    """For each detector: does it take the unknown for fake, which classes, and how it varies."""
    by_detector = {row["detector"]: row for row in material.at("on_average", material.point)}
    blocks: list[Block] = [
        Text(f"All sentences are about the {material.point} operating point.", "note")
    ]
    for name in material.detectors:
        parts = [_on_average(by_detector.get(name)), _look_fake(material, name),
                 _range_of(material, name)]  # fmt: skip
        blocks.append(Text(f"{name}: {' '.join(filter(None, parts))}"))
    return blocks


def classes(material: SweepMaterial) -> list[Block]:
    """Each class's false alarms when trained on and when held out: drawn, and in tables."""
    rows = material.at("by_class", material.point)
    alone = {row["covers"] for row in rows} == {"images"}
    chance = (
        "Newcombe's, over images only: two choices cannot show how choices vary"
        if alone
        else "Student's over choices, and never narrower than Newcombe's over images"
    )
    shown = [f"{row['detector']} on {row['class_name']} {_share(row['trained']['mean'])} of 100 "
             f"when trained on, {_share(row['held_out']['mean'])} when held out"
             for row in rows]  # fmt: skip
    return [
        Text(
            "Test images of a trained class were kept from training; of a held-out class nobody "
            f"saw any. The difference is held out minus trained on, and its 95 % interval is "
            f"{chance}. Intervals are not corrected for the number of classes: of twenty, one may "
            "miss."
        ),
        drawn(
            "classes-left-out",
            lambda: delayed_when_left_out(rows, material.detectors),
            f"False alarms by class at the {material.point} point: {'; '.join(shown)}.",
            f"{sentence(POINTS[material.point])} operating point. Classes from the least to the "
            "most delayed when held out. Grey bar: 95 % interval of the difference, laid around "
            "the share when held out.",
        ),
        *(_class_table(material, point) for point in material.points),
    ]


def dependence(material: SweepMaterial) -> list[Block]:
    """The four shares by choice: drawn, and in tables with what chance alone would give."""
    rows = material.at("shares_across", material.point)
    shown = [
        f"{row['detector']}, {SHARES[row['role']][0]}: {listing([*map(percent, row['choices'])])}"
        for row in rows
    ]
    alone = all(row["sd_expected"] is None for row in rows)
    caveat = (
        "With one seed for each choice, what the classes do and what the chance of training does "
        "cannot be told apart: the spread holds both."
        if alone
        else "Beside the spread between choices (standard deviation) stands what the chance of "
        "training alone would make it, from the seeds of each choice. Only what exceeds it comes "
        "from the classes."
    )
    return [
        Text(f"If the choice of classes did not matter, all choices would answer alike. {caveat}"),
        drawn(
            "shares-by-choice",
            lambda: shares_by_choice(rows, material.detectors),
            f"Shares answered correctly at the {material.point} point by choice. "
            f"{'; '.join(shown)}.",
            f"{sentence(POINTS[material.point])} operating point. Numbered dots: the choices. "
            "Line: their mean; band: its 95 % interval over choices.",
        ),
        *(_dependence_table(material, point) for point in material.points),
    ]


def chosen(material: SweepMaterial) -> list[Block]:
    """Which classes each choice held out, and where its own report lies."""
    held = Counter(name for choice in material.choices for name in choice.held_out)
    often = [name for name, times in held.items() if times > 1]
    repeated = (
        [Text(f"Held out more than once: {listing(often)}."
              + (" That fills up the last choice, so that all hold out equally many."
                 if isinstance(material.experiment.data.held_out, str) else ""), "note")]
        if often
        else []
    )  # fmt: skip
    rows = [[str(number), listing(choice.held_out)]
            for number, choice in enumerate(material.choices, start=1)]  # fmt: skip
    links = [(f"Choice {number}: the study's own report", f"{place}/report.html")
             for number, place in enumerate(material.folders, start=1)]  # fmt: skip
    return [
        Table("What each choice held out", ["Choice", "Held-out classes"], rows, text_columns=2),
        *repeated,
        Items(links),
        Code(
            f"gandetect run {material.experiment.name}.toml",
            "The same command goes on where it was interrupted, and makes this report again "
            "(study.toml in this folder is the file, resolved)",
        ),
    ]


def _read_choice(run: Path) -> Chosen:
    metrics = read_json(run / "metrics.json")
    if not metrics.get("by_class"):
        raise RunError(
            f"{str(run / 'metrics.json')!r} has no false alarms by class, of which a sweep is "
            "made; run the sweep again"
        )
    held_out = tuple(str(name) for name in read_json(run / "data.json")["held_out"])
    return Chosen(held_out, metrics, metrics["by_class"])


def _on_average(row: Row | None) -> str:
    if row is None:
        return "no class was both trained on and held out."
    words = f"a class is delayed {_points(row['difference'])} points more often"
    if row["difference"] < 0:
        words = f"a class is delayed {_points(-row['difference'])} points less often"
    said = f"{words} when nobody trained on it"
    if row["ci95"] is None:
        return f"{said} (one choice, so no interval over choices)."
    low, high = row["ci95"]
    within = ", which may be chance" if low <= 0 <= high else ""
    return (
        f"{said} (95 % interval of the change over {len(row['choices'])} choices: "
        f"{100 * low:+.1f} to {100 * high:+.1f}){within}."
    )


def _look_fake(material: SweepMaterial, detector: str) -> str:
    """Classes whose difference lies above 0 with its whole interval, the largest first.

    An interval over images alone is not asked: of two networks one always delays more.
    """
    rows = [row for row in material.at("by_class", material.point)
            if row["detector"] == detector and row["difference"] is not None]  # fmt: skip
    if not rows:
        return ""
    told = [row for row in rows if row["covers"] != "images"]
    if not told:
        return (
            "Which classes look fake to it for being unknown cannot be said: each was met by one "
            "choice on either side, so what chance in training does is not known."
        )
    clear = sorted((row for row in told if row["ci95"][0] > 0), key=lambda row: -row["difference"])
    if not clear:
        return "No single class clearly looks fake to it for being unknown."
    named = [
        f"{row['class_name']} ({per_hundred(row['held_out']['mean'])} of 100 delayed instead of "
        f"{per_hundred(row['trained']['mean'])})"
        for row in clear
    ]
    return f"Clearly more fake for being unknown: {listing(named)}."


def _range_of(material: SweepMaterial, detector: str) -> str:
    rows = {row["role"]: row for row in material.at("shares_across", material.point)
            if row["detector"] == detector}  # fmt: skip
    said = [f"{words} {percent(rows[role]['low'], 0)} to {percent(rows[role]['high'], 0)}"
            for role, (words, _) in SHARES.items() if role in rows]  # fmt: skip
    return f"From choice to choice: {', '.join(said)}."


def _class_table(material: SweepMaterial, point: str) -> Table:
    body = []
    for row in material.at("by_class", point):
        known, new = row["trained"], row["held_out"]
        body.append([
            row["detector"],
            row["class_name"],
            _share(known["mean"]),
            _seen(known),
            _share(new["mean"]),
            _seen(new),
            _change(row),
        ])  # fmt: skip
    return Table(
        f"Called generated of 100 honest pictures, {POINTS[point]}",
        ["Detector", "Class", "Trained on", "Choices, images", "Held out", "Choices, images",
         "Difference in points (95 % interval)"],
        body,
        text_columns=2,
    )  # fmt: skip


def _dependence_table(material: SweepMaterial, point: str) -> Table:
    numbers = range(1, len(material.choices) + 1)
    body = []
    for row in material.at("shares_across", point):
        low, high = row["ci95"] or (None, None)
        body.append([
            row["detector"],
            SHARES[row["role"]][0],
            *(percent(share) for share in row["choices"]),
            per_hundred(row["mean"], low, high),
            _deviation(row["sd"]),
            _deviation(row["sd_expected"]),
        ])  # fmt: skip
    return Table(
        f"Shares answered correctly by choice, {POINTS[point]}",
        ["Detector", "Share", *(f"Choice {number}" for number in numbers),
         "Mean of 100 (95 % interval over choices)", "Spread, points", "By chance of training"],
        body,
        text_columns=2,
    )  # fmt: skip


def _share(value: float | None) -> str:
    return "–" if value is None else per_hundred(value)


def _seen(side: Row) -> str:
    return f"{len(side['choices'])}, {count(sum(side['n']))}" if side["choices"] else "–"


def _change(row: Row) -> str:
    if row["difference"] is None:
        return "–"
    low, high = row["ci95"]
    return f"{100 * row['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _deviation(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"
