"""The table of scores: what it must hold, and what a source is to a detector."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.errors import DataError, did_you_mean

Metrics: TypeAlias = dict[str, Any]
Scores: TypeAlias = npt.NDArray[np.float64]
# The generated sources of which every run answered the same images; or whether that is true of all.
SameFakes: TypeAlias = bool | Collection[str]

COLUMNS = ("detector", "detector_seed", "epoch", "source", "source_seed", "label", "index", "score")
LABELS = ("real", "generated")
IN_DISTRIBUTION = "real:in-distribution"
HELD_OUT = "real:held-out"
TRAINING = "real:training"
CALIBRATION = "real:calibration"
VALIDATION = "real:validation"
# What a classifier was trained on and what its epoch was chosen by: never a test group.
GENERATED_TRAINING = "generated:training"
GENERATED_VALIDATION = "generated:validation"
# Fresh fakes of a detector's own generators, for whatever is fitted after training.
GENERATED_CALIBRATION = "generated:calibration"
# A generator of the same kind from another training run: `generated:<gan>/other-seed`.
OTHER_SEED = "/other-seed"
TEST_REALS = (IN_DISTRIBUTION, HELD_OUT)
REALS = (*TEST_REALS, TRAINING, VALIDATION, CALIBRATION)
FITTED_ON = (GENERATED_TRAINING, GENERATED_VALIDATION, GENERATED_CALIBRATION)
NOT_REPORTED = (VALIDATION, CALIBRATION, *FITTED_ON)
FAKE_ROLES = ("own", "own-other-seed", "other", "generated")
REAL_ROLES = ("in-distribution", "held-out", "other-source")
ROLES = (*FAKE_ROLES, *REAL_ROLES, "training")


def role_of(source: str, own: Collection[str] | None) -> str:
    """Say what a source is to a detector that knows ``own``: own, other, or a group of reals.

    ``own-other-seed`` is a generator like its own from another training run, ``other-source`` are
    reals of a source that is neither in-distribution nor held out. Of a detector of which nobody
    has said what it was trained on (None), a generator is just ``generated``.

    >>> own = ["generated:dcgan-bn"]
    >>> role_of("generated:dcgan-bn", own), role_of("generated:dcgan-plain", own)
    ('own', 'other')
    >>> role_of("real:held-out", own), role_of("real:coco", own)
    ('held-out', 'other-source')
    """
    kind, _, name = source.partition(":")
    if source in (*REALS, *NOT_REPORTED):
        return name
    if kind == "real":
        return "other-source"
    if own is None:
        return "generated"
    if source.endswith(OTHER_SEED):
        return "own-other-seed" if source.removesuffix(OTHER_SEED) in own else "other"
    return "own" if source in own else "other"


def same_images(source: str, same_fakes: SameFakes) -> bool:
    """Whether every run answered the same images of a source."""
    if source.startswith("real:"):
        return True
    return same_fakes if isinstance(same_fakes, bool) else source in same_fakes


def check_table(table: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Refuse a further table of scores; ``what`` is of what, as in ``over epochs``.

    Raises `DataError` for missing columns, no rows, and scores that are not finite.
    """
    _check_columns(table, list(columns), f"the scores {what}")
    if table.empty:
        raise DataError(f"the scores {what} have no rows; score them first")
    bad = int(np.count_nonzero(~np.isfinite(table["score"].to_numpy(np.float64))))
    if bad:
        raise DataError(f"{bad} of {len(table)} scores {what} are not finite; score them again")


def validate_scores(scores: pd.DataFrame) -> None:
    """Refuse a table that cannot be evaluated, before any number is made from it.

    Raises `DataError` for missing columns, no rows, a score that is not finite, an unknown label
    or source, a source whose label contradicts its name, and an image that was scored twice.
    """
    _check_columns(scores, COLUMNS, "the scores")
    if scores.empty:
        raise DataError("the scores have no rows; score the detectors first")
    _finite(scores)
    _labels_and_sources(scores)
    _no_image_twice(scores)


def latest(scores: pd.DataFrame) -> pd.DataFrame:
    """Keep each detector's last scored epoch, with score as float64."""
    group = scores.groupby(["detector", "detector_seed"], observed=True)
    last = scores[scores["epoch"] == group["epoch"].transform("max")]
    return last.assign(score=last["score"].to_numpy(np.float64))


def by_source(scores: pd.DataFrame) -> dict[str, Scores]:
    """Split one detector's rows into sorted scores, `(N,)` float64, one array for each source.

    Sorted, so that sums and with them the last digits do not depend on the order of the rows.
    """
    groups = scores.groupby(source_keys(scores), observed=True)["score"]
    return {str(source): np.sort(group.to_numpy(np.float64)) for source, group in groups}


def source_keys(scores: pd.DataFrame) -> pd.Series[str]:
    """Name each row's source; fakes whose seed is not the detector's are of another run."""
    names = scores["source"].astype(str)
    foreign = (scores["label"] == "generated") & (scores["source_seed"] != scores["detector_seed"])
    return names.mask(foreign, names + OTHER_SEED) if foreign.any() else names


def reals_tested_on(sources: Collection[str]) -> list[str]:
    """The groups of reals that are tested on: in-distribution, held-out, then all others by name.

    >>> reals_tested_on(["real:coco", "generated:a", "real:training", "real:in-distribution"])
    ['real:in-distribution', 'real:coco']
    """
    others = {name for name in sources if name.startswith("real:") and name not in REALS}
    return [*(name for name in TEST_REALS if name in sources), *sorted(others)]


def ordered(sources: Iterable[str], own: Collection[str] | None) -> list[str]:
    """Order sources as every table does: own, other generators, then the groups of reals."""
    places = {role: place for place, role in enumerate(ROLES)}
    return sorted(sources, key=lambda name: (places.get(role_of(name, own), len(places)), name))


def _check_columns(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    if missing := [column for column in columns if column not in table]:
        expected = ", ".join(columns)
        raise DataError(f"{name} have no column {', '.join(missing)}; expected: {expected}")


def _finite(scores: pd.DataFrame) -> None:
    values = pd.to_numeric(scores["score"], errors="coerce").to_numpy(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        row = scores.iloc[int(bad[0])]
        raise DataError(
            f"{bad.size} of {len(scores)} scores are not finite numbers; the first is "
            f"{row['score']!r}, image {row['index']} of {row['source']!r} by detector "
            f"{row['detector']!r}; score that detector again"
        )


def _labels_and_sources(scores: pd.DataFrame) -> None:
    for column in ("detector", "source", "label"):
        if scores[column].isna().any():
            raise DataError(f"the scores have rows without a {column}; score again")
    for source, label in scores[["source", "label"]].drop_duplicates().itertuples(index=False):
        if label not in LABELS:
            raise DataError(f"label {label!r} is not known; expected: {' or '.join(LABELS)}")
        kind, _, name = str(source).partition(":")
        if kind not in LABELS or not name:
            raise DataError(
                f"source {source!r} is not known; expected generated:<name> or real:<name>"
                f"{did_you_mean(source, REALS)}"
            )
        if kind != label:
            raise DataError(f"images of source {source!r} are labelled {label!r}, not {kind!r}")


def _no_image_twice(scores: pd.DataFrame) -> None:
    identity = [column for column in COLUMNS if column not in ("label", "score")]
    twice = scores.duplicated(subset=identity)
    if twice.any():
        row = scores[twice].iloc[0]
        raise DataError(
            f"image {row['index']} of {row['source']!r} was scored twice by {row['detector']!r}; "
            "an image counts once"
        )
