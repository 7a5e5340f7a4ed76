"""What must be known before any figure is believed: leaks, shortcuts, and files left out."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from gandetect.analyses.audit.numbers import warnings_of
from gandetect.report.document import Block, Text
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.statistics.rows import grouped

SHOWN = 3
say = Prose(__file__)


def warnings(results: StudyResults) -> list[Block]:
    """What makes the figures worthless, before any of them."""
    data, overlap = results.inputs.data, results.inputs.overlap
    blocks: list[Block] = [*say.paragraphs("leak")] if data.get("leak") else []
    if overlap.get("policy") == "allow" and overlap.get("images"):
        blocks += say.paragraphs("overlapping", overlap)
    if contradictions := data.get("contradictions"):
        blocks += say.paragraphs("contradicting", len(contradictions))
    if probes := _strongest_probes(results):
        blocks += [replace(one, chapter="shortcuts") for one in say.paragraphs("audited", probes)]
    of_sets = warnings_of(results.metrics.get("audit_checks", []), [])
    blocks += [Text(one, "warning", chapter="shortcuts") for one in of_sets]
    for fact in data.get("shortcuts", []):
        blocks += say.paragraphs("shortcut", fact)
    return blocks


def notes(results: StudyResults) -> list[Block]:
    """What was not tried, not used, or could not be measured."""
    blocks: list[Block] = []
    if not results.facts.is_table:
        blocks += say.paragraphs("missing", results)
    if results.grouped:
        blocks += say.paragraphs("grouped", *results.grouped)
    blocks += [Text(f"{gap}.", "missing") for gap in results.inputs.gaps]
    overlap = results.inputs.overlap
    if overlap.get("policy") in ("exclude", "refuse") and overlap.get("images"):
        blocks += say.paragraphs("overlap_note", overlap)
    blocks += [Text(sentence, "missing") for sentence in results.inputs.audit.get("gaps", [])]
    if left_out := results.inputs.data.get("left_out", []):
        blocks += say.paragraphs("left_out", left_out, SHOWN)
    return blocks


def _strongest_probes(results: StudyResults) -> dict[str, tuple[str, float]]:
    """The strongest probe of each generated source, where any is a warning."""
    strongest = {}
    for (source,), rows in grouped(results.metrics.get("audit", []), "source").items():
        areas = [
            (probe, fmean(row["auroc"] for row in of))
            for (probe,), of in sorted(grouped(rows, "probe").items())
            if any(row["warning"] for row in of)
        ]
        if areas:
            strongest[results.named(source)] = max(areas, key=lambda one: one[1])
    return strongest
