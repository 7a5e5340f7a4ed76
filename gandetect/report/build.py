"""From a run folder to `metrics.json`, `metrics.csv`, figures, `report.md` and `report.html`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gandetect.config import LabelledDataConfig
from gandetect.errors import RunError
from gandetect.evaluation import (
    Market,
    Metrics,
    detectors_of,
    evaluate,
    evaluate_further,
)
from gandetect.report.document import Block, Document, Section, Text
from gandetect.report.inputs import Inputs, read_inputs
from gandetect.report.material import Chapter, Material
from gandetect.report.render import to_html, to_markdown
from gandetect.report.sections import (
    alarms,
    answer,
    audit,
    behaviour,
    by_class,
    calibration,
    classifiers,
    comparisons,
    costs,
    files,
    in_short,
    looking,
    matrix,
    neighbours,
    pictures,
    provenance,
    robustness,
    study,
    trajectories,
)
from gandetect.runs import atomic_file, atomic_folder, file_digest, write_json, write_text

# Parts of the report, the chapters of each, and the pieces that a chapter is made of.
PARTS: tuple[tuple[str, tuple[tuple[str, tuple[Chapter, ...]], ...]], ...] = (
    ("In short", (
        ("The answer", (alarms.alarms, in_short.in_short, alarms.notes)),
        ("Every detector against every source", (matrix.matrix,)),
    )),
    ("Try it", (
        ("Set the threshold yourself", (behaviour.thresholds,)),
        ("What it costs, what it saves", (costs.costs,)),
    )),
    ("Look at the images", (
        ("Samples of the generators", (pictures.samples,)),
        ("The most confident mistakes", (looking.mistakes,)),
        ("Surest right answers, and the hardest images", (looking.hardest,)),
        ("Is the generator copying?", (neighbours.neighbours,)),
        ("The data at a glance", (pictures.data, files.files)),
        ("What the classifiers see", (classifiers.batches,)),
    )),
    ("How much is chance", (
        ("From run to run", (comparisons.runs,)),
        ("Which detector is better?", (comparisons.comparisons,)),
        ("From epoch to epoch", (trajectories.trajectories,)),
    )),
    ("What is behind it", (
        ("Shortcuts: what trivial probes can tell", (audit.audit,)),
        ("Which honest pictures look fake?", (by_class.by_class,)),
        ("Whatever the threshold", (behaviour.pairs,)),
        ("Do scores mean what they say?", (calibration.calibration,)),
        ("How many labelled images does a new source need?", (calibration.k_shot,)),
        ("Processed images", (robustness.robustness,)),
        ("Training images and unseen images", (behaviour.gap,)),
    )),
    ("The training", (
        ("How good are the fakes?", (matrix.quality,)),
        ("Training curves", (pictures.training,)),
        ("Training of the classifiers", (classifiers.training,)),
        ("The classifiers, split by split", (classifiers.splits, classifiers.confusions)),
        ("Cross-validation", (classifiers.cross_validation,)),
    )),
    ("Beside published figures", (
        ("The reference study's tables", (study.reference_tables,)),
        ("Published figures beside ours", (classifiers.published,)),
    )),
    ("Where it comes from", (
        ("What was run", (provenance.what_was_run,)),
        ("Take it with you", (provenance.downloads, provenance.rebuild, provenance.citation)),
        ("Words used here", (provenance.glossary,)),
        ("Sources", (provenance.sources,)),
    )),
)  # fmt: skip
CHAPTERS = tuple((part, *chapter) for part, chapters in PARTS for chapter in chapters)


@dataclass(frozen=True)
class ReportPaths:
    """Where everything that a report consists of was written."""

    metrics_json: Path
    metrics_csv: Path
    figures: tuple[Path, ...]
    markdown: Path
    html: Path


def build_report(run: Path, market: Market | None = None) -> ReportPaths:
    """Compute a run's metrics and write them, the figures and the report into its folder.

    ``market`` is what the cost view reckons with; an example by default.

    Everything comes from `study.json`, `scores.parquet` and whatever else lies in the folder; each
    file is written completely or not at all, and equal inputs give equal bytes.

    Raises `RunError` when the folder is no run or has no readable scores, `DataError` when the
    scores cannot be evaluated.
    """
    inputs = read_inputs(run)
    check_scores(inputs)
    metrics = compute_metrics(inputs, market)
    material = Material(inputs, metrics)
    document = compose(material)
    pictures_made = [p for p in document.pictures() if p.path.startswith("figures/")]
    write_json(run / "metrics.json", metrics)
    with atomic_file(run / "metrics.csv") as temporary:
        temporary.write_bytes(material.metrics_csv)
    # As a whole, so that no figure of an earlier report stays behind.
    with atomic_folder(run / "figures") as folder:
        for picture in pictures_made:
            (folder / Path(picture.path).name).write_bytes(picture.content)
    write_text(run / "report.md", to_markdown(document))
    write_text(run / "report.html", to_html(document))
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


def compute_metrics(inputs: Inputs, market: Market | None = None) -> Metrics:
    """Everything in `metrics.json`, from the scores and what lies beside them."""
    experiment = inputs.experiment
    detectors = detectors_of(experiment)
    fpr = experiment.evaluation.calibrated_fpr
    same_fakes = isinstance(experiment.data, LabelledDataConfig)
    metrics = evaluate(
        inputs.scores,
        calibrated_fpr=fpr,
        detectors=detectors,
        quality=inputs.quality,
        same_fakes=same_fakes,
    )
    metrics |= evaluate_further(
        inputs.scores,
        calibrated_fpr=fpr,
        detectors=detectors,
        same_fakes=same_fakes,
        market=market,
        classes=inputs.classes,
        trajectory=inputs.trajectory,
        perturbed=inputs.perturbed,
    )
    return metrics | {"audit": inputs.audit.get("rows", []), "overlap": inputs.overlap}


def compose(material: Material) -> Document:
    """Write every chapter; one that fails is named in its place and costs no other."""
    sections = [
        Section(title, [block for piece in pieces for block in _attempt(piece, material)], part)
        for part, title, pieces in CHAPTERS
    ]
    return Document(
        answer.question(material),
        [section for section in sections if section.blocks],
        f"gandetect report: {material.inputs.experiment.name}",
        list(_attempt(in_short.opening, material)),
    )


def _attempt(chapter: Chapter, material: Material) -> Iterable[Block]:
    try:
        return chapter(material)
    except Exception as error:  # optional files may hold anything; the rest must still be made
        name = chapter.__name__.replace("_", " ")
        return [Text(f"Not shown: the part “{name}” could not be made from this run "
                     f"({type(error).__name__}: {error}).", "missing")]  # fmt: skip
