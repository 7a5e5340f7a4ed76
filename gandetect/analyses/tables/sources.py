"""What each source of a table is to us: a generator, or one of the groups of reals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gandetect.analyses.tables.columns import TableOptions, categories, sorted_texts
from gandetect.errors import DataError, UsageError, did_you_mean, listed, shown
from gandetect.statistics.scores import HELD_OUT, IN_DISTRIBUTION

SPLITS = {"test": "test", "train": "training", "training": "training", "val": "validation",
          "valid": "validation", "validation": "validation", "calibration": "calibration",
          "cal": "calibration"}  # fmt: skip
FAMILIAR, UNFAMILIAR = "in-distribution", "held-out"  # as our own tables call them
SAYS_NOTHING = {FAMILIAR, UNFAMILIAR, "real", "reals"}  # as the name of a source of reals
UNNAMED = "unnamed"


@dataclass(frozen=True)
class NamedSources:
    """Of each row the source by our name, none where it is left out, and by the table's name."""

    names: pd.Categorical[Any]
    theirs: pd.Categorical[Any]
    reals: Mapping[str, str]
    left_out: list[str]


@dataclass(frozen=True)
class _Part:
    """A source's images of one label and split."""

    generated: bool
    name: str
    split: str


def named_sources(
    long: pd.DataFrame, generated: npt.NDArray[np.bool_], options: TableOptions
) -> NamedSources:
    """Name the source of each row as `statistics.scores` has it.

    Reals of the reference are in-distribution, those held out are so, and all others are a group by
    their own name. What is no test image is pooled by its split. Raises `DataError` for a source
    that contradicts its label, and `UsageError` where the reference is not clear.
    """
    theirs, split = _theirs(long, generated), _splits(long)
    keys = (theirs.codes.astype(np.int64) * 2 + generated) * len(split.categories) + split.codes
    place, distinct_keys = pd.factorize(keys)
    parts = [_part(int(key), theirs, split) for key in distinct_keys]
    reals = _reals(parts, options)
    names = [_name(part, *reals) for part in parts]
    distinct = sorted({name for name in names if name is not None})
    codes = np.array([-1 if name is None else distinct.index(name) for name in names], np.int16)
    groups = zip((IN_DISTRIBUTION, HELD_OUT), reals, strict=True)
    return NamedSources(
        categories(codes[place], distinct),
        theirs,
        {ours: listed(names) for ours, names in groups if {*names} - SAYS_NOTHING},
        [f"{one.name} ({one.split})" for one, ours in zip(parts, names, strict=True) if not ours],
    )


def _theirs(long: pd.DataFrame, generated: npt.NDArray[np.bool_]) -> pd.Categorical[Any]:
    """The sources as the table has them; without any, one for each label."""
    if "source" not in long:
        return categories(generated, [FAMILIAR, UNNAMED])
    if missing := int(long["source"].isna().sum()):
        raise DataError(f"{missing:,} of {len(long):,} rows have no source; give each one")
    return sorted_texts(long["source"])


def _splits(long: pd.DataFrame) -> pd.Categorical[Any]:
    if "split" not in long:
        return categories([0], ["test"], len(long))
    given = pd.Categorical(long["split"])
    meant = [SPLITS.get(str(value).strip().lower(), "") for value in given.categories]
    if unknown := [str(v) for v, ours in zip(given.categories, meant, strict=True) if not ours]:
        raise DataError(f"split(s) {listed(unknown)} are not known; expected: "
                        f"{', '.join(dict.fromkeys(SPLITS.values()))}")  # fmt: skip
    if (given.codes < 0).any():
        raise DataError(f"{int((given.codes < 0).sum()):,} of {len(long):,} rows have no split; "
                        "give each one, or leave the column out")  # fmt: skip
    ours = sorted(set(meant))
    return categories(np.array([ours.index(one) for one in meant])[given.codes], ours)


def _part(key: int, theirs: pd.Categorical[Any], split: pd.Categorical[Any]) -> _Part:
    rest, split_code = divmod(key, len(split.categories))
    source, generated = str(theirs.categories[rest // 2]), bool(rest % 2)
    kind, colon, name = source.partition(":")
    if not colon or kind not in ("real", "generated"):
        name = source
    elif (kind == "generated") != generated:
        label = "generated" if generated else "real"
        raise DataError(f"images of source {shown(source)} are labelled {label}, not {kind}")
    if name in SPLITS.values():  # as our own tables have it: the split stands for the source
        return _Part(generated, name if generated else FAMILIAR, name)
    return _Part(generated, name, str(split.categories[split_code]))


def _reals(parts: Sequence[_Part], options: TableOptions) -> tuple[list[str], list[str]]:
    """Names of the in-distribution and of the held-out sources of reals."""
    there = sorted({part.name for part in parts if not part.generated})
    for option, names in (("--reference", options.reference), ("--held-out", options.held_out)):
        for name in names:
            if name not in there:
                raise UsageError(f"{option}: the table has no reals of {shown(name)}; it has: "
                                 f"{listed(there)}{did_you_mean(name, there)}")  # fmt: skip
    held_out = list(options.held_out) or [name for name in there if name == UNFAMILIAR]
    if options.reference:
        if both := set(options.reference) & set(held_out):
            raise UsageError(f"reals of {shown(min(both))} cannot be in-distribution and held out")
        return list(options.reference), held_out
    left = [name for name in there if name not in held_out]
    calibrated = {part.name for part in parts if not part.generated and part.split != "test"}
    for likely in ([FAMILIAR], left, [name for name in left if name in calibrated]):
        if len(likely) == 1 and likely[0] in left:
            return likely, held_out
    raise UsageError(
        f"the table has {len(left)} sources of reals ({listed(left)}), and nothing says which are "
        "in-distribution; name it with --reference NAME, several times to pool several"
    )


def _name(part: _Part, reference: Collection[str], held_out: Collection[str]) -> str | None:
    """Our name of a part; None where it is left out."""
    if part.generated:
        return f"generated:{part.name if part.split == 'test' else part.split}"
    if part.name in reference:
        return IN_DISTRIBUTION if part.split == "test" else f"real:{part.split}"
    if part.split != "test":
        return None
    return HELD_OUT if part.name in held_out else f"real:{part.name}"
