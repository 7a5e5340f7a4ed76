"""Which column of somebody's table is what: by name, or as its owner says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown

# Our columns, by the names that they commonly have; letters may be of either case.
NAMES = {
    "detector": ("detector", "model", "method"),
    "source": ("source", "generator", "dataset"),
    "label": ("label", "gt_label", "true_label", "y_true", "target"),
    "score": ("score", "pred_score", "logit", "log_odds", "decision_function"),
    "image": ("image", "image_path", "img_path", "path", "filename", "file", "image_id", "id",
              "index"),
    "seed": ("seed", "detector_seed"),
    "split": ("split",),
    "group": ("group",),
    "class": ("class", "class_name"),
    "known": ("known",),
    "epoch": ("epoch",),
    "source_seed": ("source_seed",),
}  # fmt: skip
OURS = {name: ours for ours, names in NAMES.items() for name in names}
SCORED = ("detector", "score", "seed", "epoch", "source_seed", "known")  # of a score, not an image
IN_PATHS = ("label", "source", "class", "group", "split", "detector", "seed")


@dataclass(frozen=True)
class TableOptions:
    """How a table of scores is read.

    Args:
        columns: our name of a column, and the table's.
        detectors: columns of a wide table that hold the scores of a detector each.
        positive: the kind of image that high scores stand for.
        probabilities: whether scores are probabilities, to be mapped to log-odds.
        generated_labels: values of the label that mean generated.
        real_labels: values of the label that mean real. Where one side is given only, all other
            values are of the other side.
        reference: sources of reals that are in-distribution; several are pooled.
        held_out: sources of reals that are held out; several are pooled.
        path_pattern: a regular expression that is sought in the image's path; its named groups
            are columns.
        same_fakes: whether all seeds answered the same fakes; None: as the table looks.
        calibrated_fpr: share of new reals that may be flagged.
        calibrated_confidence: how sure it has to be that no more are; None: so many on average.
        calibrated_by: "class" promises it to the reals of every class.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    detectors: Sequence[str] = ()
    positive: Literal["generated", "real"] = "generated"
    probabilities: bool = False
    generated_labels: Sequence[str] = ()
    real_labels: Sequence[str] = ()
    reference: Sequence[str] = ()
    held_out: Sequence[str] = ()
    path_pattern: str = ""
    same_fakes: bool | None = None
    calibrated_fpr: float = 0.05
    calibrated_confidence: float | None = None
    calibrated_by: Literal["class"] | None = None

    def __post_init__(self) -> None:
        for name in ("detectors", "generated_labels", "real_labels", "reference", "held_out"):
            if isinstance(value := getattr(self, name), str):  # one, and no list of letters
                object.__setattr__(self, name, (value,))


def our_columns(
    table: pd.DataFrame, options: TableOptions, name: str, key: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A table with our columns, a row for each score; ``key`` says more of its images.

    A wide table becomes a long one; a detector that a table does not name is called ``name``.
    Raises `UsageError` for columns that are not there, `DataError` where none holds scores.
    """
    _check_given(options, *(one.columns for one in (table, key) if one is not None))
    names = _find(table, options, options.columns)
    images = {ours: table[theirs] for ours, theirs in names.items() if ours != "score"}
    long = _joined(pd.DataFrame(images, copy=False), key, options)
    long = _from_paths(long, options.path_pattern)
    if "score" in names:
        long = long.assign(score=table[names["score"]].array)
        if "detector" in long:
            return long
        return long.assign(detector=categories([0], [name], len(long)))
    scored = _score_columns(table, names, options)
    if "image" not in long and len(scored) > 1:  # a row is one image
        long = long.assign(image=[f"{name}, row {row}" for row in range(1, len(long) + 1)])
    return _melted(table, long, scored)


def categories(codes: Any, names: Iterable[str], repeated: int = 1) -> pd.Categorical[Any]:
    """A column of names by their places among them, each place so many times."""
    places = np.repeat(np.asarray(codes, np.int32), repeated)
    return pd.Categorical.from_codes(places, pd.Index(list(names)))


def sorted_texts(column: pd.Series[Any]) -> pd.Categorical[Any]:
    """A column without gaps as texts, whose order does not depend on that of the rows."""
    given = pd.Categorical(column)
    names = np.array([str(one).strip() for one in given.categories], object)
    codes, order = pd.factorize(names, sort=True)
    return categories(codes[given.codes], order)


def _check_given(options: TableOptions, *tables: pd.Index[Any]) -> None:
    there = [column for of in tables for column in of]
    if twice := [shown(of[of.duplicated()][0]) for of in tables if of.has_duplicates]:
        raise DataError(f"the table has several columns {twice[0]}; name each column once")
    named = [*options.detectors, *(b for a, b in options.columns.items() if a == "score")]
    if options.detectors and len({*options.detectors}) < len(named):
        raise UsageError(f"--detectors and --columns score=… name the columns {', '.join(named)}; "
                         "give one of the two, and each column once")  # fmt: skip
    for ours, theirs in options.columns.items():
        if ours not in NAMES:
            raise UsageError(
                f"--columns {ours}={theirs}: {shown(ours)} is no column of ours; there are: "
                f"{', '.join(NAMES)}{did_you_mean(ours, NAMES)}"
            )
        _check_there(f"--columns {ours}={theirs}", theirs, there)
    for theirs in options.detectors:
        _check_there("--detectors", theirs, there)


def _check_there(option: str, column: str, there: Sequence[str]) -> None:
    if column not in there:
        raise UsageError(
            f"{option}: the table has no column {shown(column)}; its columns are: "
            f"{listed(list(map(str, there)), 40)}{did_you_mean(column, map(str, there))}"
        )


def _find(table: pd.DataFrame, options: TableOptions, given: Mapping[str, str]) -> dict[str, str]:
    """The table's name of each of our columns that it has."""
    known = {ours: theirs for ours, theirs in given.items() if theirs in table}
    taken = {*known.values(), *options.detectors}
    free: dict[str, str] = {}
    for column in map(str, table):
        if column in taken:
            continue
        first, ours = free.setdefault(column.lower(), column), OURS.get(column.lower())
        if first != column and ours is not None and ours not in known:
            raise UsageError(
                f"columns {shown(first)} and {shown(column)} may both be the {ours}; say which is "
                f"with --columns {ours}={first}"
            )
    for ours, names in NAMES.items():
        theirs = next((free[one] for one in names if one in free), None)
        if ours not in known and theirs is not None and not (ours == "score" and options.detectors):
            known[ours] = theirs
            free = {name: column for name, column in free.items() if column != theirs}
    return known


def _joined(long: pd.DataFrame, key: pd.DataFrame | None, options: TableOptions) -> pd.DataFrame:
    """With what the key says of each image."""
    if key is None:
        return long
    given = {ours: theirs for ours, theirs in options.columns.items() if ours not in SCORED}
    names = {k: v for k, v in _find(key, options, given).items() if k not in SCORED}
    if "image" not in long or "image" not in names:
        raise DataError(
            "a key belongs to scores by the image, and one of the two has no such column; name it "
            "with --columns image=…"
        )
    of_images = pd.DataFrame({ours: key[theirs] for ours, theirs in names.items()})
    of_images["image"] = of_images["image"].astype(str)
    if len(twice := of_images.loc[of_images["image"].duplicated(), "image"]):
        raise DataError(
            f"the key has image {shown(twice.iloc[0])} twice; an image stands there once"
        )
    rest = long.drop(columns=[ours for ours in of_images if ours in long and ours != "image"])
    rest = rest.assign(image=rest["image"].astype(str))
    joined = rest.merge(of_images, on="image", how="left", indicator=True)
    if len(missing := joined.loc[joined["_merge"] == "left_only", "image"]):
        raise DataError(
            f"{len(missing):,} of {len(joined):,} scores are of images that the key does not have; "
            f"the first is {shown(missing.iloc[0])}; give a key for all of them, or leave them out"
        )
    return joined.drop(columns="_merge")


def _from_paths(long: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """With the columns that the named groups of a pattern find in the images' paths."""
    if not pattern:
        return long
    try:
        names = list(re.compile(pattern).groupindex)
    except re.error as error:
        what = f"--path-pattern {shown(pattern)} is no regular expression"
        raise UsageError(f"{what} ({error})") from None
    if not names or not set(names) <= set(IN_PATHS):
        raise UsageError(
            f"--path-pattern {shown(pattern)} needs named groups such as (?P<label>real|fake); "
            f"a group may be: {', '.join(IN_PATHS)}"
        )
    if "image" not in long:
        raise UsageError("--path-pattern is for tables with paths of images; name their column "
                         "with --columns image=…")  # fmt: skip
    paths = pd.Categorical(long["image"].astype(str))
    parts = pd.Series(paths.categories.astype(str)).str.extract(pattern)[names]
    unfit = parts.isna().any(axis=1).to_numpy()
    if unfit.any():
        first = shown(paths.categories[int(unfit.argmax())])
        raise DataError(
            f"--path-pattern {shown(pattern)} fits {len(parts) - unfit.sum():,} of {len(parts):,} "
            f"paths; the first that it does not fit is {first}"
        )
    taken = {name: pd.Categorical(parts[name]).take(paths.codes) for name in names}
    return long.assign(**taken)


def _score_columns(
    table: pd.DataFrame, known: Mapping[str, str], options: TableOptions
) -> list[str]:
    """Columns of scores in a wide table: those given, else all numbers that are nothing else."""
    if options.detectors:
        return list(options.detectors)
    numbers = [
        str(column) for column in table
        if column not in known.values() and pd.api.types.is_numeric_dtype(table[column].dtype)
        and not pd.api.types.is_bool_dtype(table[column].dtype)
        and not str(column).startswith("Unnamed") and str(column)
    ]  # fmt: skip
    if not numbers:
        raise DataError(
            f"the table has no column of scores (its columns: {listed(list(map(str, table)), 40)})"
            "; name one with --columns score=…, or a column for each detector with --detectors a,b"
        )
    return numbers


def _melted(table: pd.DataFrame, long: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """A wide table as a long one; an empty cell is an image that the detector did not score."""
    parts = []
    for code, column in enumerate(columns):
        scored = table[column].notna().to_numpy()
        if not scored.any():
            raise DataError(f"column {shown(column)} holds no score; name the others with "
                            "--detectors")  # fmt: skip
        detector = categories([code], columns, int(scored.sum()))
        rows = long.loc[scored].drop(columns="detector", errors="ignore")
        parts.append(rows.assign(detector=detector, score=table.loc[scored, column].array))
    return pd.concat(parts, ignore_index=True)
