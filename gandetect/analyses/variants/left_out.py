"""What detectors make of a generator that they were trained without, beside those that they know.

A generator is left out where the detector of the same name in the variant that one is compared with
was trained on it. All detectors of one name make up a protocol, with one mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gandetect.analyses.variants.measured import Measured, Rows
from gandetect.statistics.bootstrap import Statistic, over_runs
from gandetect.statistics.intervals import Interval
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.rows import chosen
from gandetect.statistics.scores import TEST_REALS
from gandetect.statistics.weighted_sums import Measure, Terms, WeightedSums

Key: TypeAlias = tuple[str, str]  # variant and detector


@dataclass(frozen=True)
class _Learner:
    """A detector, the one that it is compared with, and the sources that it was trained without."""

    measured: Measured
    other: Measured
    left_out: tuple[str, ...]

    @property
    def key(self) -> Key:
        return self.measured.variant, self.measured.detector

    @property
    def other_key(self) -> Key:
        return self.other.variant, self.other.detector

    @property
    def own(self) -> list[str]:
        return [f"generated:{name}" for name in self.measured.known]

    @property
    def seeds(self) -> set[int]:
        """Seeds of the runs in which it met all of these sources."""
        return set(self.measured.runs.with_source(*self.left_out, *self.own))

    @property
    def same_images(self) -> bool:
        """Whether the other detector answered the same images of what is left out."""
        return all(
            self.measured.images(source) == self.other.images(source) for source in self.left_out
        ) and self.seeds <= set(self.other.runs.with_source(*self.left_out))


def left_out_rows(pairs: Sequence[tuple[Measured, Measured]]) -> Rows:
    """Each protocol's rows: one for every detector that lacks a generator, and for their mean.

    ``pairs`` are detectors with those of the same name that they are compared with. ``unknown`` is
    about the generators left out, ``known`` the mean over those that the detector was trained on,
    and ``difference`` unknown minus known: the runs' ``values``, their ``mean`` and its ``ci95``
    (`over_runs`). ``trained_on`` is what the other detector makes of the generators left out, and
    ``change`` unknown minus that; both are None where it has not answered the same images.

    The mean's interval is for these very generators, which are too few to say more of others. A
    single source keeps the interval that it has in `metrics.json`. Detectors that never met the
    generator, or know none, give no row.
    """
    protocols: dict[str, list[_Learner]] = defaultdict(list)
    for one, other in pairs:
        names = (name for name in other.known if name not in one.known)
        learner = _Learner(one, other, tuple(f"generated:{name}" for name in names))
        if learner.left_out and one.known and learner.seeds:
            protocols[one.detector].append(learner)
    learners = [one for found in protocols.values() for one in found]
    sums = WeightedSums({one.key: one.measured.runs for one in learners}
                        | {one.other_key: one.other.runs for one in learners})  # fmt: skip
    return [
        {"protocol": protocol, **row}
        for protocol, found in protocols.items()
        for chosen in (*([one] for one in found), *([found] if found[1:] else []))
        for row in _rows(chosen, sums)
    ]


def _rows(learners: Sequence[_Learner], sums: WeightedSums[Key]) -> Iterator[dict[str, Any]]:
    """A row for each measure, of one detector or of the mean over several."""
    seeds = sorted(set.intersection(*(one.seeds for one in learners)))
    alone = learners[0] if len(learners) == 1 else None
    terms = _terms(learners)
    for measure in _measures(learners, seeds):
        found: dict[str, Any] = {"trained_on": None, "change": None}
        for group, parts in terms.items():
            statistic = sums.statistic(parts, seeds, measure)
            (_, key, source), *more = parts
            stored = None if more else _stored(learners, key, source, measure, seeds)
            is_share = group not in ("difference", "change")
            found[group] = _summary(statistic, stored, share=is_share)
        yield {
            "variant": alone.measured.variant if alone else None,
            "left_out": list(alone.left_out) if alone else None,
            **vars(measure),
            "seeds": seeds,
            **found,
            "covers": "runs and images" if len(seeds) > 1 else "images",
        }


def _terms(learners: Sequence[_Learner]) -> dict[str, Terms[Key]]:
    """What each group is the sum of: every detector counts the same, and so do those it knows."""
    share = 1 / len(learners)
    unknown = [(share / len(one.left_out), one.key, source)
               for one in learners for source in one.left_out]  # fmt: skip
    known = [(share / len(one.own), one.key, source) for one in learners for source in one.own]
    terms: dict[str, Terms[Key]]
    terms = {"unknown": unknown, "known": known, "difference": [*unknown, *_minus(known)]}
    if all(one.same_images for one in learners):
        trained_on = [(share / len(one.left_out), one.other_key, source)
                      for one in learners for source in one.left_out]  # fmt: skip
        terms |= {"trained_on": trained_on, "change": [*unknown, *_minus(trained_on)]}
    return terms


def _minus(terms: Terms[Key]) -> Terms[Key]:
    return [(-weight, key, source) for weight, key, source in terms]


def _measures(learners: Sequence[_Learner], seeds: Sequence[int]) -> list[Measure]:
    """What is known of all of these detectors in all of these runs."""
    if not seeds:
        return []
    runs = [one.measured.runs for one in learners]
    both = [(one.thresholds[seed], one.images[seed]) for one in runs for seed in seeds]
    points = [point for point in OPERATING_POINTS if all(point in cuts for cuts, _ in both)]
    reals = [real for real in TEST_REALS if all(real in images for _, images in both)]
    return [
        *(Measure("caught", point) for point in points),
        *(Measure("auroc", real=real) for real in reals),
    ]


def _stored(
    learners: Sequence[_Learner], key: Key, source: str, measure: Measure, seeds: Sequence[int]
) -> Interval | None:
    """The interval of a single source over these runs, as `metrics.json` has it."""
    both = {one.other_key: one.other for one in learners}
    one = (both | {one.key: one.measured for one in learners})[key]
    if measure.real is None:
        rows = chosen(one.cells, source=source, operating_point=measure.operating_point)
        return next((row["ci95"] for row in chosen(rows, seeds=seeds)), None)
    rows = chosen(one.pairs, generated=source, real=measure.real, seeds=seeds)
    return next((row["ci95"]["auroc"] for row in rows), None)


def _summary(statistic: Statistic, stored: Interval | None, *, share: bool) -> dict[str, Any]:
    values, covariance = statistic.values, statistic.image_covariance
    interval = stored or over_runs(values, covariance, share=share)
    return {"values": values.tolist(), "mean": statistic.mean, "ci95": interval}
