"""What processing an image does to a detector's answers, and whether it is the processing it sees.

Fakes and reals are processed together, and each side alone. Where one side alone changes the
ranking, the detector reacts to the processing, whatever made the image.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.errors import DataError
from gandetect.statistics.bootstrap import mean_over_both, over_runs
from gandetect.statistics.decisions import correct_answers
from gandetect.statistics.ranking import placements
from gandetect.statistics.rows import Row, Rows, grouped
from gandetect.statistics.scores import (
    IN_DISTRIBUTION,
    Metrics,
    SameFakes,
    Scores,
    check_table,
    ordered,
    role_of,
    same_images,
    source_keys,
)

Level = tuple[str, float]

NONE: Level = ("none", 0.0)
APPLIED_TO = ("both", "generated", "real")
POINTS = ("native", "calibrated")
IMAGES = ("detector", "detector_seed", "source", "source_seed", "label")
COLUMNS = (*IMAGES, "perturbation", "level", "index", "score")


def numbers(study: ScoredStudy) -> Metrics:
    """``robustness``, where processed images were scored."""
    if study.perturbed is None:
        return {}
    given = study.perturbed, study.own, study.thresholds
    return {"robustness": robustness(*given, same_fakes=study.same_fakes)}


def rows(metrics: Metrics) -> Iterator[Row]:
    """Each change of the AUROC over runs."""
    for row in metrics.get("robustness", {}).get("across_seeds", []):
        name = f"{row['perturbation']} {row['level']:g} on {row['applied_to']}: change of auroc"
        yield tidy_row("processed", row, name, row["change"], row["change_ci95"])


@dataclass(frozen=True)
class _Shift:
    """What one perturbation did to one run: its row, and what each image has to do with it."""

    row: dict[str, Any]
    of_fakes: Scores  # change of the share of reals below each fake, (N,)
    of_reals: Scores  # change of the share of fakes above each real, (M,)


@dataclass
class _Run:
    """One detector and seed: scores `(N,)` by source and level, in the order of the index."""

    detector: str
    seed: int
    own: frozenset[str]
    thresholds: Mapping[str, float]
    scores: dict[str, dict[Level, Scores]] = field(default_factory=lambda: defaultdict(dict))


def robustness(
    table: pd.DataFrame,
    own: Mapping[str, Collection[str]],
    thresholds: Mapping[tuple[str, int], Mapping[str, float]],
    *,
    same_fakes: SameFakes = False,
) -> dict[str, Rows]:
    """Compute what every perturbation does to every detector.

    Args:
        table: one row an image, detector and perturbation, columns as in `COLUMNS`; unperturbed
            scores are perturbation ``none``, level 0. Reals are ``real:in-distribution``.
        own: the generated sources that each detector was trained on.
        thresholds: cuts by operating point for each (detector, seed), chosen on unperturbed images.
        same_fakes: the sources of which all seeds answered the same fakes, or whether of all.

    Returns ``runs``, a row for each detector, seed, generated source, perturbation, level and
    ``applied_to``: AUROC against in-distribution reals, its change from the unperturbed one, and
    the shares of fakes caught and reals flagged by operating point. ``across_seeds`` holds the
    mean change of all seeds with its 95 % interval over runs and images, and the single changes.

    Raises `DataError` when columns are missing, a score is not finite, or a perturbation was not
    scored on the same images as ``none``.
    """
    check_table(table, COLUMNS, "of perturbed images")
    shifts = [shift for run in _runs(table, own, thresholds) for source in _generated(run)
              for shift in _shifts(run, source)]  # fmt: skip
    runs = [shift.row for shift in shifts]
    return {"runs": runs, "across_seeds": _across_seeds(shifts, same_fakes)}


def _runs(
    table: pd.DataFrame,
    own: Mapping[str, Collection[str]],
    thresholds: Mapping[tuple[str, int], Mapping[str, float]],
) -> list[_Run]:
    keyed = table.assign(source=source_keys(table)).sort_values("index", kind="stable")
    runs: dict[tuple[str, int], _Run] = {}
    indices: dict[tuple[str, int, str], pd.Series[Any]] = {}
    names = ["detector", "detector_seed", "source", "perturbation", "level"]
    # Unperturbed scores come first, so that all others are held against them.
    keyed = keyed.assign(changed=keyed["perturbation"].astype(str) != NONE[0])
    for _, rows in keyed.groupby(["changed", *names], observed=True):
        detector, seed, source, kind, level = rows[names].iloc[0]
        name = str(detector), int(seed)
        if name not in runs:
            known = frozenset(own.get(name[0], (f"generated:{name[0]}",)))
            runs[name] = _Run(*name, known, thresholds.get(name, {}))
        first = indices.setdefault((*name, str(source)), rows["index"])
        if kind != NONE[0] and not np.array_equal(first, rows["index"]):
            raise DataError(
                f"{kind} at level {level:g} was scored on {len(rows)} images of {source!r} and "
                f"unperturbed on {len(first)} others by {name[0]!r}; score the same images"
            )
        place = NONE if kind == NONE[0] else (str(kind), float(level))
        runs[name].scores[str(source)][place] = rows["score"].to_numpy(np.float64)
    return list(runs.values())


def _generated(run: _Run) -> list[str]:
    """Generated sources that can be compared: they and the reals were scored unperturbed."""
    if NONE not in run.scores.get(IN_DISTRIBUTION, {}):
        return []
    fakes = (source for source in run.scores if source.startswith("generated:"))
    return [source for source in ordered(fakes, run.own) if NONE in run.scores[source]]


def _shifts(run: _Run, source: str) -> Iterator[_Shift]:
    fakes, reals = run.scores[source], run.scores[IN_DISTRIBUTION]
    before = placements(fakes[NONE], reals[NONE])
    yield _shift(run, source, NONE, "both", before)
    for level, applied_to in product(sorted(set(fakes) & set(reals) - {NONE}), APPLIED_TO):
        yield _shift(run, source, level, applied_to, before)


def _shift(
    run: _Run, source: str, level: Level, applied_to: str, before: tuple[Scores, Scores]
) -> _Shift:
    fakes = run.scores[source][level if applied_to != "real" else NONE]
    reals = run.scores[IN_DISTRIBUTION][level if applied_to != "generated" else NONE]
    above, below = placements(fakes, reals)
    cuts = {point: run.thresholds[point] for point in POINTS if point in run.thresholds}
    row = {
        "detector": run.detector,
        "seed": run.seed,
        "source": source,
        "role": role_of(source, run.own),
        "perturbation": level[0],
        "level": level[1],
        "applied_to": applied_to,
        "auroc": float(above.mean()),
        "unperturbed": float(before[0].mean()),
        "change": float(above.mean() - before[0].mean()),
        "caught": {point: _above(fakes, cut) for point, cut in cuts.items()},
        "flagged": {point: _above(reals, cut) for point, cut in cuts.items()},
        "n_generated": len(fakes),
        "n_real": len(reals),
    }
    return _Shift(row, above - before[0], below - before[1])


def _above(scores: Scores, cut: float) -> float:
    return correct_answers(scores, "generated", cut) / len(scores)


def _across_seeds(shifts: list[_Shift], same_fakes: SameFakes) -> Rows:
    """Mean AUROC and mean change over seeds; all runs have the same reals.

    An image is compared with itself, so the interval of the change is a paired one.
    """
    keys = ("detector", "source", "role", "perturbation", "level", "applied_to")
    rows = []
    for name, of in grouped(({**shift.row, "shift": shift} for shift in shifts), *keys).items():
        changes = [row["change"] for row in of]
        fakes = [row["shift"].of_fakes for row in of]
        reals = [row["shift"].of_reals for row in of]
        same = same_images(of[0]["source"], same_fakes)
        covariance = mean_over_both(fakes, reals, same_fakes=same).image_covariance
        unchanged = of[0]["perturbation"] == NONE[0]  # exactly so, whatever the images
        interval = [0.0, 0.0] if unchanged else over_runs(changes, covariance, share=False)
        rows.append(
            {
                **dict(zip(keys, name, strict=True)),
                "seeds": [row["seed"] for row in of],
                "auroc": float(np.mean([row["auroc"] for row in of])),
                "unperturbed": float(np.mean([row["unperturbed"] for row in of])),
                "change": float(np.mean(changes)),
                "change_ci95": interval,
                "changes": changes,
            }
        )
    return rows
