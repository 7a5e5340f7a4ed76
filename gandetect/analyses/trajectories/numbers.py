"""How a discriminator's answers move while it trains, and how much of them is the epoch's luck.

Discriminator D_i is taken from epoch i, and tried on what its generator made at epoch j (G_j), on
the final images of other generators and on real images.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from gandetect.analyses.study import ScoredStudy
from gandetect.analyses.tidy import tidy_row
from gandetect.statistics.calibrated import CalibrationRule, calibrated
from gandetect.statistics.decisions import share_correct
from gandetect.statistics.ranking import placements
from gandetect.statistics.rows import Row, Rows
from gandetect.statistics.scored_detectors import ScoredDetector, thresholds_from
from gandetect.statistics.scores import (
    COLUMNS,
    TEST_REALS,
    Metrics,
    Scores,
    check_table,
    source_keys,
)

SOURCE_EPOCH = "source_epoch"  # epoch of the generator; 0 for reals and other generators' finals
LATE = 0.5  # from this part of the last epoch on, an epoch counts as late


def numbers(study: ScoredStudy) -> Metrics:
    """``trajectories``, where the epochs were scored."""
    if study.trajectory is None:
        return {}
    given = study.trajectory, study.own, study.rule, study.classes
    return {"trajectories": trajectories(*given)}


def rows(metrics: Metrics) -> Iterator[Row]:
    """How far figures move over epochs, and the AUROC of each pair of epochs."""
    stored = metrics.get("trajectories", {})
    for row in stored.get("luck", []):
        for name in ("lowest", "highest", "sd_over_epochs", "sd_over_seeds"):
            yield tidy_row("epochs", row, f"{row['statistic']}: {name}", row[name])
    for row in stored.get("matrix", []):
        name = f"auroc, D_{row['i']} on G_{row['j']}"
        yield tidy_row("epochs", row, name, row["auroc"], detector_seed=row["seed"],
                       real_source=row["real"])  # fmt: skip


@dataclass(frozen=True)
class _Checkpoint(ScoredDetector):
    """One discriminator at one epoch; its sources hold own fakes of the same epoch."""

    by_epoch: dict[int, Scores]  # own fakes, by the epoch of the generator

    @property
    def name(self) -> dict[str, Any]:
        return {"detector": self.detector, "seed": self.seed}


def trajectories(
    table: pd.DataFrame,
    own: Mapping[str, Collection[str]],
    rule: CalibrationRule,
    classes: pd.DataFrame | None = None,
) -> dict[str, Rows]:
    """Compute everything that is said of detectors over the epochs of their training.

    Args:
        table: one row an image, detector and epoch; columns as in `scores.COLUMNS`, and
            ``source_epoch``: the generator's epoch for own fakes, else 0.
        own: the generated sources that each detector was trained on.
        rule: what a calibrated cut has to promise. Each epoch is calibrated anew, on its own scores
            of the calibration reals.
        classes: the class of every real image, as in `ScoredStudy`.

    Returns rows of four kinds: ``matrix``, AUROC of D_i on G_j for each group of test reals;
    ``cells``, shares of right answers by epoch, of own fakes those with j = i; ``areas``, AUROC by
    epoch likewise; ``luck``, how much either moves within a run and between runs.

    Raises `DataError` when columns are missing, there are no rows, or a score is not finite.
    """
    check_table(table, (*COLUMNS, SOURCE_EPOCH), "over epochs")
    checkpoints: list[_Checkpoint] = []
    keyed = table.assign(source=source_keys(table))
    for _, rows in keyed.groupby(["detector", "detector_seed", "epoch"], observed=True):
        name, seed, epoch = rows[["detector", "detector_seed", "epoch"]].iloc[0]
        known = tuple(own.get(str(name), (f"generated:{name}",)))
        is_own = rows["source"].isin(known)
        by_epoch = {int(j): scores for j, scores in _split(rows[is_own], SOURCE_EPOCH).items()}
        sources = {str(key): scores for key, scores in _split(rows[~is_own], "source").items()}
        now = rows[is_own & (rows[SOURCE_EPOCH] == epoch)]
        sources |= {str(key): scores for key, scores in _split(now, "source").items()}
        cut = calibrated(rows[rows["label"] == "real"], rule, classes)
        given = str(name), int(seed), int(epoch), known, sources, thresholds_from({}, cut)
        checkpoints.append(_Checkpoint(*given, by_epoch, calibration=cut))
    cells = [row for one in checkpoints for row in _cells(one)]
    areas = [row for one in checkpoints for row in _areas(one)]
    return {
        "matrix": [row for one in checkpoints for row in _matrix(one)],
        "cells": cells,
        "areas": areas,
        "luck": [*_luck(cells, "correct"), *_luck(areas, "auroc")],
    }


def _split(rows: pd.DataFrame, column: str) -> dict[Any, Scores]:
    """Sorted scores `(N,)` by the values of a column; sorted, so that sums do not depend on it."""
    groups = rows.groupby(column, observed=True)["score"]
    return {key: np.sort(group.to_numpy(np.float64)) for key, group in groups}


def _matrix(one: _Checkpoint) -> Iterator[dict[str, Any]]:
    there = [real for real in TEST_REALS if real in one.sources]
    for real, (j, fakes) in product(there, one.by_epoch.items()):
        yield {
            **one.name,
            "i": one.epoch,
            "j": j,
            "real": real,
            "auroc": _area(fakes, one.sources[real])[0],
            "n_generated": len(fakes),
            "n_real": len(one.sources[real]),
        }


def _cells(one: _Checkpoint) -> Iterator[dict[str, Any]]:
    for source, (point, cut) in product(one.reported(), one.thresholds.items()):
        label = source.partition(":")[0]
        answered = share_correct(one.margins([source], point), label, 0.0)
        share, n = answered["correct"], answered["n"]
        yield {
            **one.name,
            "epoch": one.epoch,
            "role": one.role(source),
            "source": source,
            "operating_point": point,
            "threshold": cut,
            **answered,
            "image_sd": float(np.sqrt(share * (1 - share) / n)),
        }


def _areas(one: _Checkpoint) -> Iterator[dict[str, Any]]:
    for source, real in product(one.reported(), TEST_REALS):
        if source.startswith("generated:") and real in one.sources:
            area, sd = _area(one.sources[source], one.sources[real])
            yield {
                **one.name,
                "epoch": one.epoch,
                "role": one.role(source),
                "source": source,
                "real": real,
                "auroc": area,
                "image_sd": sd,
            }


def _area(fakes: Scores, reals: Scores) -> tuple[float, float]:
    """AUROC, and its standard deviation from drawing images alone (DeLong, Biometrics 44, 1988)."""
    above, below = placements(fakes, reals)
    variance = sum(side.var(ddof=1) / len(side) for side in (above, below) if len(side) > 1)
    return float(np.clip(above.mean(), 0.0, 1.0)), float(np.sqrt(variance))


def _luck(rows: Rows, statistic: str) -> Rows:
    """How a statistic moves over a run's epochs, and over runs at the last epoch.

    ``image_sd`` is what drawing other images alone would do to one value. Epochs answer the same
    real images, so that between epochs it does less.
    """
    if not rows:
        return []
    keys = ["detector", "role", "source", "operating_point" if statistic == "correct" else "real"]
    luck = []
    for _, group in pd.DataFrame(rows).groupby(keys, sort=False):
        runs = group.pivot_table(index="epoch", columns="seed", values=statistic).dropna()
        if len(runs) == 0:
            continue  # no epoch that every run has kept
        late = runs[runs.index >= LATE * runs.index.max()]
        last = runs.iloc[-1].to_numpy(np.float64)
        luck.append(
            {
                **{key: str(group[key].iloc[0]) for key in keys},
                "statistic": statistic,
                "seeds": [int(seed) for seed in runs.columns],
                "epochs": [int(epoch) for epoch in runs.index],
                "late_epochs": [int(epoch) for epoch in late.index],
                "lowest": float(runs.to_numpy().min()),
                "highest": float(runs.to_numpy().max()),
                "last": float(last.mean()),
                "range_over_epochs": float((runs.max() - runs.min()).mean()),
                "sd_over_epochs": _mean_sd(runs),
                "late_range": float((late.max() - late.min()).mean()),
                "late_sd": _mean_sd(late),
                "range_over_seeds": float(np.ptp(last)) if len(last) > 1 else None,
                "sd_over_seeds": float(last.std(ddof=1)) if len(last) > 1 else None,
                "image_sd": float(group["image_sd"].mean()),
            }
        )
    return luck


def _mean_sd(runs: pd.DataFrame) -> float | None:
    """Standard deviation over epochs (rows), mean over runs (columns); None for one epoch."""
    return float(runs.std(ddof=1).mean()) if len(runs) > 1 else None
