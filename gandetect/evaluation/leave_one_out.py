"""Leave one generator out: what detectors make of a generator that was kept from them.

A protocol is all detectors of one base name, each trained without one generator. What is caught
of that one stands beside what is caught of those that the same detector knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gandetect.config.leave_one_out import JOINT
from gandetect.statistics.bootstrap import Statistic, over_runs
from gandetect.statistics.detector_runs import DetectorRuns
from gandetect.statistics.intervals import Interval
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.scored_detectors import DetectorFacts
from gandetect.statistics.scores import TEST_REALS
from gandetect.statistics.weighted_sums import Measure, Terms, WeightedSums

Facts = Mapping[str, DetectorFacts]
Rows = Sequence[Mapping[str, Any]]
Intervals = Mapping[tuple[str, str, Measure, tuple[int, ...]], Interval]
GROUPS = ("unknown", "known", "difference")


def leave_one_out(
    facts: Facts, runs: Mapping[str, DetectorRuns], cells: Rows, pairs: Rows
) -> list[dict[str, Any]]:
    """Each protocol's rows: one for every generator left out, and one for their mean.

    ``unknown`` is about the generator left out, ``known`` the mean over those that its detector
    was trained on, and ``difference`` unknown minus known: the runs' ``values``, their ``mean``
    and its ``ci95`` (`over_runs`). The mean's interval is for these very generators, which are too
    few to say more of others. ``cells`` and ``pairs`` are those over all runs; a single source
    keeps the interval that it has there. Detectors that never met their generator give no row.
    """
    protocols: dict[str, list[str]] = defaultdict(list)
    for name, fact in facts.items():
        if fact.get("left_out") and name in runs and _seeds([name], facts, runs):
            suffix = f"{JOINT}{str(fact['left_out']).partition(':')[2]}"
            protocols[name.removesuffix(suffix)].append(name)
    sums, stored = WeightedSums(runs), _stored(cells, pairs)
    return [
        {"protocol": protocol, **row}
        for protocol, detectors in protocols.items()
        for chosen in (*([name] for name in detectors), *([detectors] if detectors[1:] else []))
        for row in _rows(chosen, facts, runs, sums, stored)
    ]


def _rows(
    detectors: Sequence[str],
    facts: Facts,
    runs: Mapping[str, DetectorRuns],
    sums: WeightedSums,
    stored: Intervals,
) -> Iterator[dict[str, Any]]:
    """A row for each measure, of one detector or of the mean over several."""
    seeds = _seeds(detectors, facts, runs)
    alone = detectors[0] if len(detectors) == 1 else None
    terms = _terms(detectors, facts)
    for measure in _measures([runs[name] for name in detectors], seeds):
        found = {}
        for group in GROUPS:
            statistic = sums.statistic(terms[group], seeds, measure)
            (_, name, source), *more = terms[group]
            kept = None if more else stored.get((name, source, measure, tuple(seeds)))
            found[group] = _summary(statistic, kept, share=group != "difference")
        yield {
            "detector": alone,
            "left_out": facts[alone]["left_out"] if alone else None,
            **vars(measure),
            "seeds": seeds,
            **found,
            "covers": "runs and images" if len(seeds) > 1 else "images",
        }


def _terms(detectors: Sequence[str], facts: Facts) -> dict[str, Terms]:
    """What each group is the sum of: every detector counts the same, and so do those it knows."""
    share = 1 / len(detectors)
    unknown = [(share, name, str(facts[name]["left_out"])) for name in detectors]
    known = [
        (share / len(facts[name]["own"]), name, str(source))
        for name in detectors
        for source in facts[name]["own"]
    ]
    minus_known = [(-weight, name, source) for weight, name, source in known]
    return {"unknown": unknown, "known": known, "difference": [*unknown, *minus_known]}


def _seeds(detectors: Sequence[str], facts: Facts, runs: Mapping[str, DetectorRuns]) -> list[int]:
    """Seeds of the runs in which every detector met the generator left out and those it knows."""
    met = [
        set(runs[name].with_source(facts[name]["left_out"], *facts[name]["own"]))
        for name in detectors
    ]
    return sorted(set.intersection(*met))


def _measures(detectors: Sequence[DetectorRuns], seeds: Sequence[int]) -> list[Measure]:
    """What is known of all of these detectors in all of these runs."""
    if not seeds:
        return []
    both = [(one.thresholds[seed], one.images[seed]) for one in detectors for seed in seeds]
    points = [point for point in OPERATING_POINTS if all(point in cuts for cuts, _ in both)]
    reals = [real for real in TEST_REALS if all(real in images for _, images in both)]
    return [
        *(Measure("caught", point) for point in points),
        *(Measure("auroc", real=real) for real in reals),
    ]


def _stored(cells: Rows, pairs: Rows) -> Intervals:
    """The intervals of single sources."""
    caught = {
        (row["detector"], row["source"], Measure("caught", row["operating_point"]),
         tuple(row["seeds"])): row["ci95"]
        for row in cells
    }  # fmt: skip
    areas = {
        (row["detector"], row["generated"], Measure("auroc", real=row["real"]),
         tuple(row["seeds"])): row["ci95"]["auroc"]
        for row in pairs
    }  # fmt: skip
    return caught | areas


def _summary(statistic: Statistic, stored: Interval | None, *, share: bool) -> dict[str, Any]:
    values, covariance = statistic.values, statistic.image_covariance
    interval = stored or over_runs(values, covariance, share=share)
    return {"values": values.tolist(), "mean": statistic.mean, "ci95": interval}
