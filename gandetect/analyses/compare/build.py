"""From run folders to `comparison.html`, `comparison.md` and `comparison.csv`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandetect.analyses.compare import words
from gandetect.analyses.compare.numbers import comparison_table, side_by_side
from gandetect.analyses.compare.reading import obstacles, read_runs
from gandetect.analyses.compare.settings import settings_that_differ, surroundings_that_differ
from gandetect.report.document import Document, Download, Section, Text, slug
from gandetect.report.render import to_html, to_markdown
from gandetect.report.words import listing
from gandetect.runs import write_text

TABLE = "comparison.csv"
LONGEST = 120  # characters of a folder's name
CHAPTERS = {
    "The answer": words.answer,
    "What was changed": words.changes,
    "Every detector against every source": words.matrices,
    "Whatever the threshold": words.areas,
    "How good are the fakes?": words.quality,
    "What was run": words.provenance,
    "Words used here": words.glossary,
}


@dataclass(frozen=True)
class ComparisonPaths:
    """Where a comparison was written, and its numbers as ``--json`` prints them."""

    html: Path
    markdown: Path
    csv: Path
    numbers: Mapping[str, Any]


def build_comparison(folders: Sequence[Path], out: Path | None = None) -> ComparisonPaths:
    """Compare run folders, the first being the baseline, and write what was found.

    ``out`` is `comparison_folder` by default. Nothing is written into the runs, and equal inputs
    give equal bytes. Raises what `read_runs` raises.
    """
    runs = read_runs(folders)
    results = side_by_side({run.label: run.metrics for run in runs})
    comparison = words.Comparison(runs, results, obstacles(runs))
    table = comparison_table(results).to_csv(index=False, lineterminator="\n")
    document = compose(comparison, table)
    folder = comparison_folder(folders) if out is None else out
    html, markdown, csv = (folder / f"comparison.{suffix}" for suffix in ("html", "md", "csv"))
    write_text(html, to_html(document))
    write_text(markdown, to_markdown(document))
    write_text(csv, table)
    return ComparisonPaths(html, markdown, csv, as_json(comparison))


def compose(comparison: words.Comparison, table: str) -> Document:
    """Write every chapter; ``table`` is the CSV that the page carries along."""
    sections = [Section(title, chapter(comparison)) for title, chapter in CHAPTERS.items()]
    download = Download(TABLE, table.encode(), "text/csv", "every number of this page in one table")
    sections.insert(-1, Section("Download", [download]))
    return Document(
        "What was changed, and which figures moved?",
        [section for section in sections if section.blocks],
        f"gandetect compare: {listing(comparison.labels)}",
        [Text(words.say.opening(comparison.labels))],
    )


def as_json(comparison: words.Comparison) -> dict[str, Any]:
    """What ``--json`` prints."""
    runs, labels = comparison.runs, comparison.labels
    return {
        "schema": 1,
        "runs": [
            {"run": run.label, "name": run.facts.name, "folder": run.folder,
             "digest": run.facts.digest, "seeds": list(run.facts.seeds)}
            for run in runs
        ],
        "warnings": list(comparison.warnings),
        "changed": [{"key": key, "values": dict(zip(labels, values, strict=True))}
                    for find in (settings_that_differ, surroundings_that_differ)
                    for key, values in find(runs)],
        **comparison.results,
    }  # fmt: skip


def comparison_folder(folders: Sequence[Path]) -> Path:
    """Where a comparison lies by default: here, named after the runs' folders."""
    names = "-vs-".join(slug(folder.resolve().name) for folder in folders)
    if len(names) > LONGEST:
        names = f"{names[: LONGEST - 9]}-{hashlib.sha256(names.encode()).hexdigest()[:8]}"
    return Path(f"comparison-{names}")
