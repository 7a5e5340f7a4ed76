"""What a detector saves or costs a marketplace: missed fakes against real images flagged.

The threshold is chosen on calibration images and evaluated on test images, beside the two policies
that need no detector: let everything through, or flag everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.cost_model import CostModel, cheapest_cut, expected
from gandetect.statistics.detector_runs import alone
from gandetect.statistics.rows import Row, Rows
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    called,
    fitted_on,
    judged_pairs,
    unfit,
)
from gandetect.statistics.scores import FAKE_ROLES, Metrics


def numbers(study: ScoredStudy) -> Metrics:
    """``costs`` of every run, and the ``cost_model`` that they are of."""
    rows, gaps = costs(study.subjects, study.cost_model)
    model = study.cost_model.as_dict()
    return {"cost_model": model, "costs": rows, "not_measured": {"costs": gaps}}


def rows(metrics: Metrics) -> Iterator[Row]:
    """The cost, and the share of fakes among what is stopped."""
    for row in metrics["costs"]:
        for name in ("cost", "precision"):
            yield tidy_row("cost", row, name, row[name], row["ci95"].get(name))


def costs(subjects: Sequence[ScoredDetector], model: CostModel) -> tuple[Rows, list[str]]:
    """Expected cost of 1,000 uploads for each detector, generated source and group of reals.

    The threshold is the one that costs least on calibration images; no test group is looked at.
    Returns rows and a sentence for everything that could not be measured. Intervals are of 95 %
    and over calibration and test images.
    """
    rows: Rows = []
    gaps: list[str] = []
    for subject in subjects:
        names = fitted_on(subject)
        why = unfit(subject)
        if names is None or why:
            gaps.append(f"{called(subject)}: {why}, so no cut could be chosen by its cost")
            continue
        cut = cheapest_cut(subject.sources[names[0]], subject.sources[names[1]], model)
        cuts = alone(subject).best_cuts(subject.seed, names, model.weights)
        pairs, left_out = judged_pairs(subject, held_out_for=FAKE_ROLES)
        gaps += left_out
        rows += [
            {
                **subject.pair(generated, real),
                "fitted_on": list(names),
                **expected(subject.sources[generated], subject.sources[real], cut, model, cuts),
            }
            for generated, real in pairs
        ]
    return rows, gaps
