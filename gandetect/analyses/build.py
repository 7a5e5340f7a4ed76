"""From a run folder to `metrics.json`, `metrics.csv`, figures, report and detectors' cards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gandetect.analyses.analysis import OPENING, PARTS, Analysis, Chapter
from gandetect.analyses.evaluate import evaluate, tidy
from gandetect.analyses.model_card.card import write_cards
from gandetect.analyses.registry import analyses
from gandetect.analyses.study import ScoredStudy
from gandetect.errors import RunError
from gandetect.report.document import Block, Document, Fold, Heading, Section, Text, slug
from gandetect.report.inputs import Inputs, read_inputs
from gandetect.report.render import to_html, to_markdown
from gandetect.report.results import StudyResults
from gandetect.runs import atomic_file, atomic_folder, file_digest, write_json, write_text
from gandetect.statistics.cost_model import EXAMPLE_COSTS, CostModel
from gandetect.statistics.scores import Metrics
from gandetect.workers import map_forked

# Where this is set, as in the tests, a chapter that fails fails the whole report.
STRICT = "GANDETECT_STRICT_REPORT"


@dataclass(frozen=True)
class ReportPaths:
    """Where everything that a report consists of was written."""

    metrics_json: Path
    metrics_csv: Path
    figures: tuple[Path, ...]
    markdown: Path
    html: Path


def build_report(
    run: Path, cost_model: CostModel = EXAMPLE_COSTS, asked: Sequence[Analysis] | None = None
) -> ReportPaths:
    """Compute a run's metrics and write them, the figures and the report into its folder.

    ``asked`` are the analyses, all of the registry by default.

    Everything comes from `study.json`, `scores.parquet` and whatever else lies in the folder; each
    file is written completely or not at all, and equal inputs give equal bytes.

    Raises `RunError` when the folder is no run or has no readable scores, `DataError` when the
    scores cannot be evaluated.
    """
    inputs = read_inputs(run)
    check_scores(inputs)
    asked = analyses() if asked is None else asked
    metrics = compute_metrics(inputs, cost_model, asked)
    table = tidy(metrics, asked).to_csv(index=False, lineterminator="\n").encode()
    results = StudyResults(inputs, metrics, table)
    document = compose(results, asked)
    pictures_made = [p for p in document.pictures() if p.path.startswith("figures/")]
    write_json(run / "metrics.json", metrics)
    with atomic_file(run / "metrics.csv") as temporary:
        temporary.write_bytes(results.metrics_csv)
    # As a whole, so that no figure of an earlier report stays behind.
    with atomic_folder(run / "figures") as folder:
        for picture in pictures_made:
            (folder / Path(picture.path).name).write_bytes(picture.content)
    write_text(run / "report.md", to_markdown(document))
    write_text(run / "report.html", to_html(document))
    write_cards(results)
    return ReportPaths(
        run / "metrics.json",
        run / "metrics.csv",
        tuple(run / picture.path for picture in pictures_made),
        run / "report.md",
        run / "report.html",
    )


def check_scores(inputs: Inputs) -> None:
    """Raise `RunError` when the scores are not those that the run wrote."""
    digests = inputs.manifest.get("digests")
    expected = digests.get("scores.parquet") if isinstance(digests, dict) else None
    path = inputs.run / "scores.parquet"
    if expected is not None and file_digest(path) != expected:
        raise RunError(
            f"{str(path)!r} was changed after it was written (its SHA-256 is not the one in "
            "manifest.json); run the study again to restore it"
        )


def scored_study(inputs: Inputs, cost_model: CostModel = EXAMPLE_COSTS) -> ScoredStudy:
    """What analyses compute from, out of what a run folder holds."""
    facts = inputs.facts
    return ScoredStudy(
        inputs.scores,
        facts.rule,
        known=facts.detectors,
        same_fakes=facts.same_fakes,
        cost_model=cost_model,
        quality=inputs.quality,
        classes=inputs.classes,
        groups=inputs.groups,
        trajectory=inputs.trajectory,
        perturbed=inputs.perturbed,
        audit=inputs.audit.get("rows", []),
        audit_checks=inputs.audit.get("checks", []),
        overlap=inputs.overlap,
        image_statistics=inputs.image_statistics,
        saliency=inputs.saliency,
    )


def compute_metrics(
    inputs: Inputs,
    cost_model: CostModel = EXAMPLE_COSTS,
    asked: Sequence[Analysis] | None = None,
) -> Metrics:
    """Everything in `metrics.json`, from the scores and what lies beside them."""
    return evaluate(scored_study(inputs, cost_model), analyses() if asked is None else asked)


def compose(results: StudyResults, asked: Sequence[Analysis]) -> Document:
    """Write every chapter, part by part; one that fails is named, and costs no other."""
    chapters = [
        (one, chapter)
        for one in asked
        if not (one.beyond_scores and results.facts.is_table)
        for chapter in one.chapters
    ]
    # Most of the time goes into figures, of which one process draws one at a time.
    written = map_forked(lambda pair: _chapter(*pair, results), chapters)
    parts: dict[str, list[Block]] = {}
    for part in (OPENING, *PARTS):
        of_part = [
            (chapter, blocks)
            for (_, chapter), blocks in zip(chapters, written, strict=True)
            if chapter.part == part
        ]
        # What is open, then the closed chapters.
        of_part.sort(key=lambda pair: bool(pair[0].title))
        parts[part] = [block for _, blocks in of_part for block in blocks]
    return Document(
        results.question,
        [Section(part, blocks) for part, blocks in parts.items() if part and blocks],
        f"gandetect report: {results.facts.name}",
        parts[OPENING],
    )


def _chapter(one: Analysis, chapter: Chapter, results: StudyResults) -> list[Block]:
    """The blocks of an open chapter, or a closed one, if it holds anything."""
    blocks = [block for piece in chapter.pieces for block in _attempt(piece, results)]
    if not chapter.title:
        return blocks
    if not blocks or (results.facts.is_table and all(map(_is_gap, blocks))):
        return []
    lower = [replace(b, level=4) if isinstance(b, Heading) else b for b in blocks]
    (line,) = _attempt(partial(_finding, chapter), results, chapter.title)
    anchor = chapter.anchor or slug(one.name)
    return [Fold(chapter.title, lower, getattr(line, "text", ""), anchor)]


def _is_gap(block: Block) -> bool:
    """Whether it only says that something is missing; a table of scores lists that at one place."""
    return isinstance(block, Text) and block.style == "missing"


def _finding(chapter: Chapter, results: StudyResults) -> list[Block]:
    return [Text(chapter.finding(results))]


def _attempt(
    piece: Callable[[StudyResults], Iterable[Block]], results: StudyResults, name: str = ""
) -> Iterable[Block]:
    try:
        return list(piece(results))
    except Exception as error:  # optional files may hold anything; the rest must still be made
        if os.environ.get(STRICT):
            raise
        name = name or piece.__name__.replace("_", " ")
        return [Text(f"Not shown: the part “{name}” could not be made from this run "
                     f"({type(error).__name__}: {error}).", "missing")]  # fmt: skip
