"""What detectors make of a generator that they were trained without, beside those that they know.

A generator is left out where the detector of the same name in the variant that one is compared with
was trained on it. All detectors of one name make up a protocol, with one mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from gandetect.analyses.variants.measured import Measured
from gandetect.statistics.operating_points import OPERATING_POINTS
from gandetect.statistics.rows import Rows, chosen
from gandetect.statistics.scores import TEST_REALS
from gandetect.statistics.weighted_sums import Measure, Terms, WeightedSums

Key: TypeAlias = tuple[str, str]  # variant and detector


class _Learner(NamedTuple):
    """A detector, the one it is compared with, and the sources that it was trained without."""

    measured: Measured
    other: Measured
    left_out: list[str]
    own: list[str]

    @property
    def seeds(self) -> set[int]:
        """Seeds of the runs in which it met all of these sources."""
        return set(self.measured.runs.with_source(*self.left_out, *self.own))

    @property
    def same_images(self) -> bool:
        """Whether the other detector answered the same images of what is left out."""
        same = all(self.measured.same_images(source, self.other) for source in self.left_out)
        return same and self.seeds <= set(self.other.runs.with_source(*self.left_out))


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
    protocols: dict[str, list[_Learner]] = {}
    by_key: dict[Key, Measured] = {}
    for one, other in pairs:
        left_out = [f"generated:{name}" for name in other.known if name not in one.known]
        learner = _Learner(one, other, left_out, [f"generated:{name}" for name in one.known])
        if left_out and one.known and learner.seeds:
            protocols.setdefault(one.detector, []).append(learner)
            by_key |= {_key(other): other, _key(one): one}
    sums = WeightedSums({key: one.runs for key, one in by_key.items()})
    return [
        {"protocol": protocol, **row}
        for protocol, of in protocols.items()
        for learners in (*([one] for one in of), *([of] if of[1:] else []))
        for row in _rows(learners, by_key, sums)
    ]


def _key(one: Measured) -> Key:
    return one.variant, one.detector


def _rows(
    learners: Sequence[_Learner], by_key: dict[Key, Measured], sums: WeightedSums[Key]
) -> Iterator[dict[str, Any]]:
    """A row for each measure, of one detector or of the mean over several."""
    seeds = sorted(set.intersection(*(one.seeds for one in learners)))
    alone = learners[0] if len(learners) == 1 else None
    terms = _terms(learners)
    for measure in _measures(learners, seeds):
        figures: dict[str, Any] = {"trained_on": None, "change": None}
        for group, parts in terms.items():
            one = sums.statistic(parts, seeds, measure)
            interval = one.ci95(share=group not in ("difference", "change"))
            (_, key, source), *more = parts
            if not more:
                of_source = chosen(by_key[key].figures, source=source, seeds=seeds)
                point, real = measure.operating_point, measure.real
                for row in chosen(of_source, operating_point=point, real_source=real):
                    interval = row["ci95"]
            figures[group] = {"values": one.values.tolist(), "mean": one.mean, "ci95": interval}
        yield {
            "variant": alone.measured.variant if alone else None,
            "left_out": alone.left_out if alone else None,
            **vars(measure),
            "seeds": seeds,
            **figures,
            "covers": one.covers,
        }


def _terms(learners: Sequence[_Learner]) -> dict[str, Terms[Key]]:
    """What each group is the sum of: every detector counts the same, and so do those it knows."""

    def mean(of: str, sources: str, sign: int = 1) -> list[tuple[float, Key, str]]:
        weights = [sign / len(learners) / len(getattr(one, sources)) for one in learners]
        return [(weight, _key(getattr(one, of)), source)
                for weight, one in zip(weights, learners, strict=True)
                for source in getattr(one, sources)]  # fmt: skip

    unknown = mean("measured", "left_out")
    terms: dict[str, Terms[Key]] = {
        "unknown": unknown,
        "known": mean("measured", "own"),
        "difference": [*unknown, *mean("measured", "own", -1)],
    }
    if all(one.same_images for one in learners):
        terms["trained_on"] = mean("other", "left_out")
        terms["change"] = [*unknown, *mean("other", "left_out", -1)]
    return terms


def _measures(learners: Sequence[_Learner], seeds: Sequence[int]) -> list[Measure]:
    """What is known of all of these detectors in all of these runs."""
    runs = [(one.measured.runs, seed) for one in learners for seed in seeds]
    points = [point for point in OPERATING_POINTS
              if all(point in one.thresholds[seed] for one, seed in runs)]  # fmt: skip
    reals = [real for real in TEST_REALS if all(real in one.images[seed] for one, seed in runs)]
    if not seeds:
        return []
    return [*(Measure("caught", point) for point in points),
            *(Measure("auroc", real=real) for real in reals)]  # fmt: skip
