"""What the threshold explorer in the page works on: binned scores, and every name in words.

The page chooses an edge and counts; the rules by which it does so are those of `statistics`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from gandetect.report.document import Explorer
from gandetect.report.prose import Prose
from gandetect.report.results import StudyResults
from gandetect.report.words import GROUPS, POINTS, images
from gandetect.statistics.binned import Binned, binned
from gandetect.statistics.cost_model import UPLOADS
from gandetect.statistics.intervals import Z
from gandetect.statistics.rows import chosen
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    fitted_on,
    split_by_detector,
    unfit,
)
from gandetect.statistics.scores import (
    CALIBRATION,
    GENERATED_CALIBRATION,
    GENERATED_VALIDATION,
    IN_DISTRIBUTION,
    TRAINING,
    VALIDATION,
    latest,
)

Row: TypeAlias = dict[str, Any]
say = Prose(__file__)

# The cut that costs least in the study's market, as the chapter on costs has it.
CHEAPEST = "cheapest"
MARKS = POINTS | {CHEAPEST: "cheapest at the report's costs"}
CHOOSING = {
    CALIBRATION: "calibration reals",
    VALIDATION: "validation reals",
    GENERATED_CALIBRATION: "calibration fakes of its own generators",
    GENERATED_VALIDATION: "validation fakes",
}


def explorer(results: StudyResults) -> Explorer | None:
    """The explorer of a run.

    None where no detector was scored on both fakes and reals, so that there is nothing to trade.
    """
    metrics, inputs, rule = results.metrics, results.inputs, results.facts.rule
    facts = {row["detector"]: row for row in metrics["detectors"]}
    subjects = split_by_detector(latest(inputs.scores), facts, rule, inputs.classes, inputs.groups)
    judged = [one for one in subjects if {"real", "generated"} <= _labels(one)]
    if not judged:
        return None
    data = {
        "z": Z,
        "uploads": UPLOADS,
        "allowed": rule.fpr,
        "market": metrics["cost_model"],
        "marks": MARKS,
        "detectors": [
            {
                "name": name,
                "called": results.called(name),
                "roles": {role: images(role, results.labelled) for role in GROUPS},
                "runs": [_run(results, one) for one in judged if one.detector == name],
            }
            for name in results.present(one.name for one in judged)
        ],
    }
    return Explorer(data, say.instead(), "thresholds")


def _labels(subject: ScoredDetector) -> set[str]:
    return {source.partition(":")[0] for source in subject.reported() if source != TRAINING}


def _run(results: StudyResults, subject: ScoredDetector) -> Row:
    """One trained detector: edges, counts by source, marked edges, and what cuts are chosen on."""
    # One cut for all rows of a detector: it is chosen before any test group is looked at.
    marks = dict(subject.thresholds)
    for row in chosen(results.metrics["costs"], **subject.name)[:1]:
        marks[CHEAPEST] = row["threshold"]
    bins = binned(subject, marks.values())
    fitted = None if unfit(subject) else fitted_on(subject)
    alarms = calibration_source(subject.sources)
    return {
        "seed": subject.seed,
        "edges": bins.edges.tolist(),
        "axis": list(bins.axis),
        "marks": [{"name": name, "edge": bins.position(cut)} for name, cut in marks.items()],
        "sources": [_source(results, subject, bins, name) for name in subject.reported()],
        "alarms": alarms and _choosing(bins, alarms),
        "cross_fitted": subject.calibration is not None and subject.calibration.cross_fitted,
        "costs": fitted and [_choosing(bins, name) for name in fitted],
        "without_costs": unfit(subject),
    }


def _source(results: StudyResults, subject: ScoredDetector, bins: Binned, source: str) -> Row:
    rows = chosen(results.metrics["pairs"], **subject.name, real=IN_DISTRIBUTION)
    areas = {row["generated"]: row["auroc"] for row in rows}
    return {
        "source": source,
        "name": results.named(source, subject.detector),
        "role": subject.role(source),
        "generated": source.startswith("generated:"),
        "auroc": areas.get(source),
        "counts": bins.counts[source].tolist(),
    }


def _choosing(bins: Binned, source: str) -> Row:
    """Images that a threshold is chosen on; no test group is among them."""
    return {"name": CHOOSING[source], "counts": bins.counts[source].tolist()}
