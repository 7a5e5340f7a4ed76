"""From run folders to `comparison.html`, `comparison.md` and `comparison.csv`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gandetect.analyses.compare import answer, settings, tables
from gandetect.analyses.compare.comparison import Comparison
from gandetect.analyses.compare.numbers import comparison_table, side_by_side
from gandetect.analyses.compare.reading import obstacles, read_runs
from gandetect.report.document import Block, Document, Download, Section, Text, slug
from gandetect.report.render import to_html, to_markdown
from gandetect.report.words import listing
from gandetect.runs import write_text

TABLE = "comparison.csv"
LONGEST = 120  # characters of a folder's name
CHAPTERS: tuple[tuple[str, Callable[[Comparison], list[Block]]], ...] = (
    ("The answer", answer.answer),
    ("What was changed", settings.changes),
    ("Every detector against every source", tables.matrices),
    ("Whatever the threshold", tables.areas),
    ("How good are the fakes?", tables.quality),
    ("What was run", settings.provenance),
    ("Words used here", answer.words),
)


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
    comparison = Comparison(runs, results, obstacles(runs))
    table = comparison_table(results).to_csv(index=False, lineterminator="\n")
    document = compose(comparison, table)
    target = comparison_folder(folders) if out is None else out
    paths = ComparisonPaths(
        target / "comparison.html", target / "comparison.md", target / TABLE, as_json(comparison)
    )
    write_text(paths.csv, table)
    write_text(paths.markdown, to_markdown(document))
    write_text(paths.html, to_html(document))
    return paths


def compose(comparison: Comparison, table: str) -> Document:
    """Write every chapter; ``table`` is the CSV that the page carries along."""
    sections = [Section(title, chapter(comparison)) for title, chapter in CHAPTERS]
    download = Download(TABLE, table.encode(), "text/csv", "every number of this page in one table")
    sections.insert(-1, Section("Download", [download]))
    labels = [run.label for run in comparison.runs]
    return Document(
        "What was changed, and which figures moved?",
        [section for section in sections if section.blocks],
        f"gandetect compare: {listing(labels)}",
        [Text(answer.say.opening(labels))],
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What ``--json`` prints."""
    listed = [
        {"run": run.label, "name": run.experiment.name, "folder": run.folder,
         "digest": run.experiment.digest(), "seeds": list(run.experiment.seeds)}
        for run in comparison.runs
    ]  # fmt: skip
    changed = [
        *settings.settings_that_differ(comparison.runs),
        *settings.surroundings_that_differ(comparison.runs),
    ]
    labels = [run.label for run in comparison.runs]
    return {
        "schema": 1,
        "runs": listed,
        "warnings": list(comparison.warnings),
        "changed": [{"key": key, "values": dict(zip(labels, values, strict=True))}
                    for key, values in changed],
        **comparison.results,
    }  # fmt: skip


def comparison_folder(folders: Sequence[Path]) -> Path:
    """Where a comparison lies by default: here, named after the runs' folders."""
    names = "-vs-".join(slug(folder.resolve().name) for folder in folders)
    if len(names) > LONGEST:
        names = f"{names[: LONGEST - 9]}-{hashlib.sha256(names.encode()).hexdigest()[:8]}"
    return Path(f"comparison-{names}")
