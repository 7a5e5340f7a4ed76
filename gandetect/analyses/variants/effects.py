"""What each variant does: every detector on every group, beside the one that it is compared with.

Differences are paired by run, and by image where both variants answered the same images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from gandetect.analyses.side_by_side import correct_together, long_table
from gandetect.analyses.variants.classes import average_rows, class_rows
from gandetect.analyses.variants.left_out import left_out_rows
from gandetect.analyses.variants.measured import MEASURES, Measured, Part, measure
from gandetect.config import Experiment
from gandetect.config.variants import BASELINE, base_gans
from gandetect.statistics.bootstrap import Statistic
from gandetect.statistics.contrasts import difference_auroc, difference_correct, tested
from gandetect.statistics.rows import Row, Rows, chosen, grouped
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION, OTHER_SEED

FOUR = ("own", "other", "in-distribution", "held-out")
GROUPS = ("own", "own-other-seed", "other", "in-distribution", "held-out", "further")
GENERATOR = "generator"  # a single generator that a detector does not know
WANTED = 0.95
CSV_COLUMNS = (
    "variant", "detector", "base", "group", "source", "measure", "seeds", "mean", "low", "high",
    "covers", "difference", "difference_low", "difference_high", "difference_covers", "p", "p_holm",
)  # fmt: skip


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
    bases = base_gans(experiment)
    further = [gan.name for gan in experiment.gans if gan.role == "source"]
    beside = {one.name: one.compared_with or BASELINE for one in experiment.variants}
    measured: dict[str, list[Measured]] = {}
    rows: dict[tuple[str, str], Rows] = {}
    by_class: dict[str, Rows] = {}
    same_name = []
    for part in parts:
        by_class[part.name] = part.metrics.get("by_class", [])
        others = measured.get(beside.get(part.name, ""), [])
        measured[part.name] = measure(part, bases)
        for one in measured[part.name]:
            rows[part.name, one.detector] = new = list(_rows(one, bases, further))
            other = _counterpart(one, others, bases)
            if other is None:
                continue
            _compare(new, one, other, rows[other.variant, other.detector])
            if other.detector == one.detector:
                same_name.append((one, other))
    every = [row for of in rows.values() for row in of]
    for family in grouped((row for row in every if row["compared"]), "measure").values():
        correct_together([row["compared"] for row in family])
    classes = class_rows(_holding_out_others(by_class))
    return {
        "rows": every,
        "least": least_of_four(every),
        "classes": classes,
        "classes_on_average": average_rows(classes, list(by_class)),
        "left_out": left_out_rows(same_name),
    }


def _holding_out_others(by_class: dict[str, Rows]) -> dict[str, Rows]:
    """The baseline's rows and those of variants that hold out other classes; none without those."""
    held_out = {name: {row["class_name"] for row in rows if row["held_out"]}
                for name, rows in by_class.items()}  # fmt: skip
    first = next(iter(by_class), "")
    others = [name for name in by_class if held_out[name] != held_out[first]]
    return {name: by_class[name] for name in (first, *others)} if others else {}


def least_of_four(rows: Sequence[Row]) -> Rows:
    """For each detector the group of `FOUR` that it answers worst, at the strict threshold.

    ``holds``: all four means are at least .95; ``holds_surely``: so are all lower bounds. Both are
    None for a detector that has no figure in one of the groups.
    """
    strict = [row for row in chosen(rows, measure="correct-strict") if row["group"] in FOUR]
    lowest: Rows = []
    for of in grouped(strict, "variant", "detector").values():
        worst = min(of, key=lambda row: float(row["mean"]))
        means = {row["group"]: row["mean"] for row in of}
        whole, bound = len(of) == len(FOUR), min(row["ci95"][0] for row in of)
        shared = ("variant", "detector", "base", "group", "source", "ci95", "covers")
        lowest.append(
            {
                **{key: worst[key] for key in shared},
                "least": worst["mean"],
                "means": {name: means.get(name) for name in FOUR},
                "holds": worst["mean"] >= WANTED if whole else None,
                "holds_surely": bound >= WANTED if whole else None,
            }
        )
    return lowest


def variants_table(rows: Sequence[Row]) -> pd.DataFrame:
    """All ``rows`` of `compare_variants` as one long table, for `variants.csv`."""
    flat: Rows = []
    for row in rows:
        moved = row["compared"] or {}
        renamed = {f"difference_{key}": moved[key] for key in ("ci95", "covers") if moved}
        flat.append({**moved, **row, **renamed, "seeds": len(row["seeds"])})
    return long_table(flat, CSV_COLUMNS)


def _rows(one: Measured, bases: Sequence[str], further: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of one detector: the lowest of each group, and single generators."""
    about = {"variant": one.variant, "detector": one.detector, "base": one.base, "compared": None}
    shared = ("source", "seeds", "values", "mean", "ci95", "covers")
    for name, figures in MEASURES.items():
        rows = sorted(chosen(one.figures, **figures), key=lambda row: float(row["mean"]))
        for group in (*GROUPS, GENERATOR):
            of = [row for row in rows if group in _groups_of(row["source"], one, bases, further)]
            for row in of if group == GENERATOR else of[:1]:
                figure = {key: row[key] for key in shared}
                yield {**about, "group": group, "measure": name, **figure}


def _groups_of(
    source: str, one: Measured, bases: Sequence[str], further: Sequence[str]
) -> list[str]:
    kind, _, name = source.partition(":")
    if kind == "real":
        return [name] if source in (IN_DISTRIBUTION, HELD_OUT) else []
    if name.endswith(OTHER_SEED):
        return ["own-other-seed"] if name.removesuffix(OTHER_SEED) in one.known else []
    if name in one.known:
        return ["own"]
    if name == one.base:
        return [GENERATOR]
    if name in bases or not (bases or further):
        return ["other"]
    return ["further", GENERATOR] if name in further else []


def _counterpart(
    one: Measured, others: Sequence[Measured], bases: Sequence[str]
) -> Measured | None:
    """The detector of the same name, or else the first that is made of the same GAN.

    Of the baseline's, but for that of the same name, only the discriminators stand for a GAN.
    """
    same_name = [other for other in others if other.detector == one.detector]
    same_base = [other for other in others if other.base == one.base
                 and (other.variant != BASELINE or other.detector in bases)]  # fmt: skip
    return next(iter([*same_name, *same_base]), None)


def _compare(rows: Rows, one: Measured, other: Measured, others: Sequence[Row]) -> None:
    """Add to each row how far it lies from the other detector's."""
    by_figure = {(row["group"], row["measure"]): row for row in others}
    for row in rows:
        there = by_figure.get((row["group"], row["measure"]))
        if row["group"] == GENERATOR or there is None:
            continue
        if seeds := [seed for seed in row["seeds"] if seed in there["seeds"]]:
            about = {key: there[key] for key in ("variant", "detector", "source", "mean")}
            sources = row["source"], there["source"]
            difference = _difference(one, other, row["measure"], seeds, sources)
            row["compared"] = {**about, "seeds": seeds, **tested(difference)}


def _difference(
    one: Measured, other: Measured, measure: str, seeds: Sequence[int], sources: tuple[str, str]
) -> Statistic:
    runs, (point, real) = (one.runs, other.runs), MEASURES[measure].values()
    paired = sources[0] == sources[1] and one.same_images(sources[0], other)
    if point is not None:
        return difference_correct(*runs, seeds, sources, point, paired=paired)
    assert real is not None
    both = paired, one.same_images(real, other)
    return difference_auroc(*runs, seeds, sources, real, paired=both)
