"""What each variant does: every detector on every group, beside the one that it is compared with.

Differences are paired by run, and by image where both variants answered the same images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gandetect.analyses.variants.classes import Choice, average_rows, class_rows
from gandetect.analyses.variants.left_out import left_out_rows
from gandetect.analyses.variants.measured import AGAINST, POINTS, Measured, Part, Row, Rows, measure
from gandetect.config import Experiment
from gandetect.config.variants import BASELINE, base_gans, base_of
from gandetect.statistics.bootstrap import Statistic, holm
from gandetect.statistics.contrasts import difference_auroc, difference_correct, tested
from gandetect.statistics.rows import chosen, grouped
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION, OTHER_SEED

FOUR = ("own", "other", "in-distribution", "held-out")
GROUPS = ("own", "own-other-seed", "other", "in-distribution", "held-out", "further")
GENERATOR = "generator"  # a single generator that a detector does not know
MEASURES = (*POINTS, *AGAINST)
WANTED = 0.95
CSV_COLUMNS = (
    "variant", "detector", "base", "group", "source", "measure", "seeds", "mean", "low", "high",
    "covers", "difference", "difference_low", "difference_high", "difference_covers", "p", "p_holm",
)  # fmt: skip


@dataclass(frozen=True)
class Generators:
    """Names of the baseline's GANs: those that are detectors, and those that only draw."""

    bases: Sequence[str]
    further: Sequence[str]

    @classmethod
    def of(cls, experiment: Experiment) -> Generators:
        """Those of an experiment."""
        sources = [gan.name for gan in experiment.gans if gan.role == "source"]
        return cls(base_gans(experiment), sources)


@dataclass(frozen=True)
class _Compared:
    """A detector, the GAN that it is made of, and its rows by group and measure."""

    measured: Measured
    base: str | None
    rows: Mapping[tuple[str, str], Row]


def compare_variants(experiment: Experiment, parts: Iterable[Part]) -> dict[str, Rows]:
    """Everything that `variants.json` holds of the numbers; the first part is the baseline.

    ``rows`` has a row for each variant, detector, group of images and measure: ``values`` of
    the runs, ``mean``, ``ci95`` and what that ``covers``. A detector that knows several GANs
    counts by the one of its own that it answers worst; so do the other GANs of role "both"
    ("other") and the generators that are sources only ("further") by the worst of those that it
    does not know. A variant's "other" leaves out the GAN that it is a variant of. Each further
    generator, and that GAN, also has a row of its own ("generator"). Of labelled images, every
    generator that a detector does not know is an other one.

    ``compared`` is None, or how far the row lies from the same figure of the detector of the same
    name in the variant that it is compared with, or else of the one made of the same GAN:
    ``difference``, ``ci95``, ``p``, and ``p_holm``, corrected for all differences by the same
    measure. ``least`` is what each detector reaches on all of `FOUR`, at a threshold that at most
    `STRICT` of the calibration reals exceed. ``classes`` and ``classes_on_average`` are
    `class_rows` and `average_rows`, ``left_out`` is `left_out_rows`; empty where no variant holds
    out other classes, or is trained without a generator.
    """
    generators = Generators.of(experiment)
    beside = {one.name: one.compared_with or BASELINE for one in experiment.variants}
    found: dict[str, list[_Compared]] = {}
    choices, rows, left_out = [], [], []
    for part in parts:
        choices.append(Choice.of(part.name, part.metrics))
        others = found.get(beside.get(part.name, ""), [])
        found[part.name] = []
        for one in measure(part):
            base = base_of(one.known, generators.bases)
            new = list(_rows(one, base, generators))
            other = _counterpart(one, base, others, generators)
            if other is not None:
                _compare(new, one, other)
                if other.measured.detector == one.detector:
                    left_out.append((one, other.measured))
            by_figure = {(row["group"], row["measure"]): row for row in new}
            found[part.name].append(_Compared(one, base, by_figure))
            rows += new
    _correct(rows)
    changing = [one for one in choices if one.held_out != choices[0].held_out]
    chosen = [choices[0], *changing] if changing else []
    classes = class_rows(chosen)
    return {
        "rows": rows,
        "least": least_of_four(rows),
        "classes": classes,
        "classes_on_average": average_rows(classes, [one.variant for one in chosen]),
        "left_out": left_out_rows(left_out),
    }


def least_of_four(rows: Sequence[Row]) -> Rows:
    """For each detector the group of `FOUR` that it answers worst, at the strict threshold.

    ``holds``: all four means are at least .95; ``holds_surely``: so are all lower bounds. Both are
    None for a detector that has no figure in one of the groups.
    """
    strict = [row for row in chosen(rows, measure="correct-strict") if row["group"] in FOUR]
    lowest = []
    for (variant, detector), of in grouped(strict, "variant", "detector").items():
        means = {row["group"]: row["mean"] for row in of}
        worst = min(of, key=lambda row: float(row["mean"]))
        whole = len(means) == len(FOUR)
        lowest.append(
            {
                "variant": variant,
                "detector": detector,
                **{key: worst[key] for key in ("base", "group", "source", "ci95", "covers")},
                "least": worst["mean"],
                "means": {name: means.get(name) for name in FOUR},
                "holds": min(means.values()) >= WANTED if whole else None,
                "holds_surely": min(row["ci95"][0] for row in of) >= WANTED if whole else None,
            }
        )
    return lowest


def variants_table(rows: Sequence[Row]) -> pd.DataFrame:
    """All ``rows`` of `compare_variants` as one long table, for `variants.csv`."""
    flat: Rows = []
    for row in rows:
        low, high = row["ci95"]
        one = {**row, "seeds": len(row["seeds"]), "low": low, "high": high}
        if row["compared"]:
            moved = row["compared"]
            one |= {key: moved[key] for key in ("difference", "p", "p_holm")}
            one["difference_low"], one["difference_high"] = moved["ci95"]
            one["difference_covers"] = moved["covers"]
        flat.append(one)
    return pd.DataFrame(flat, columns=list(CSV_COLUMNS))


def _rows(one: Measured, base: str | None, generators: Generators) -> Iterator[dict[str, Any]]:
    """Rows of one detector: the lowest of each group, and single generators."""
    facts = {"variant": one.variant, "detector": one.detector, "base": base}
    for measure_ in MEASURES:
        groups: dict[str, Rows] = {}
        for row in one.figures(measure_):
            for group in _groups_of(row["source"], one.known, base, generators):
                groups.setdefault(group, []).append(row)
        for group in (*GROUPS, GENERATOR):
            found = sorted(groups.get(group, []), key=lambda row: float(row["mean"]))
            for row in found if group == GENERATOR else found[:1]:
                yield {**facts, "group": group, "measure": measure_, **row, "compared": None}


def _groups_of(
    source: str, known: Sequence[str], base: str | None, generators: Generators
) -> list[str]:
    kind, _, name = source.partition(":")
    if kind == "real":
        return [name] if source in (IN_DISTRIBUTION, HELD_OUT) else []
    if name.endswith(OTHER_SEED):
        return ["own-other-seed"] if name.removesuffix(OTHER_SEED) in known else []
    if name in known:
        return ["own"]
    if name == base:
        return [GENERATOR]
    if name in generators.bases or not (generators.bases or generators.further):
        return ["other"]
    return ["further", GENERATOR] if name in generators.further else []


def _counterpart(
    one: Measured, base: str | None, others: Sequence[_Compared], generators: Generators
) -> _Compared | None:
    """The detector of the same name, or else the first that is made of the same GAN.

    Of the baseline's, but for that of the same name, only the discriminators stand for a GAN.
    """
    same_name = (other for other in others if other.measured.detector == one.detector)
    same_base = (
        other for other in others
        if other.base == base
        and (other.measured.variant != BASELINE or other.measured.detector in generators.bases)
    )  # fmt: skip
    return next(same_name, None) or next(same_base, None)


def _compare(rows: Rows, one: Measured, compared: _Compared) -> None:
    """Add to each row how far it lies from the other detector's."""
    other = compared.measured
    for row in rows:
        there = compared.rows.get((row["group"], row["measure"]))
        if row["group"] == GENERATOR or there is None:
            continue
        seeds = [seed for seed in row["seeds"] if seed in there["seeds"]]
        if seeds:
            moved = _difference(one, other, seeds, (row["source"], there["source"]), row["measure"])
            row["compared"] = {"variant": other.variant, "detector": other.detector,
                               "source": there["source"], "mean": there["mean"], "seeds": seeds,
                               **tested(moved)}  # fmt: skip


def _difference(
    one: Measured, other: Measured, seeds: Sequence[int], sources: tuple[str, str], measure: str
) -> Statistic:
    def same(first: str, second: str) -> bool:
        return first == second and one.images(first) == other.images(second)

    runs = one.runs, other.runs
    if measure in POINTS:
        return difference_correct(*runs, seeds, sources, POINTS[measure], paired=same(*sources))
    real = AGAINST[measure]
    paired = same(*sources), same(real, real)
    return difference_auroc(*runs, seeds, sources, real, paired=paired)


def _correct(rows: Rows) -> None:
    """Correct the p-values of all differences by the same measure together."""
    for family in grouped((row for row in rows if row["compared"]), "measure").values():
        corrected = holm([row["compared"]["p"] for row in family])
        for row, p in zip(family, corrected, strict=True):
            row["compared"]["p_holm"] = p
