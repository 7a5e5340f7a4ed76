"""Writes what joins the variants: `variants.json`, `variants.csv`, figures and pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gandetect.analyses.variants import words
from gandetect.analyses.variants.effects import compare_variants, variants_table
from gandetect.analyses.variants.measured import Part
from gandetect.analyses.variants.results import VariantsResults
from gandetect.report.document import Document, Section
from gandetect.report.reading import read_scores
from gandetect.report.render import to_html, to_markdown
from gandetect.runs import atomic_file, atomic_folder, load_study, read_json, write_json, write_text

FILES = ("variants.json", "variants.csv", "report.md", "report.html")
INPUTS = ("metrics.json", "scores.parquet")
CHAPTERS = {
    "The question": words.question,
    "Findings": words.findings,
    "Every variant on every group": words.tables,
    "Further generators": words.further,
    "Trained without a generator": words.left_out,
    "Each class, trained on and held out": words.classes,
    "The variants": words.variants,
}


def build_variants_report(folder: Path, studies: Mapping[str, Path]) -> Path:
    """Write `variants.json`, `variants.csv`, figures, `report.md` and `report.html`.

    Args:
        folder: the folder of all, which holds their `study.json`.
        studies: run folders of the baseline, first, and of variants by name, somewhere below
            ``folder``; variants that were not run yet may be missing.

    Returns the HTML page. Equal inputs give equal bytes. Raises `RunError` when a study has no
    `metrics.json` or no scores.
    """
    experiment = load_study(folder)
    numbers = compare_variants(experiment, _parts(studies))
    places = {name: run.relative_to(folder).as_posix() for name, run in studies.items()}
    results = VariantsResults(experiment, places, numbers)
    document = compose(results)
    listed = [{"variant": name, "run": place, **results.facts(name)}
              for name, place in places.items()]  # fmt: skip
    write_json(folder / "variants.json", {"schema": 1, "variants": listed, **numbers})
    with atomic_file(folder / "variants.csv") as temporary:
        table = variants_table(numbers["rows"])
        table.to_csv(temporary, index=False, lineterminator="\n")
    with atomic_folder(folder / "figures") as figures:
        for picture in document.pictures():
            (figures / Path(picture.path).name).write_bytes(picture.content)
    write_text(folder / "report.md", to_markdown(document))
    write_text(folder / "report.html", to_html(document))
    return folder / "report.html"


def compose(results: VariantsResults) -> Document:
    """Write every chapter."""
    sections = [Section(title, chapter(results)) for title, chapter in CHAPTERS.items()]
    filled = [section for section in sections if section.blocks]
    return Document(f"gandetect variants: {results.experiment.name}", filled)


def _parts(studies: Mapping[str, Path]) -> Iterator[Part]:
    for name, run in studies.items():  # one after the other: scores are many
        scores = read_scores(run / "scores.parquet")
        yield Part(name, load_study(run), read_json(run / "metrics.json"), scores)
