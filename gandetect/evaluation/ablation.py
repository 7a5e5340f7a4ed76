"""What each ingredient of an ablation does: every detector on every group, beside the baseline's.

Each ingredient is a study of its own, with the same reals and the same generators of the baseline,
so that differences are paired: by run, and by image where the images are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gandetect.config.ablation import BASELINE, base_of
from gandetect.statistics.bootstrap import Statistic, holm, over_runs
from gandetect.statistics.contrasts import difference_auroc, difference_correct, tested
from gandetect.statistics.detector_runs import DetectorRuns, collect_runs
from gandetect.statistics.intervals import wilson
from gandetect.statistics.operating_points import calibrate
from gandetect.statistics.scored_detectors import (
    ScoredDetector,
    calibration_source,
    split_by_detector,
)
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION, OTHER_SEED, Metrics, latest

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]
FOUR = ("own", "other", "in-distribution", "held-out")
GROUPS = ("own", "own-other-seed", "other", "in-distribution", "held-out", "further")
GENERATOR = "generator"  # a single generator that a detector does not know
# Shares correct at an operating point, and AUROC against a group of reals.
POINTS = {"correct": "calibrated", "correct-strict": "strict", "correct-native": "native"}
AGAINST = {"auroc-in-distribution": IN_DISTRIBUTION, "auroc-held-out": HELD_OUT}
MEASURES = (*POINTS, *AGAINST)
WANTED = 0.95
# Where 95 of 100 familiar reals are to be accepted too, a threshold that lets just as many pass
# would make that a toss-up: this leaves a point of margin. It is chosen on calibration reals alike.
STRICT = 0.04
CSV_COLUMNS = (
    "ingredient", "detector", "base", "group", "source", "measure", "seeds", "mean", "low", "high",
    "covers", "difference", "difference_low", "difference_high", "difference_covers", "p", "p_holm",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One study of an ablation: its name, its `metrics.json`, and its table of scores."""

    name: str
    metrics: Metrics
    scores: pd.DataFrame


@dataclass(frozen=True)
class Generators:
    """Names of the baseline's GANs: those that ingredients change, and those that only draw."""

    bases: Sequence[str]
    further: Sequence[str]


@dataclass(frozen=True)
class Twin:
    """The baseline's discriminator of a GAN: its runs, and its rows by group and measure."""

    runs: DetectorRuns
    rows: Mapping[tuple[str, str], Row]


def ablate(
    parts: Iterable[Part],
    generators: Generators,
    calibrated_fpr: float,
    against: Mapping[str, str] | None = None,
) -> dict[str, Rows]:
    """Everything that `ablation.json` holds of the numbers; the first part is the baseline.

    ``rows`` has a row for each ingredient, detector, group of images and measure: ``values`` of
    the runs, ``mean``, ``ci95`` and what that ``covers``. A detector that knows several GANs
    counts by the one of its own that it answers worst; so do the other GANs of role "both"
    ("other") and the generators that are sources only ("further") by the worst of those that it
    does not know. A variant's "other" leaves out the GAN that it is a variant of. Each further
    generator, and that GAN, also has a row of its own ("generator").

    ``baseline`` is None, or how far the row lies from the same figure of the baseline's
    discriminator of the same GAN, or of the detector in its place in the earlier part that
    ``against`` names for the part (made of the same GAN, and leaving out the same one):
    ``difference``, ``ci95``, ``p``, and ``p_holm``, corrected for all differences by the same
    measure. ``least`` is what each detector reaches on all of `FOUR`, at a threshold that at most
    `STRICT` of the calibration reals exceed.
    """
    rows: Rows = []
    twins: dict[tuple[str, str | None, str | None], Twin] = {}
    for part in parts:
        beside = (against or {}).get(part.name) or BASELINE
        runs = _runs(part, calibrated_fpr)
        for name in sorted(runs):
            known = _known(part.metrics, name)
            base = base_of(name, known, generators.bases)
            facts = {"ingredient": part.name, "detector": name, "base": base}
            figures = {one: list(_figures(part.metrics, runs[name], one)) for one in MEASURES}
            found = list(_rows_of(figures, facts, known, generators))
            left_out = _facts(part.metrics, name).get("left_out")
            if part.name != BASELINE and (beside, base, left_out) in twins:
                _compare(found, runs[name], twins[beside, base, left_out])
            by_figure = {(row["group"], row["measure"]): row for row in found}
            # Of the baseline only discriminators are anybody's twins, and of others the first.
            if part.name != BASELINE or name in generators.bases:
                twins.setdefault((part.name, base, left_out), Twin(runs[name], by_figure))
            rows += found
    _correct(rows)
    return {"rows": rows, "least": least_of_four(rows)}


def least_of_four(rows: Sequence[Row]) -> Rows:
    """For each detector the group of `FOUR` that it answers worst, at the strict threshold.

    ``holds``: all four means are at least .95; ``holds_surely``: so are all lower bounds. Both are
    None for a detector that has no figure in one of the groups.
    """
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row["measure"] == "correct-strict" and row["group"] in FOUR:
            found.setdefault((row["ingredient"], row["detector"]), {})[row["group"]] = row
    kept = []
    for (ingredient, detector), groups in found.items():
        worst = min(groups.values(), key=lambda row: float(row["mean"]))
        whole = len(groups) == len(FOUR)
        means = [row["mean"] for row in groups.values()]
        bounds = [row["ci95"][0] for row in groups.values()]
        kept.append(
            {
                "ingredient": ingredient,
                "detector": detector,
                **{key: worst[key] for key in ("base", "group", "source", "ci95", "covers")},
                "least": worst["mean"],
                "means": {name: groups[name]["mean"] if name in groups else None for name in FOUR},
                "holds": min(means) >= WANTED if whole else None,
                "holds_surely": min(bounds) >= WANTED if whole else None,
            }
        )
    return kept


def ablation_table(rows: Sequence[Row]) -> pd.DataFrame:
    """All rows of `ablate` as one long table, for `ablation.csv`."""
    flat: Rows = []
    for row in rows:
        low, high = row["ci95"]
        one = {**row, "seeds": len(row["seeds"]), "low": low, "high": high}
        if row["baseline"]:
            moved = row["baseline"]
            one |= {key: moved[key] for key in ("difference", "p", "p_holm")}
            one["difference_low"], one["difference_high"] = moved["ci95"]
            one["difference_covers"] = moved["covers"]
        flat.append(one)
    return pd.DataFrame(flat, columns=list(CSV_COLUMNS))


def _runs(part: Part, calibrated_fpr: float) -> dict[str, DetectorRuns]:
    facts = {row["detector"]: row for row in part.metrics["detectors"]}
    last = latest(part.scores)
    strict = min(STRICT, calibrated_fpr)
    subjects = [_strictly(one, strict) for one in split_by_detector(last, facts, calibrated_fpr)]
    return {one.detector: one for one in collect_runs(last, subjects, facts, same_fakes=False)}


def _strictly(subject: ScoredDetector, fpr: float) -> ScoredDetector:
    """The same detector with the threshold that `least` is told at."""
    reals = calibration_source(subject.sources)
    if reals is None:
        return subject
    strict = calibrate(subject.sources[reals], fpr)
    return replace(subject, thresholds={**subject.thresholds, "strict": strict})


def _facts(metrics: Metrics, detector: str) -> Row:
    return next(row for row in metrics["detectors"] if row["detector"] == detector)


def _known(metrics: Metrics, detector: str) -> list[str]:
    return [source.partition(":")[2] for source in _facts(metrics, detector)["own"]]


def _rows_of(
    figures: Mapping[str, Rows], facts: Row, known: Sequence[str], generators: Generators
) -> Iterator[dict[str, Any]]:
    """Rows of one detector: the lowest of each group, and single generators."""
    for measure, rows in figures.items():
        groups: dict[str, Rows] = {}
        for row in rows:
            for group in _groups_of(row["source"], known, facts["base"], generators):
                groups.setdefault(group, []).append(row)
        for group in (*GROUPS, GENERATOR):
            found = sorted(groups.get(group, []), key=lambda row: float(row["mean"]))
            for row in found if group == GENERATOR else found[:1]:
                yield {**facts, "group": group, "measure": measure, **row, "baseline": None}


def _figures(metrics: Metrics, runs: DetectorRuns, measure: str) -> Iterator[dict[str, Any]]:
    """Figures of one detector by one measure, a row for each source."""
    detector = runs.detector
    if measure == "correct-strict":
        yield from _strict_figures(runs)
        return
    if measure in POINTS:
        for row in metrics["across_seeds"]:
            if (row["detector"], row["operating_point"]) == (detector, POINTS[measure]):
                kept = {key: row[key] for key in ("source", "seeds", "mean", "ci95", "covers")}
                yield {**kept, "values": row["correct"]}
        return
    for row in metrics["pairs_across_seeds"]:
        if (row["detector"], row["real"]) == (detector, AGAINST[measure]):
            yield {
                "source": row["generated"],
                "seeds": row["seeds"],
                "values": row["auroc"],
                "mean": row["mean_auroc"],
                "ci95": row["ci95"]["auroc"],
                "covers": row["covers"]["auroc"],
            }


def _strict_figures(runs: DetectorRuns) -> Iterator[dict[str, Any]]:
    """Shares correct at the strict threshold, which `metrics.json` does not hold."""
    point = POINTS["correct-strict"]
    seeds = [seed for seed in runs.seeds if point in runs.thresholds[seed]]
    for source in sorted({source for seed in seeds for source in runs.images[seed]}):
        having = [seed for seed in seeds if source in runs.images[seed]]
        found = runs.share_correct(having, source, point)
        right = [*map(float, found.values)]
        n = len(runs.images[having[0]][source].scores)
        alone = len(having) == 1
        yield {
            "source": source,
            "seeds": having,
            "values": right,
            "mean": found.mean,
            "ci95": wilson(round(right[0] * n), n) if alone
            else over_runs(found.values, found.image_covariance),
            "covers": "images" if alone else "runs and images",
        }  # fmt: skip


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
    if name in generators.bases:
        return ["other"]
    return ["further", GENERATOR] if name in generators.further else []


def _compare(rows: Rows, runs: DetectorRuns, twin: Twin) -> None:
    """Add to each row how far it lies from its twin's."""
    for row in rows:
        other = twin.rows.get((row["group"], row["measure"]))
        if row["group"] == GENERATOR or other is None:
            continue
        seeds = [seed for seed in row["seeds"] if seed in other["seeds"]]
        if not seeds:
            continue
        sources = row["source"], other["source"]
        moved = _difference(runs, twin.runs, seeds, sources, row["measure"])
        row["baseline"] = {"ingredient": other["ingredient"], "source": other["source"],
                           "mean": other["mean"], "seeds": seeds,
                           **tested(moved)}  # fmt: skip


def _difference(
    runs: DetectorRuns,
    twin: DetectorRuns,
    seeds: Sequence[int],
    sources: tuple[str, str],
    measure: str,
) -> Statistic:
    if measure in POINTS:
        return difference_correct(runs, twin, seeds, sources, POINTS[measure])
    return difference_auroc(runs, twin, seeds, sources, AGAINST[measure])


def _correct(rows: Rows) -> None:
    """Correct the p-values of all differences by the same measure together."""
    for measure in MEASURES:
        family = [row["baseline"] for row in rows if row["measure"] == measure and row["baseline"]]
        for moved, p in zip(family, holm([moved["p"] for moved in family]), strict=True):
            moved["p_holm"] = p
