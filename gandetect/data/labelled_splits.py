"""Splits labelled files: by group, as they come split, or, when asked, leaking on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gandetect.config import LabelledDataConfig
from gandetect.data.found import LeftOut, leave_out
from gandetect.data.groups import SIDES, cut_by_group, require_every_class, split_by_group
from gandetect.data.splits import stratified_subset
from gandetect.errors import DataError, UsageError

HELD_OUT = "held-out"


@dataclass(frozen=True)
class LabelledSplits:
    """Rows sorted by path and copy, and path and reason of the files left out of the splits.

    ``table`` is that of `find_labelled` with ``group`` now a number, ``split`` ("train",
    "validation", "test" or "held-out") and ``copy``: 0 is the picture itself, and k its k-th
    augmented copy, which only a leaky split has. ``ruled_out`` counts by class the held-out files
    that their groups keep from being tested on.
    """

    table: pd.DataFrame
    left_out: LeftOut
    ruled_out: dict[str, int]


def make_labelled_splits(
    table: pd.DataFrame, config: LabelledDataConfig, groups: ArrayLike, *, copies: int = 0
) -> LabelledSplits:
    """Split files so that no group stands on two sides; nothing depends on the order of rows.

    Classes in ``held_out`` are "held-out", and other files of their groups "test"; with
    ``held_out_groups = "split"`` groups are split first, and files of those classes whose group is
    trained or validated on are left out, so that they can have the content of what is trained on.
    A split that the data come with is obeyed: of a group on two of its sides the files on the
    earlier side are left out and named, and a missing side is cut out of training by its fraction.
    With ``leak`` every file becomes 1 + ``copies`` rows, which are then split without regard to
    groups.
    Raises `DataError` when a class would be missing on one side.
    """
    rows = table.assign(group=np.asarray(groups, dtype=np.int64))
    rows = rows.sort_values("path", kind="stable", ignore_index=True)
    # As many files as wanted, of each class (on each given side) its share.
    kinds = pd.factorize(rows["class_name"] + "/" + rows["given_split"])[0]
    chosen = stratified_subset(kinds, config.max_images, config.split_seed, "labelled images")
    rows = rows.iloc[chosen].reset_index(drop=True)
    rows["group"] = pd.factorize(rows["group"])[0]  # by first file, whatever the order was
    rows["split"], rows["copy"] = "", 0
    rows.loc[rows["class_name"].isin(config.held_out), "split"] = HELD_OUT
    left_out: LeftOut = []
    ruled_out: dict[str, int] = {}
    given = (rows["given_split"] != "").any()
    if config.leak is not None and given:
        raise UsageError(
            f"leak = {config.leak!r} splits the images itself, but these come split; take out "
            "leak, or what names the given split"
        )
    if config.leak is not None and config.held_out_groups == "split":
        raise UsageError(
            f"leak = {config.leak!r} splits without regard to groups, and held_out_groups = "
            '"split" by groups; take out one of them'
        )
    if given and config.held_out_groups == "split":
        raise UsageError(
            'held_out_groups = "split" needs a split to make, but these images come split; take '
            "out held_out_groups, or what names the given split"
        )
    if config.leak is not None:
        rows = _leaking(rows, config, copies)
    elif given:
        rows = _as_given(rows, config, left_out)
    else:
        _cut(rows, config, SIDES[1:], rows["split"] != HELD_OUT)
        if config.held_out_groups == "split":
            rows, ruled_out = _of_test_groups(rows)
    return LabelledSplits(rows, left_out, ruled_out)


def _cut(
    rows: pd.DataFrame, config: LabelledDataConfig, sides: Sequence[str], chosen: pd.Series[bool]
) -> None:
    """Split the chosen rows by group into training and these sides, each by its fraction.

    Other files of a group of a held-out class go to the test side, whatever its fraction, unless
    ``held_out_groups = "split"``.
    """
    fractions = {"validation": config.validation_fraction, "test": config.test_fraction}
    whole = config.held_out_groups == "test"
    held_out = rows.loc[(rows["split"] == HELD_OUT) & whole, "group"]
    part = rows[chosen]
    rows.loc[chosen, "split"] = np.array(SIDES)[
        cut_by_group(
            part["class_name"],
            part["group"],
            {side: fractions[side] for side in sides},
            seed=config.split_seed,
            fixed=np.where(part["group"].isin(held_out), SIDES.index("test"), -1),
        )
    ]


def _of_test_groups(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Without files of held-out classes whose group is trained or validated on, and their counts.

    Raises `DataError` where a held-out class has no others.
    """
    used = rows.loc[rows["split"].isin(SIDES[:2]), "group"]
    ruled_out = (rows["split"] == HELD_OUT) & rows["group"].isin(used)
    kept = rows[~ruled_out]
    for name in rows.loc[rows["split"] == HELD_OUT, "class_name"].unique():
        if not (kept["class_name"] == name).any():
            raise DataError(
                f"all images of the held-out class {name!r} are of groups that are trained or "
                "validated on; give a larger test_fraction, or take out held_out_groups"
            )
    counts = rows.loc[ruled_out, "class_name"].value_counts()
    return kept.reset_index(drop=True), {str(name): int(n) for name, n in counts.items()}


def _as_given(rows: pd.DataFrame, config: LabelledDataConfig, left_out: LeftOut) -> pd.DataFrame:
    """Keep the given sides, except for files whose group is also on a later side."""
    ours = rows["split"] != HELD_OUT
    rows.loc[ours, "split"] = rows["given_split"]
    missing = [side for side in SIDES[1:] if not (rows["split"] == side).any()]
    # Nobody trains on a held-out class, so its pictures are as forbidden as those of the test side.
    rank = rows["split"].map({**{side: i for i, side in enumerate(SIDES)}, HELD_OUT: 2})
    latest = rank.groupby(rows["group"]).transform("max")
    late = rows[rank == latest].groupby("group")[["path", "split"]].first()
    for _, row in rows[rank < latest].iterrows():
        latest_member = late.loc[row["group"]]
        reason = (
            f"stands in the {row['split']} split that the data come with, but is of one group "
            f"with {latest_member['path']}, which is {latest_member['split']}"
        )
        leave_out(left_out, str(row["path"]), reason)
    rows = rows[rank == latest].reset_index(drop=True)
    if missing:
        _cut(rows, config, missing, rows["split"] == "train")
    ours = rows["split"] != HELD_OUT
    sides = rows.loc[ours, "split"].map(SIDES.index)
    require_every_class(rows.loc[ours, "class_name"], rows.loc[ours, "group"], sides)
    return rows


def _leaking(rows: pd.DataFrame, config: LabelledDataConfig, copies: int) -> pd.DataFrame:
    """Copy each file first and split afterwards: copies of one picture stand on both sides."""
    ours = rows["split"] != HELD_OUT
    copied = [rows[ours].assign(copy=number) for number in range(1, copies + 1)]
    rows = pd.concat([rows, *copied]).sort_values(["path", "copy"], ignore_index=True)
    ours = rows["split"] != HELD_OUT
    rows.loc[ours, "split"] = split_by_group(
        rows.loc[ours, "class_name"],
        np.arange(int(ours.sum())),
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        seed=config.split_seed,
    )
    return rows
