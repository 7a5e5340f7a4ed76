"""Pictures that stand under both labels: nobody can learn, or be right, about them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gandetect.errors import DataError, shown

KEY = "allow_contradictions"
NAMED = 3  # pictures in a message
Contradiction = dict[str, str]  # the paths of one picture, each with its label


def contradictions(table: pd.DataFrame) -> list[Contradiction]:
    """Pictures of a table (path, label, pixels_sha256) that stand under both labels.

    Equal bytes are equal pixels, so that copies by bytes are among them. Sorted by path.
    """
    labels = table.groupby("pixels_sha256")["label"].transform("nunique")
    rows = table[labels > 1].sort_values("path")
    found = [
        {str(path): str(label) for path, label in zip(one["path"], one["label"], strict=True)}
        for _, one in rows.groupby("pixels_sha256", sort=False)
    ]
    return sorted(found, key=lambda one: next(iter(one)))


def refuse_contradictions(found: Sequence[Contradiction]) -> None:
    """Raise `DataError` that names the files of the first few pictures under both labels."""
    if not found:
        return
    more = f", and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    raise DataError(
        f"{len(found):,} picture(s) stand under both labels, with the same pixels: "
        f"{'; '.join(map(_named, found[:NAMED]))}{more}; take the wrong ones out, or give "
        f"{KEY} = true to train and test on them all the same"
    )


def _named(one: Contradiction) -> str:
    """One file of each label: ``'a/1.png' is real and 'b/7.png' generated``."""
    first = {label: path for path, label in reversed(one.items())}
    return f"{shown(first['real'])} is real and {shown(first['generated'])} generated"
